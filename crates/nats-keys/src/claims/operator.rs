//! Who vouches for accounts.

use super::{Body, Fields, is_absent};
use crate::{Error, Role};
use serde::Serialize;

/// What an operator's token says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// Further keys that sign in the operator's name.
    #[serde(skip_serializing_if = "is_absent")]
    pub signing_keys: Vec<String>,
    /// Where tools reach the server of accounts.
    #[serde(skip_serializing_if = "is_absent")]
    pub account_server_url: String,
    /// Where tools reach the operator's servers.
    #[serde(skip_serializing_if = "is_absent")]
    pub operator_service_urls: Vec<String>,
    /// The account that serves the system's own subjects.
    #[serde(skip_serializing_if = "is_absent")]
    pub system_account: String,
    /// The least version a server must have, such as `2.1.0`.
    #[serde(skip_serializing_if = "is_absent")]
    pub assert_server_version: String,
    /// Whether only signing keys, and never the main keys, may sign what follows.
    #[serde(skip_serializing_if = "is_absent")]
    pub strict_signing_key_usage: bool,
}

impl Body for Operator {
    const TYPE: &'static str = "operator";
    const ISSUERS: &'static [Role] = &[Role::Operator];

    #[expect(private_interfaces, reason = "kinds of claims are made in this crate alone")]
    fn read(_outer: Fields<'_>, nats: Fields<'_>, _version: i64) -> Result<Self, Error> {
        Ok(Self {
            signing_keys: nats.texts("signing_keys")?,
            account_server_url: nats.text("account_server_url")?,
            operator_service_urls: nats.texts("operator_service_urls")?,
            system_account: nats.text("system_account")?,
            assert_server_version: nats.text("assert_server_version")?,
            strict_signing_key_usage: nats.truth("strict_signing_key_usage")?,
        })
    }
}
