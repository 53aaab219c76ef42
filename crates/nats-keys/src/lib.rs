//! The keys and tokens of NATS: nkeys, ed25519 signatures, JWTs with their claims, credentials files.
//!
//! An nkey is a key in text that tells what it is for: [`Role`]. Its form, in base32 (RFC 4648) without padding:
//!
//! ```text
//! public = role-byte  32-bytes crc16-little-endian              ; 56 characters, the first is the role's letter
//! seed   = seed-byte+role (2 bytes) 32-bytes crc16              ; 58 characters, `S` and the role's letter first
//! ```
//! A token is `base64url(header) "." base64url(claims) "." base64url(signature)`, signed by the key that its claims name as issuer
//! ([`decode`], [`encode`]). Whether that issuer is to be trusted is the caller's question: a token says what [`Claims`] it holds and that
//! nobody changed them, no more. Operators vouch for accounts, accounts for users.
//!
//! No clock, no randomness, no files: times are seconds since 1970 given by the caller, and so are the bytes that keys are made of.
//!
//! ```
//! use nats_keys::{Claims, KeyPair, PublicKey, Role, User, decode, encode};
//!
//! let account = KeyPair::new(Role::Account, [7; 32]);
//! let user = KeyPair::new(Role::User, [8; 32]);
//! let claims = Claims { subject: user.public().to_string(), name: "ada".into(), ..Claims::new(User::default()) };
//! let token = encode(&claims, &account, 1_700_000_000)?;
//!
//! let read: Claims<User> = decode(&token)?;
//! assert_eq!((read.name.as_str(), read.issuer), ("ada", account.public().to_string()));
//!
//! let nonce = b"kFJ4ZzxlHGdyYw";
//! let key: PublicKey = read.subject.parse()?;
//! assert!(key.verify(nonce, &user.sign(nonce)) && !key.verify(b"another", &user.sign(nonce)));
//! # Ok::<(), nats_keys::Error>(())
//! ```
#![forbid(unsafe_code)]

mod base32;
mod base64;
mod claims;
mod crc16;
mod credentials;
mod error;
mod key;
mod role;
#[cfg(feature = "seal")]
mod seal;
mod token;

pub use base64::{decode as decode_base64, decode_signature, encode as encode_base64};
pub use claims::{
    Account, AccountLimits, Activation, AuthorizationRequest, AuthorizationResponse, Body, Claims, Client,
    ConnectOptions, Export, ExternalAuthorization, Import, Kind, Latency, Limits, Mapping, Operator, Permission,
    Permissions, ResponseType, Responses, Revocations, Server, SigningKey, Template, TimeRange, Tls, User, is_revoked,
};
pub use credentials::Credentials;
pub use error::Error;
pub use key::{KeyPair, PublicKey, is_public};
pub use role::Role;
#[cfg(feature = "seal")]
pub use seal::CurvePair;
pub use token::{TOKEN_BYTES_MAX, claims_text, decode, encode, hash};
