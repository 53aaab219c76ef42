//! Operator mode is refused by name where it is not built in.

use super::file::wrong;
use crate::broker::{AccountSettings, Credentials};
use nats_conf::{Entry, Error};

const KEYS: [&str; 12] = [
    "operator",
    "operators",
    "roots",
    "root",
    "root_operators",
    "root_operator",
    "trusted",
    "trusted_keys",
    "resolver",
    "account_resolver",
    "accounts_resolver",
    "resolver_preload",
];

/// Nothing of operator mode.
#[derive(Debug, Default)]
pub(super) struct Given;

impl Given {
    #[expect(clippy::unused_self, reason = "with tokens it takes them")]
    pub(super) fn take(&mut self, entry: &Entry) -> Result<bool, Error> {
        if KEYS.iter().any(|key| entry.key.eq_ignore_ascii_case(key)) {
            return Err(wrong(&entry.item, format!("{} is not supported: built without the feature jwt", entry.key)));
        }
        Ok(false)
    }

    #[expect(clippy::unnecessary_wraps, reason = "with tokens there may be something wrong")]
    pub(super) fn finish(self, _others: bool) -> Result<Option<(Credentials, Vec<AccountSettings>)>, Error> {
        Ok(None)
    }
}
