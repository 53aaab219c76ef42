//! Keys and tokens for the clients: always the same ones, made here so that none stands in the repository.

use nats_keys::{KeyPair, Role, encode_base64};
use serde_json::{Value, json};
use std::path::Path;
use testkit::{Error, Result};

/// Of the tokens; long before the tests and never over.
const ISSUED: i64 = 1_700_000_000;

fn key(role: Role, number: u8) -> KeyPair {
    KeyPair::new(role, [number; 32])
}

fn operator() -> KeyPair {
    key(Role::Operator, 1)
}

fn account() -> KeyPair {
    key(Role::Account, 2)
}

/// The user whom servers know by its key, and whose token the account has signed.
fn user() -> KeyPair {
    key(Role::User, 3)
}

/// Known nowhere; its token is signed by an account of which no server knows.
fn stranger() -> KeyPair {
    key(Role::User, 4)
}

/// A configuration with `$USER` replaced by the user's public key, and `$OPERATOR` by an operator with the account preloaded.
pub(crate) fn filled_in(configuration: &str) -> String {
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1});
    let nobody = json!({"pub": {}, "sub": {}});
    let operator_token = token(&operator(), &operator(), json!({"type": "operator", "version": 2}));
    let account_body = json!({"limits": limits, "default_permissions": nobody, "type": "account", "version": 2});
    let account_token = token(&account(), &operator(), account_body);
    let operator = format!(
        "operator: {operator_token}, resolver: MEMORY, resolver_preload: {{ {}: {account_token} }}",
        account().public()
    );
    configuration.replace("$OPERATOR", &operator).replace("$USER", &user().public().to_string())
}

/// Writes `user.seed`, `user.creds` and those of the stranger into a folder. The user may publish to all but `forbidden`.
pub(crate) fn write(folder: &Path) -> Result<()> {
    for (name, pair, issuer) in [("user", user(), account()), ("stranger", stranger(), key(Role::Account, 5))] {
        let body = json!({"pub": {"deny": ["forbidden"]}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2});
        let (token, seed) = (token(&pair, &issuer, body), pair.seed());
        let credentials = format!(
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        for (suffix, text) in [("seed", seed), ("public", pair.public().to_string()), ("creds", credentials)] {
            let path = folder.join(format!("{name}.{suffix}"));
            std::fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
        }
    }
    Ok(())
}

/// A token as the tools of NATS make it: header, claims and signature in base64.
fn token(subject: &KeyPair, issuer: &KeyPair, body: Value) -> String {
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let claims = json!({"iat": ISSUED, "iss": issuer.public().to_string(), "sub": subject.public().to_string(), "name": "test", "nats": body});
    let signed = [header, claims].map(|part| encode_base64(part.to_string().as_bytes())).join(".");
    let signature = encode_base64(&issuer.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
