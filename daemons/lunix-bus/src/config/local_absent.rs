//! `local` is refused by name where it is not built in.

use super::file::wrong;
use crate::local::Policy;
use nats_conf::{Error, Item};

/// Refuses `local`.
pub(super) fn policy(item: &Item, _: &dyn Fn(&str) -> bool) -> Result<Policy, Error> {
    Err(wrong(item, "local is not supported: built without the feature local"))
}
