//! What tokens say. Each type is written as JSON by serde and read by hand ([`json`]), which costs a fraction of the bytes.
//!
//! Absent claims are their type's default: an empty text, 0, false, an empty list. Times are seconds since 1970, 0 when absent. Of limits,
//! -1 is none, and an absent one is 0: nothing is allowed.

mod account;
mod activation;
mod authorization;
mod json;
mod operator;
mod permissions;
mod share;
mod user;

pub use account::{Account, AccountLimits, ExternalAuthorization, Mapping, SigningKey, Template};
pub use activation::Activation;
pub use authorization::{AuthorizationRequest, AuthorizationResponse, Client, ConnectOptions, Server, Tls};
pub use operator::Operator;
pub use permissions::{Limits, Permission, Permissions, Responses, TimeRange};
pub use share::{Export, Import, Kind, Latency, ResponseType, Revocations, is_revoked};
pub use user::User;

use crate::{Error, Role};
pub(crate) use json::Fields;
use json::is_absent;
use serde::Serialize;
use serde_json::{Map, Value};

/// The version of claims that is written.
const VERSION: i64 = 2;

/// What every token says, and what its kind says more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims<T> {
    /// Whom it is meant for (`aud`).
    pub audience: String,
    /// The second after which it is worth nothing; 0: never (`exp`).
    pub expires: i64,
    /// What tells this token from others: a hash that [`encode`](crate::encode) makes (`jti`).
    pub id: String,
    /// When it was signed; set by [`encode`](crate::encode) (`iat`).
    pub issued_at: i64,
    /// The public key that signed it; set by [`encode`](crate::encode) (`iss`).
    pub issuer: String,
    /// A name for people (`name`).
    pub name: String,
    /// The second before which it is worth nothing; 0: at once (`nbf`).
    pub not_before: i64,
    /// The public key that it is about (`sub`).
    pub subject: String,
    /// Words to sort it by, often `key:value` (`nats.tags`).
    pub tags: Vec<String>,
    /// What this kind of token says more (`nats`).
    pub body: T,
}

impl<T: Body> Claims<T> {
    /// Claims about nobody yet.
    #[must_use]
    pub fn new(body: T) -> Self {
        Self {
            audience: String::new(),
            expires: 0,
            id: String::new(),
            issued_at: 0,
            issuer: String::new(),
            name: String::new(),
            not_before: 0,
            subject: String::new(),
            tags: Vec::new(),
            body,
        }
    }

    /// True when the last second of its life is over at `now`.
    #[must_use]
    pub const fn is_expired(&self, now: i64) -> bool {
        self.expires > 0 && now > self.expires
    }

    /// True when it is not yet worth anything at `now`.
    #[must_use]
    pub const fn is_early(&self, now: i64) -> bool {
        self.not_before > 0 && self.not_before > now
    }

    pub(crate) fn read(outer: Fields<'_>, version: i64) -> Result<Self, Error> {
        let nats = outer.object("nats")?;
        Ok(Self {
            audience: outer.text("aud")?,
            expires: outer.number("exp", 0)?,
            id: outer.text("jti")?,
            issued_at: outer.number("iat", 0)?,
            issuer: outer.text("iss")?,
            name: outer.text("name")?,
            not_before: outer.number("nbf", 0)?,
            subject: outer.text("sub")?,
            tags: moved(outer, nats, version).texts("tags")?,
            body: T::read(outer, nats, version)?,
        })
    }

    /// The claims that are the same for all kinds; those that are absent are left out.
    pub(crate) fn common(&self) -> Map<String, Value> {
        let texts = [("aud", &self.audience), ("iss", &self.issuer), ("name", &self.name), ("sub", &self.subject)];
        let numbers = [("exp", self.expires), ("iat", self.issued_at), ("nbf", self.not_before)];
        let mut map = Map::new();
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            map.insert(name.to_owned(), text.as_str().into());
        }
        for (name, number) in numbers.into_iter().filter(|&(_, number)| number != 0) {
            map.insert(name.to_owned(), number.into());
        }
        map
    }

    /// What stands under `nats`, type, version and tags with it.
    pub(crate) fn nats(&self) -> Result<Value, Error> {
        let mut nats = serde_json::to_value(&self.body).map_err(|error| Error::Json(error.to_string()))?;
        if let Value::Object(map) = &mut nats {
            map.insert("type".into(), T::TYPE.into());
            map.insert("version".into(), VERSION.into());
            if !self.tags.is_empty() {
                map.insert("tags".into(), self.tags.clone().into());
            }
        }
        Ok(nats)
    }
}

/// A kind of claims. Only those of this crate exist.
pub trait Body: Sized + Serialize {
    /// The name of the type in the token.
    const TYPE: &'static str;
    /// Roles whose keys may sign such claims.
    const ISSUERS: &'static [Role];
    /// Reads what the token says under `nats`; in version 1 some of it stands outside.
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "kinds of claims are made in this crate alone")]
    fn read(outer: Fields<'_>, nats: Fields<'_>, version: i64) -> Result<Self, Error>;
}

/// Where something stands that version 1 has outside and version 2 inside.
fn moved<'a>(outer: Fields<'a>, nats: Fields<'a>, version: i64) -> Fields<'a> {
    if version == 1 { outer } else { nats }
}
