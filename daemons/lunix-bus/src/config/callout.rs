//! `auth_callout`: the service that decides who a client is.

use super::file::{map, string, strings, unknown, wrong};
use crate::broker::{Callout, GLOBAL};
use nats_conf::{Error, Item};
use nats_keys::{Role, is_public};

/// Whether requests can be sealed.
const CAN_SEAL: bool = cfg!(feature = "seal");

/// Reads `auth_callout`.
pub(super) fn callout(item: &Item) -> Result<Callout, Error> {
    let mut callout = Callout {
        issuer: String::new(),
        users: Vec::new(),
        account: GLOBAL.into(),
        curve_key: None,
        allowed_accounts: Vec::new(),
    };
    for entry in map(item)?.iter() {
        let item = &entry.item;
        match entry.key.to_ascii_lowercase().as_str() {
            "issuer" => callout.issuer = key(item, Role::Account, "an account")?,
            "account" | "acc" => callout.account = string(item)?.into(),
            "auth_users" | "users" => callout.users = strings(item)?,
            "xkey" | "key" if CAN_SEAL => callout.curve_key = Some(key(item, Role::Curve, "a curve")?),
            "xkey" | "key" => return Err(wrong(item, "xkey is not supported: built without the feature seal")),
            "allowed_accounts" => {
                callout.allowed_accounts = strings(item)?.into_iter().map(Into::into).collect();
            }
            _ => return Err(unknown(entry, "issuer, auth_users, account, xkey, allowed_accounts")),
        }
    }
    if callout.issuer.is_empty() {
        return Err(wrong(item, "auth_callout needs an issuer, the public key of an account"));
    }
    if callout.users.is_empty() {
        return Err(wrong(item, "auth_callout needs auth_users, who are let in by their passwords or keys alone"));
    }
    Ok(callout)
}

/// Checks what needs all accounts.
pub(super) fn check(callout: &Callout, item: &Item, is_account: &dyn Fn(&str) -> bool) -> Result<(), Error> {
    match [&callout.account].into_iter().chain(&callout.allowed_accounts).find(|name| !is_account(name)) {
        Some(name) => Err(wrong(item, format!("account {name:?} of auth_callout is not defined"))),
        None => Ok(()),
    }
}

fn key(item: &Item, role: Role, noun: &str) -> Result<String, Error> {
    let text = string(item)?;
    let good = is_public(role, &text);
    if good { Ok(text) } else { Err(wrong(item, format!("the public key of {noun} is expected, not {text:?}"))) }
}
