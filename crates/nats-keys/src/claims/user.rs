//! Who connects.

use super::{Body, Fields, Limits, Permissions, is_absent, moved};
use crate::Error;
use crate::Role;
use serde::Serialize;

/// What a user's token says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct User {
    /// What the user may do.
    #[serde(flatten)]
    pub permissions: Permissions,
    /// How much, and from where.
    #[serde(flatten)]
    pub limits: Limits,
    /// Whether the token alone is enough, without a signature of the server's nonce.
    #[serde(skip_serializing_if = "is_absent")]
    pub bearer_token: bool,
    /// Ways the user may connect, such as `STANDARD`, `WEBSOCKET`, `LEAFNODE`; none: any.
    #[serde(skip_serializing_if = "is_absent")]
    pub allowed_connection_types: Vec<String>,
    /// Whether the user must come through a proxy that the server trusts.
    #[serde(skip_serializing_if = "is_absent")]
    pub proxy_required: bool,
    /// The account, where a signing key of it issued the token.
    #[serde(skip_serializing_if = "is_absent")]
    pub issuer_account: String,
}

impl User {
    /// True when nothing is permitted or limited here, as a scoped signing key asks for: its template says it all.
    ///
    /// The reference compares all limits with 0, not with -1.
    #[must_use]
    pub fn is_scoped(&self) -> bool {
        *self == Self { issuer_account: self.issuer_account.clone(), ..Self::default() }
    }

    /// Reads the template of a scoped signing key; limits that it does not name are none.
    pub(super) fn template(fields: Fields<'_>) -> Result<Self, Error> {
        Self::read_limited(fields, -1)
    }

    fn read_limited(nats: Fields<'_>, absent: i64) -> Result<Self, Error> {
        Ok(Self {
            permissions: Permissions::read(nats)?,
            limits: Limits::read(nats, absent)?,
            bearer_token: nats.truth("bearer_token")?,
            allowed_connection_types: nats.texts("allowed_connection_types")?,
            proxy_required: nats.truth("proxy_required")?,
            issuer_account: String::new(),
        })
    }
}

impl Body for User {
    const TYPE: &'static str = "user";
    const ISSUERS: &'static [Role] = &[Role::Account];

    #[expect(private_interfaces, reason = "kinds of claims are made in this crate alone")]
    fn read(outer: Fields<'_>, nats: Fields<'_>, version: i64) -> Result<Self, Error> {
        if version == 1 && nats.number("max", -1)? != -1 {
            return Err(Error::Claim("max".into()));
        }
        let issuer_account = moved(outer, nats, version).text("issuer_account")?;
        Ok(Self { issuer_account, ..Self::read_limited(nats, 0)? })
    }
}
