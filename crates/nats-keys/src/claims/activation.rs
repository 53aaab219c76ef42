//! What lets an account import.

use super::{Body, Fields, Kind, is_absent, moved};
use crate::{Error, Role};
use serde::Serialize;

/// What an activation token says: its subject, an account, may import something from the account that issued it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Activation {
    /// What may be imported.
    #[serde(rename = "subject")]
    pub import_subject: String,
    /// Stream or service.
    pub kind: Kind,
    /// The account, where a signing key of it issued the token.
    #[serde(skip_serializing_if = "is_absent")]
    pub issuer_account: String,
}

impl Body for Activation {
    const TYPE: &'static str = "activation";
    const ISSUERS: &'static [Role] = &[Role::Account, Role::Operator];

    #[expect(private_interfaces, reason = "kinds of claims are made in this crate alone")]
    fn read(outer: Fields<'_>, nats: Fields<'_>, version: i64) -> Result<Self, Error> {
        Ok(Self {
            import_subject: nats.text("subject")?,
            // In version 1 `type` inside is the kind of the import, and that outside the type of the token.
            kind: Kind::read(nats, if version == 1 { "type" } else { "kind" })?,
            issuer_account: moved(outer, nats, version).text("issuer_account")?,
        })
    }
}
