//! Tokens: their three parts, their signature.

use crate::claims::{Body, Claims, Fields};
use crate::{Error, KeyPair, PublicKey, base32, base64};
use serde_json::Value;

/// Longer tokens are refused unread. Accounts with thousands of users revoked reach some hundred kilobytes.
pub const TOKEN_BYTES_MAX: usize = 1 << 20;

const HEADER: &[u8] = br#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// The newest version of claims that is understood.
const VERSION_MAX: i64 = 2;

/// Reads a token of one kind, whose issuer signed it and is of a role that may. Versions 1 and 2 are read; in version 1 the header is not
/// signed. Neither times nor the issuer itself are judged.
///
/// # Errors
/// Every [`Error`] about tokens.
pub fn decode<T: Body>(token: &str) -> Result<Claims<T>, Error> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Error::TooLong);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::Parts);
    };
    check_header(&json(header)?)?;
    let value = json(claims)?;
    let fields = Fields::of(&value, "claims")?;
    let version = check_type::<T>(fields)?;
    let claims_read = Claims::read(fields, version)?;
    let signed = if version == 1 { claims } else { token.get(..header.len() + 1 + claims.len()).unwrap_or_default() };
    let issuer: PublicKey = claims_read.issuer.parse()?;
    if !issuer.verify(signed.as_bytes(), &base64::decode(signature.as_bytes())?) {
        return Err(Error::Signature);
    }
    if T::ISSUERS.contains(&issuer.role()) { Ok(claims_read) } else { Err(Error::Issuer) }
}

/// The JSON of a token's claims as it was signed, to show it. Nothing is verified; empty when there is none.
#[must_use]
pub fn claims_text(token: &str) -> String {
    let part = token.split('.').nth(1).unwrap_or_default();
    base64::decode(part.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn json(part: &str) -> Result<Value, Error> {
    serde_json::from_slice(&base64::decode(part.as_bytes())?).map_err(|error| Error::Json(error.to_string()))
}

fn check_header(header: &Value) -> Result<(), Error> {
    let fields = Fields::of(header, "header")?;
    let (kind, algorithm) = (fields.text("typ")?, fields.text("alg")?);
    let known = ["ed25519-nkey", "ed25519"].iter().any(|known| algorithm.eq_ignore_ascii_case(known));
    if known && kind.eq_ignore_ascii_case("JWT") { Ok(()) } else { Err(Error::Header) }
}

/// The version of claims that must be of type `T`. A type at the top tells version 1.
fn check_type<T: Body>(fields: Fields<'_>) -> Result<i64, Error> {
    let outer = fields.text("type")?;
    let nats = fields.object("nats")?;
    let (kind, version) = if outer.is_empty() { (nats.text("type")?, nats.number("version", 0)?) } else { (outer, 1) };
    match () {
        () if version > VERSION_MAX => Err(Error::Version(version)),
        () if kind != T::TYPE => Err(Error::Type(kind)),
        () if version < 1 => Err(Error::Version(version)),
        () => Ok(version),
    }
}

/// SHA-512/256 of `bytes`.
#[must_use]
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    ring::digest::digest(&ring::digest::SHA512_256, bytes).as_ref().try_into().unwrap_or_default()
}

/// Signs `claims` at second `now`: sets issuer, time and identifier (a hash of what all kinds of claims have).
///
/// # Errors
/// [`Error::Claim`] without a subject, [`Error::Issuer`] when a key of this role may not sign such claims.
pub fn encode<T: Body>(claims: &Claims<T>, issuer: &KeyPair, now: i64) -> Result<String, Error> {
    if claims.subject.is_empty() {
        return Err(Error::Claim("sub".into()));
    }
    if !T::ISSUERS.contains(&issuer.role()) {
        return Err(Error::Issuer);
    }
    let mut map = claims.common();
    map.insert("iss".into(), issuer.public().to_string().into());
    map.insert("iat".into(), now.into());
    let id = base32::encode(&hash(Value::Object(map.clone()).to_string().as_bytes()));
    map.insert("jti".into(), id.into());
    map.insert("nats".into(), claims.nats()?);
    let mut token = base64::encode(HEADER);
    token.push('.');
    token.push_str(&base64::encode(Value::Object(map).to_string().as_bytes()));
    let signature = issuer.sign(token.as_bytes());
    token.push('.');
    token.push_str(&base64::encode(&signature));
    Ok(token)
}
