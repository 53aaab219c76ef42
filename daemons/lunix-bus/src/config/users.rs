//! Users and what they may do.

use super::file::{duration, map, secret, string, strings, unexpected, unknown, wrong};
use crate::broker::{Clause, ConnectionKind, ConnectionKinds, GLOBAL, Permissions, Responses, Rule, User};
use nats_conf::{Entry, Error, Item, Value};
use std::rc::Rc;
use std::time::Duration;

/// Reads `users`. Those without permissions get none from here; see [`with_default`].
pub(super) fn users(item: &Item) -> Result<Vec<User>, Error> {
    let Value::Array(items) = &item.value else { return Err(unexpected(item, "an array of users")) };
    let mut users: Vec<User> = Vec::new();
    for item in items {
        let user = user(item)?;
        if users.iter().any(|known| known.name == user.name) {
            return Err(wrong(item, format!("duplicate user {:?}", user.name)));
        }
        users.push(user);
    }
    if users.is_empty() { Err(wrong(item, "at least one user is expected")) } else { Ok(users) }
}

/// Gives `default` to those who have no permissions of their own.
pub(super) fn with_default(users: &mut [User], default: Option<Permissions>) {
    let default = default.map(Rc::new);
    for user in users.iter_mut().filter(|user| user.permissions.is_none()) {
        user.permissions.clone_from(&default);
    }
}

fn user(item: &Item) -> Result<User, Error> {
    let (mut name, mut password, mut key, mut granted) = (None, None, None, None);
    let mut kinds = ConnectionKinds::default();
    for entry in map(item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "user" | "username" => name = Some(string(&entry.item)?),
            "pass" | "password" => password = Some(secret(&entry.item)?),
            "nkey" => key = Some(public_key(&entry.item)?),
            "allowed_connection_types" | "connection_types" | "clients" => kinds = connection_kinds(&entry.item)?,
            "permission" | "permissions" | "authorization" => granted = Some(Rc::new(permissions(&entry.item)?)),
            _ => return Err(unknown(entry, "user, password, nkey, permissions, allowed_connection_types")),
        }
    }
    if let Some(key) = key {
        if name.is_some() || password.is_some() {
            return Err(wrong(item, "a user with an nkey has neither name nor password"));
        }
        let account = GLOBAL.into();
        let password = String::new();
        return Ok(User {
            name: key,
            password,
            by_certificate: false,
            by_key: true,
            kinds,
            account,
            permissions: granted,
        });
    }
    let name = name.ok_or_else(|| wrong(item, "a user needs a name"))?;
    let by_certificate = password.is_none();
    let password = password.unwrap_or_default();
    Ok(User { name, password, by_certificate, by_key: false, kinds, account: GLOBAL.into(), permissions: granted })
}

#[cfg(feature = "jwt")]
fn public_key(item: &Item) -> Result<String, Error> {
    let key = string(item)?;
    match nats_keys::PublicKey::of(nats_keys::Role::User, &key) {
        Ok(_) => Ok(key),
        Err(error) => Err(wrong(item, format!("not a valid public nkey for a user: {error}"))),
    }
}

#[cfg(not(feature = "jwt"))]
fn public_key(item: &Item) -> Result<String, Error> {
    Err(wrong(item, "nkeys are not supported: built without the feature jwt"))
}

fn connection_kinds(item: &Item) -> Result<ConnectionKinds, Error> {
    strings(item)?.iter().try_fold(ConnectionKinds::default(), |kinds, name| {
        let kind =
            ConnectionKind::named(name).ok_or_else(|| wrong(item, format!("unknown connection type {name:?}")))?;
        Ok(kinds.with(kind))
    })
}

/// Reads `permissions` or `default_permissions`.
pub(super) fn permissions(item: &Item) -> Result<Permissions, Error> {
    let mut permissions = Permissions::default();
    for entry in map(item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "pub" | "publish" | "import" => permissions.publish = rule(&entry.item, false)?,
            "sub" | "subscribe" | "export" => permissions.subscribe = rule(&entry.item, true)?,
            "publish_allow_responses" | "allow_responses" => permissions.responses = responses(entry)?,
            _ => return Err(unknown(entry, "publish, subscribe, allow_responses")),
        }
    }
    if permissions.responses.is_some() && permissions.publish.allow.is_none() {
        // Who may answer may do nothing but that, if nothing else is said.
        permissions.publish.allow = Some(Vec::new());
    }
    Ok(permissions)
}

fn rule(item: &Item, queues: bool) -> Result<Rule, Error> {
    let Value::Map(map) = &item.value else {
        return Ok(Rule { allow: Some(clauses(item, queues)?), deny: Vec::new() });
    };
    let mut rule = Rule::default();
    for entry in map.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "allow" => rule.allow = Some(clauses(&entry.item, queues)?),
            "deny" => rule.deny = clauses(&entry.item, queues)?,
            _ => return Err(unknown(entry, "allow, deny")),
        }
    }
    Ok(rule)
}

fn clauses(item: &Item, queues: bool) -> Result<Vec<Clause>, Error> {
    let one = |item: &Item| {
        let text = string(item)?;
        Clause::parse(&text, queues).ok_or_else(|| wrong(item, format!("subject {text:?} is not a valid subject")))
    };
    match &item.value {
        // The reference takes an empty list for no restriction at all, which nobody means who writes one.
        Value::Array(items) if items.is_empty() => Err(wrong(
            item,
            "an empty list is ambiguous: leave it out to allow everything, deny \">\" to allow nothing",
        )),
        Value::Array(items) => items.iter().map(one).collect(),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Bool(_) | Value::Map(_) => Ok(vec![one(item)?]),
    }
}

fn responses(entry: &Entry) -> Result<Option<Responses>, Error> {
    let mut responses = Responses { max: Some(1), expires: Some(Duration::from_secs(120)) };
    match &entry.item.value {
        Value::Bool(false) => return Ok(None),
        Value::Bool(true) => {}
        Value::Map(map) => {
            for entry in map.iter() {
                let item = &entry.item;
                match (entry.key.to_ascii_lowercase().as_str(), &item.value) {
                    ("max" | "max_msgs" | "max_messages" | "max_responses", Value::Integer(max)) => {
                        // 0 means the default, less than 0 no limit.
                        responses.max = if *max == 0 { Some(1) } else { u32::try_from(*max).ok() };
                    }
                    ("expires" | "expiration" | "ttl", Value::Integer(..=-1)) => responses.expires = None,
                    ("expires" | "expiration" | "ttl", Value::Integer(0)) => {}
                    ("expires" | "expiration" | "ttl", _) => responses.expires = Some(duration(item)?),
                    _ => return Err(unknown(entry, "max (a number), expires")),
                }
            }
        }
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Array(_) => {
            return Err(unexpected(&entry.item, "true, false or a map"));
        }
    }
    Ok(Some(responses))
}
