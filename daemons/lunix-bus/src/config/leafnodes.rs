//! The hubs to be joined.

use super::file::{duration, map, string, truth, unknown, wrong};
use crate::broker::{Clause, GLOBAL};
use crate::leaf::{Remote, Url, UrlError};
use nats_conf::{Entry, Error, Item, Value};
use nats_keys::{KeyPair, Role};
use std::rc::Rc;
use std::time::Duration;

/// Remotes and addresses of one remote.
const REMOTES_MAX: usize = 64;
const URLS_MAX: usize = 64;

const KEYS: &str = "remotes, reconnect";
const REMOTE_KEYS: &str = "url, urls, account, credentials, nkey, deny_imports, deny_exports, no_randomize, \
     first_info_timeout, hub, compression";

/// What accepting leaf nodes needs.
const ACCEPTING: [&str; 12] = [
    "port",
    "host",
    "net",
    "listen",
    "authorization",
    "advertise",
    "no_advertise",
    "min_version",
    "isolate_leafnode_interest",
    "users",
    "tls",
    "write_deadline",
];
/// What a remote could have.
const ABSENT: [&str; 7] = [
    "websocket",
    "ws_compression",
    "ws_no_masking",
    "jetstream_cluster_migrate",
    "proxy",
    "local_isolation",
    "request_isolation",
];

/// Reads `leafnodes`. `is_account`: whether there is an account of this name.
pub(super) fn leafnodes(item: &Item, is_account: &dyn Fn(&str) -> bool) -> Result<Vec<Rc<Remote>>, Error> {
    let (mut remotes, mut reconnect) = (Vec::new(), Duration::from_secs(1));
    for entry in map(item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "remotes" => remotes = read_remotes(&entry.item, is_account)?,
            "reconnect" | "reconnect_delay" | "reconnect_interval" => reconnect = duration(&entry.item)?,
            "compression" => compression(&entry.item)?,
            key if ACCEPTING.contains(&key) => {
                let text = format!("{:?} is for accepting leaf nodes, which is not supported; {KEYS} are", entry.key);
                return Err(Error::new(&entry.place, text));
            }
            _ => return Err(unknown(entry, KEYS)),
        }
    }
    remotes.iter_mut().for_each(|remote: &mut Remote| remote.reconnect = reconnect);
    Ok(remotes.into_iter().map(Rc::new).collect())
}

fn read_remotes(item: &Item, is_account: &dyn Fn(&str) -> bool) -> Result<Vec<Remote>, Error> {
    let Value::Array(items) = &item.value else { return Err(wrong(item, "a list of remotes is expected")) };
    if items.len() > REMOTES_MAX {
        return Err(wrong(item, format!("at most {REMOTES_MAX} remotes are expected")));
    }
    let mut remotes: Vec<Remote> = Vec::new();
    for item in items {
        let remote = read_remote(item, is_account)?;
        if remotes.iter().any(|known| known.urls == remote.urls && known.account == remote.account) {
            return Err(wrong(item, format!("duplicate remote for account {:?}", remote.account)));
        }
        remotes.push(remote);
    }
    Ok(remotes)
}

fn read_remote(item: &Item, is_account: &dyn Fn(&str) -> bool) -> Result<Remote, Error> {
    let mut remote = Remote::new(Vec::new(), GLOBAL);
    for entry in map(item)?.iter() {
        apply(entry, &mut remote, is_account)?;
    }
    if remote.urls.is_empty() {
        return Err(wrong(item, "a remote needs a url"));
    }
    if remote.credentials.is_some() && remote.seed.is_some() {
        return Err(wrong(item, "credentials and nkey exclude each other"));
    }
    Ok(remote)
}

fn apply(entry: &Entry, remote: &mut Remote, is_account: &dyn Fn(&str) -> bool) -> Result<(), Error> {
    let item = &entry.item;
    match entry.key.to_ascii_lowercase().as_str() {
        "url" => remote.urls = vec![url(item)?],
        "urls" => remote.urls = list(item, URLS_MAX)?.into_iter().map(url).collect::<Result<_, _>>()?,
        "account" | "local" => {
            let name = string(item)?;
            if !is_account(&name) {
                return Err(wrong(item, format!("cannot find local account {name:?} specified in leafnode remote")));
            }
            remote.account = name.into();
        }
        "creds" | "credentials" => remote.credentials = Some(string(item)?.into()),
        "nkey" | "seed" => remote.seed = Some(seed(item)?),
        "deny_import" | "deny_imports" => remote.deny_imports = clauses(item)?,
        "deny_export" | "deny_exports" => remote.deny_exports = clauses(item)?,
        "no_randomize" | "dont_randomize" => remote.no_randomize = truth(item)?,
        "first_info_timeout" => remote.first_info_timeout = duration(item)?,
        "hub" if truth(item)? => return Err(wrong(item, "being the hub of a remote is not supported; false is")),
        "hub" => {}
        "compression" => compression(item)?,
        key if ABSENT.contains(&key) => {
            let text = format!("{:?} is not supported; known are {REMOTE_KEYS}", entry.key);
            return Err(Error::new(&entry.place, text));
        }
        _ => return Err(unknown(entry, REMOTE_KEYS)),
    }
    Ok(())
}

/// One value, or a list.
fn list(item: &Item, most: usize) -> Result<Vec<&Item>, Error> {
    let Value::Array(items) = &item.value else { return Ok(vec![item]) };
    if items.len() > most {
        Err(wrong(item, format!("at most {most} are expected")))
    } else {
        Ok(items.iter().collect())
    }
}

fn url(item: &Item) -> Result<Url, Error> {
    string(item)?.parse().map_err(|error: UrlError| wrong(item, error.to_string()))
}

fn seed(item: &Item) -> Result<String, Error> {
    let seed = string(item)?;
    let is_user = KeyPair::from_seed(&seed).is_ok_and(|key| key.role() == Role::User);
    if is_user { Ok(seed) } else { Err(wrong(item, "the seed of a user is expected, beginning with SU")) }
}

fn clauses(item: &Item) -> Result<Vec<Clause>, Error> {
    let clause = |item: &Item| {
        let text = string(item)?;
        Clause::parse(&text, false).ok_or_else(|| wrong(item, format!("{text:?} is not a valid subject")))
    };
    list(item, usize::MAX)?.into_iter().map(clause).collect()
}

/// `off`, or nothing said: hubs that would like to compress do without.
fn compression(item: &Item) -> Result<(), Error> {
    let off = match &item.value {
        Value::Bool(on) => !on,
        Value::String(mode) => ["off", "disabled", "not supported"].contains(&mode.to_ascii_lowercase().as_str()),
        Value::Integer(_) | Value::Float(_) | Value::Array(_) | Value::Map(_) => false,
    };
    if off { Ok(()) } else { Err(wrong(item, "compression is not supported; off is")) }
}
