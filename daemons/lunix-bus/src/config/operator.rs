//! Operator mode: whom to trust, and the accounts that are known.

use super::file::{string, strings, wrong};
use crate::broker::{AccountSettings, Credentials};
use crate::operator::Trust;
use nats_conf::{Entry, Error, Item, Value};
use nats_keys::{Account, Claims, Credentials as CredentialsFile, Operator, Role, decode, is_public};
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the file says of operator mode.
#[derive(Debug, Default)]
pub(super) struct Given {
    operators: Vec<Claims<Operator>>,
    keys: Vec<String>,
    system_account: Option<String>,
    accounts: Vec<(Claims<Account>, String)>,
    has_resolver: bool,
    /// The first of the keys, for messages.
    first: Option<Item>,
}

impl Given {
    /// Takes one key of the file; false when it is none of these.
    pub(super) fn take(&mut self, entry: &Entry) -> Result<bool, Error> {
        let item = &entry.item;
        match entry.key.to_ascii_lowercase().as_str() {
            "operator" | "operators" | "roots" | "root" | "root_operators" | "root_operator" => {
                self.operators = strings(item)?.iter().map(|text| operator(text, item)).collect::<Result<_, _>>()?;
            }
            "trusted" | "trusted_keys" => self.keys = keys(item)?,
            "system_account" | "system" => {
                // Accounts of the file may be named, too.
                self.system_account = Some(string(item)?);
                return Ok(true);
            }
            "resolver" | "account_resolver" | "accounts_resolver" => {
                resolver(item)?;
                self.has_resolver = true;
            }
            "resolver_preload" => self.accounts = preload(item)?,
            _ => return Ok(false),
        }
        self.first.get_or_insert_with(|| item.clone());
        Ok(true)
    }

    /// What follows from it; `None` when there is no operator.
    pub(super) fn finish(self, others: bool) -> Result<Option<(Credentials, Vec<AccountSettings>)>, Error> {
        let Some(first) = &self.first else { return Ok(None) };
        if self.operators.is_empty() && self.keys.is_empty() {
            return Err(wrong(first, "resolver and resolver_preload need an operator"));
        }
        if !self.operators.is_empty() && !self.keys.is_empty() {
            return Err(wrong(first, "operator and trusted_keys exclude each other"));
        }
        if !self.has_resolver {
            return Err(wrong(first, "operators require an account resolver to be configured: resolver: MEMORY"));
        }
        if others {
            return Err(wrong(
                first,
                "operators do not allow users, accounts or no_auth_user to be configured directly",
            ));
        }
        let trust = self.trust().map_err(|text| wrong(first, text))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (accounts, _) = trust.share(i64::try_from(now).unwrap_or(i64::MAX));
        Ok(Some((Credentials::Operator(Rc::new(trust)), accounts)))
    }

    fn trust(&self) -> Result<Trust, String> {
        let mut trust = Trust::default();
        self.operators.iter().try_for_each(|operator| trust.trust(operator))?;
        self.keys.iter().try_for_each(|key| trust.trust_key(key, false))?;
        self.accounts.iter().for_each(|(claims, token)| trust.know(claims.clone(), token));
        let named = self.operators.iter().map(|operator| &operator.body.system_account).filter(|name| !name.is_empty());
        let mut system = self.system_account.clone();
        for name in named {
            if *system.get_or_insert_with(|| name.clone()) != *name {
                return Err("system_account in config and operator JWT must be identical".into());
            }
        }
        if let Some(name) = system {
            if trust.account(&name).is_none() {
                return Err(format!("system account {name:?} is not among those in resolver_preload"));
            }
            trust.system_account = Some(name.into());
        }
        Ok(trust)
    }
}

/// An operator's token: in a file, decorated or not, or in place.
fn operator(text: &str, item: &Item) -> Result<Claims<Operator>, Error> {
    let token = match super::file::load(Path::new(text)) {
        Ok(token) => token,
        Err(_) if text.starts_with("eyJ") => text.to_owned(),
        Err(error) => return Err(wrong(item, format!("cannot read the operator's token {text}: {error}"))),
    };
    let claims: Claims<Operator> = decode(CredentialsFile::token_of(&token))
        .map_err(|error| wrong(item, format!("error parsing operator JWT: {error}")))?;
    let version = &claims.body.assert_server_version;
    if is_newer(version) {
        return Err(wrong(item, format!("operator asks for a server of version {version}")));
    }
    Ok(claims)
}

/// True for a version above that of the reference whose behaviour is offered.
fn is_newer(version: &str) -> bool {
    let numbers = |text: &str| {
        text.split('.')
            .map(|part| part.parse().unwrap_or(0))
            .chain(std::iter::repeat(0_u32))
            .take(3)
            .collect::<Vec<_>>()
    };
    numbers(version) > numbers(crate::broker::REFERENCE_VERSION)
}

fn keys(item: &Item) -> Result<Vec<String>, Error> {
    let keys = strings(item)?;
    match keys.iter().find(|key| !is_public(Role::Operator, key)) {
        None => Ok(keys),
        Some(key) => Err(wrong(item, format!("trusted key {key:?} is not the public key of an operator"))),
    }
}

fn resolver(item: &Item) -> Result<(), Error> {
    let name = match &item.value {
        Value::Map(map) => map.get("type").map_or_else(|| Ok("a map without type".to_owned()), string)?,
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Bool(_) | Value::Array(_) => string(item)?,
    };
    let memory = ["MEM", "MEMORY"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if memory { Ok(()) } else { Err(wrong(item, format!("resolver {name:?} is not supported: only MEMORY"))) }
}

fn preload(item: &Item) -> Result<Vec<(Claims<Account>, String)>, Error> {
    let Value::Map(map) = &item.value else { return Err(super::file::unexpected(item, "a map of accounts")) };
    map.iter()
        .map(|entry| {
            let token = string(&entry.item)?;
            let token = CredentialsFile::token_of(&token);
            let claims: Claims<Account> =
                decode(token).map_err(|error| wrong(&entry.item, format!("invalid account JWT: {error}")))?;
            if claims.subject == entry.key {
                Ok((claims, token.to_owned()))
            } else {
                Err(wrong(&entry.item, format!("token is about {}, not about {}", claims.subject, entry.key)))
            }
        })
        .collect()
}
