//! The hubs to be joined.

use super::file::{duration, map, string, truth, unknown, wrong};
use super::tls;
use crate::broker::{Clause, GLOBAL};
use crate::config::{HandshakeFirst, Tls};
use crate::leaf::{Remote, Url, UrlError};
use crate::server::transport;
use nats_conf::{Entry, Error, Item, Value};
use nats_keys::{KeyPair, Role};
use std::rc::Rc;
use std::time::Duration;

/// Remotes and addresses of one remote.
const REMOTES_MAX: usize = 64;
const URLS_MAX: usize = 64;

const KEYS: &str = "remotes, reconnect";
const REMOTE_KEYS: &str = "url, urls, account, credentials, nkey, deny_imports, deny_exports, no_randomize, \
     first_info_timeout, tls, hub, compression";

/// Reads `leafnodes`. `is_account`: whether there is an account of this name.
pub(super) fn leafnodes(item: &Item, is_account: &dyn Fn(&str) -> bool) -> Result<Vec<Rc<Remote>>, Error> {
    let (mut remotes, mut reconnect) = (Vec::new(), Duration::from_secs(1));
    for entry in map(item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "remotes" => remotes = read_remotes(&entry.item, is_account)?,
            "reconnect" | "reconnect_delay" | "reconnect_interval" => reconnect = duration(&entry.item)?,
            "compression" => compression(&entry.item)?,
            "port"
            | "host"
            | "net"
            | "listen"
            | "authorization"
            | "advertise"
            | "no_advertise"
            | "min_version"
            | "users"
            | "isolate_leafnode_interest"
            | "tls" => return Err(unsupported(entry, "accepting leaf nodes")),
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
        "tls" => remote.tls = Some(tls(item)?),
        "websocket"
        | "ws_compression"
        | "ws_no_masking"
        | "proxy"
        | "jetstream_cluster_migrate"
        | "local_isolation"
        | "request_isolation" => return Err(unsupported(entry, "this of a remote")),
        _ => return Err(unknown(entry, REMOTE_KEYS)),
    }
    Ok(())
}

/// Something that the reference has and this server has not.
fn unsupported(entry: &Entry, what: &str) -> Error {
    Error::new(
        &entry.place,
        format!("{:?}: {what} is not supported; of leafnodes, {KEYS} are, of a remote {REMOTE_KEYS}", entry.key),
    )
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

/// A `tls` block. Its files are read for each connection, and once now, so that what is wrong with them is told.
fn tls(item: &Item) -> Result<Tls, Error> {
    let tls = tls::tls(item)?;
    if !tls.pinned.is_empty() || tls.map || matches!(tls.first, HandshakeFirst::Within(_)) {
        return Err(wrong(item, "pinned_certs, verify_and_map and a delay for handshake_first are for clients"));
    }
    let checked = transport::check(&tls);
    checked.map(|()| tls).map_err(|error| wrong(item, error.to_string()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Rc<Remote>>, String> {
        let map = nats_conf::parse("t.conf", text, &mut nats_conf::Nothing).map_err(|error| error.to_string())?;
        let item = &map.iter().next().unwrap().item;
        leafnodes(item, &|name| ["$G", "A"].contains(&name)).map_err(|error| error.to_string())
    }

    #[test]
    fn remotes_are_read() {
        let remotes = read(
            "leafnodes { reconnect: 5s, remotes: [ { urls: [\"nats-leaf://u:p@10.0.0.1\", \"tls://hub:9\"], account: A, \
             deny_imports: a.>, deny_export: [b, c.*], no_randomize: true, first_info_timeout: 3s, creds: /etc/u.creds, hub: false, \
             compression: off } , { url: leaf://10.0.0.2 } ] }",
        );
        let remotes = remotes.unwrap();
        let first = &remotes[0];
        assert_eq!(first.urls.iter().map(Url::to_string).collect::<Vec<_>>(), ["10.0.0.1:7422", "hub:9"]);
        assert_eq!((&*first.account, first.reconnect.as_secs(), first.first_info_timeout.as_secs()), ("A", 5, 3));
        assert_eq!((first.deny_imports.len(), first.deny_exports.len(), first.no_randomize), (1, 2, true));
        assert_eq!(first.credentials.as_deref(), Some("/etc/u.creds".as_ref()));
        assert_eq!((&*remotes[1].account, remotes[1].reconnect.as_secs()), ("$G", 5));
    }

    #[test]
    fn what_is_wrong_or_absent_is_told_by_name_and_place() {
        for (text, expected) in [
            ("leafnodes { port: 7422 }", "t.conf:1:13: \"port\": accepting leaf nodes is not supported"),
            ("leafnodes { listen: \"0.0.0.0:7422\" }", "\"listen\": accepting leaf nodes is not supported"),
            ("leafnodes { remotes: [ { url: \"wss://h\" } ] }", "WebSocket remotes are not supported"),
            (
                "leafnodes { remotes: [ { url: \"h\", websocket: {} } ] }",
                "\"websocket\": this of a remote is not supported",
            ),
            ("leafnodes { remotes: [ { url: \"h\", compression: s2_fast } ] }", "compression is not supported"),
            ("leafnodes { remotes: [ { url: \"h\", hub: true } ] }", "being the hub of a remote is not supported"),
            (
                "leafnodes { remotes: [ { url: \"h\", account: B } ] }",
                "cannot find local account \"B\" specified in leafnode remote",
            ),
            ("leafnodes { remotes: [ { account: A } ] }", "a remote needs a url"),
            ("leafnodes { remotes: [ { url: \"h\", nkey: SUX } ] }", "the seed of a user is expected"),
            ("leafnodes { remotes: [ { url: \"h\", deny_imports: \"a..b\" } ] }", "\"a..b\" is not a valid subject"),
            ("leafnodes { remotes: [ { url: \"h\" }, { url: \"h\" } ] }", "duplicate remote for account \"$G\""),
            ("leafnodes { remotes: 7 }", "a list of remotes is expected"),
            ("leafnodes { remote: [] }", "unknown field \"remote\""),
            ("leafnodes { remotes: [ { url: \"h\", urll: \"h\" } ] }", "unknown field \"urll\""),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
    }
}
