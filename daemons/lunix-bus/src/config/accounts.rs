//! Accounts and who belongs to them.

use super::file::{map, unknown, wrong};
use super::users;
use crate::broker::{GLOBAL, User};
use nats_conf::{Entry, Error, Item};
use std::rc::Rc;

/// What `accounts` says.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// Names, in their order.
    pub(super) names: Vec<Rc<str>>,
    /// The users of all of them.
    pub(super) users: Vec<User>,
}

/// Reads `accounts`.
pub(super) fn accounts(item: &Item) -> Result<Accounts, Error> {
    let mut accounts = Accounts::default();
    for entry in map(item)?.iter() {
        account(entry, &mut accounts)?;
    }
    Ok(accounts)
}

fn account(entry: &Entry, accounts: &mut Accounts) -> Result<(), Error> {
    let name: Rc<str> = entry.key.as_str().into();
    if *name == *GLOBAL {
        return Err(Error::new(&entry.place, format!("account {GLOBAL:?} is there by itself")));
    }
    accounts.names.push(Rc::clone(&name));
    let mut default = None;
    let mut members = Vec::new();
    for entry in map(&entry.item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "users" => members = users::users(&entry.item)?,
            "default_permission" | "default_permissions" => default = Some(users::permissions(&entry.item)?),
            _ => return Err(unknown(entry, "users, default_permissions")),
        }
    }
    users::with_default(&mut members, default);
    for mut user in members {
        if accounts.users.iter().any(|known| known.name == user.name) {
            return Err(wrong(&entry.item, format!("duplicate user {:?}", user.name)));
        }
        user.account = Rc::clone(&name);
        accounts.users.push(user);
    }
    Ok(())
}
