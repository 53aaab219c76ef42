//! Any text is a key, token or file, or refused; nothing panics. What reads as a key is written the same; any claims, properly signed, are
//! read or refused, and what was read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nats_keys::{
    Account, Activation, AuthorizationRequest, AuthorizationResponse, Body, Claims, Credentials, KeyPair, Operator, PublicKey,
    Role, User, decode, encode, encode_base64,
};

fn all(token: &str, issuer: &KeyPair) {
    again::<Operator>(token, issuer);
    again::<Account>(token, issuer);
    again::<User>(token, issuer);
    again::<Activation>(token, issuer);
    again::<AuthorizationRequest>(token, issuer);
    again::<AuthorizationResponse>(token, issuer);
}

fn again<T: Body + PartialEq>(token: &str, issuer: &KeyPair) {
    if let Ok(claims) = decode::<T>(token)
        && let Ok(written) = encode(&claims, issuer, claims.issued_at)
    {
        let same = |read| Claims { id: claims.id.clone(), issuer: claims.issuer.clone(), ..read };
        let read = decode::<T>(&written).ok().map(same);
        assert!(read == Some(claims), "what is written does not read the same");
    }
}

fuzz_target!(|text: &str| {
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(pair) = KeyPair::from_seed(text) {
        assert_eq!(pair.seed(), text);
    }
    let _ = Credentials::parse(text);
    let _ = Credentials::key_of(text);
    for role in [Role::Operator, Role::Account, Role::Server] {
        let issuer = KeyPair::new(role, [1; 32]);
        all(text, &issuer);
        let claims = text.replace("ISSUER", &issuer.public().to_string());
        let header = encode_base64(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
        let body = format!("{header}.{}", encode_base64(claims.as_bytes()));
        all(&format!("{body}.{}", encode_base64(&issuer.sign(body.as_bytes()))), &issuer);
    }
});
