//! Accounts, who belongs to them and what they share.

use super::file::{map, string, unknown, wrong};
use super::sharing;
use super::users;
use crate::broker::{AccountSettings, GLOBAL, User};
use nats_conf::{Entry, Error, Item, Value};
use std::rc::Rc;

/// What `accounts` says.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// The accounts, in their order.
    pub(super) settings: Vec<AccountSettings>,
    /// The users of all of them.
    pub(super) users: Vec<User>,
}

/// Reads `accounts`: a map of accounts, or a list of names.
pub(super) fn accounts(item: &Item) -> Result<Accounts, Error> {
    let mut accounts = Accounts::default();
    if let Value::Array(names) = &item.value {
        for item in names {
            let name = string(item)?;
            if accounts.settings.iter().any(|known| *known.name == *name) {
                return Err(wrong(item, format!("duplicate account {name:?}")));
            }
            accounts.settings.push(AccountSettings::alone(&name));
        }
        return Ok(accounts);
    }
    let mut shared = Vec::new();
    for entry in map(item)?.iter() {
        account(entry, &mut accounts, &mut shared)?;
    }
    sharing::check(&accounts.settings, &shared)?;
    Ok(accounts)
}

fn account<'a>(entry: &'a Entry, accounts: &mut Accounts, shared: &mut Vec<sharing::Places<'a>>) -> Result<(), Error> {
    let name: Rc<str> = entry.key.as_str().into();
    if *name == *GLOBAL {
        return Err(Error::new(&entry.place, format!("account {GLOBAL:?} is there by itself")));
    }
    let (mut default, mut members) = (None, Vec::new());
    let (mut sharing, mut places) = Default::default();
    for entry in map(&entry.item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "users" => members = users::users(&entry.item)?,
            "exports" => sharing::exports(&entry.item, &mut sharing, &mut places)?,
            "imports" => sharing::imports(&entry.item, &mut sharing, &mut places)?,
            "default_permission" | "default_permissions" => default = Some(users::permissions(&entry.item)?),
            _ => return Err(unknown(entry, "users, exports, imports, default_permissions")),
        }
    }
    shared.push(places);
    users::with_default(&mut members, default);
    for mut user in members {
        if accounts.users.iter().any(|known| known.name == user.name) {
            return Err(wrong(&entry.item, format!("duplicate user {:?}", user.name)));
        }
        user.account = Rc::clone(&name);
        accounts.users.push(user);
    }
    accounts.settings.push(AccountSettings { name, sharing: Rc::new(sharing) });
    Ok(())
}
