//! `local` is refused by name where it is not built in.

use super::file::wrong;
use crate::local::Policy;
use nats_conf::{Error, Item};

/// Refuses `local`.
pub(super) fn policy(item: &Item, _: &dyn Fn(&str) -> bool) -> Result<Policy, Error> {
    Err(wrong(item, "local is not supported: built without the feature local"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_refused_by_name_and_place() {
        let map = nats_conf::parse("x.conf", "local { }", &mut nats_conf::Nothing).unwrap();
        let error = policy(map.get("local").unwrap(), &|_| true).unwrap_err().to_string();
        assert!(error.starts_with("x.conf:1:7: local is not supported"), "{error}");
    }
}
