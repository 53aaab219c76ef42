//! `auth_callout` is refused by name where tokens are not built in.

use super::file::wrong;
use crate::broker::Callout;
use nats_conf::{Error, Item};

/// Refuses `auth_callout`.
pub(super) fn callout(item: &Item) -> Result<Callout, Error> {
    Err(wrong(item, "auth_callout is not supported: built without the feature jwt"))
}

#[expect(clippy::unnecessary_wraps, reason = "with tokens there may be something wrong")]
pub(super) fn check(_callout: &Callout, _item: &Item, _is_account: &dyn Fn(&str) -> bool) -> Result<(), Error> {
    Ok(())
}
