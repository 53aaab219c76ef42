//! The keys of the configuration file.

#[cfg(feature = "monitoring")]
use super::Monitoring;
use super::accounts;
use super::callout;
#[cfg(feature = "leaf")]
use super::leafnodes;
use super::local;
use super::operator;
use super::users;
use super::{Config, Error, beside};
use super::{tls, websocket};
use crate::broker::{Callout, GLOBAL, User, is_hash};
use nats_conf::{Entry, Item, Map, Surroundings, Value, parse_duration};
use std::fs;
#[cfg(feature = "local")]
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// A configuration file larger than this is none.
const FILE_MAX: u64 = 1 << 20;

/// What TCP clients must send, as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) token: Option<String>,
    pub(super) users: Option<Vec<User>>,
}

impl Secrets {
    /// True when there is one user or token for everybody.
    pub(super) fn is_single(&self) -> bool {
        self.user.is_some() || self.password.is_some() || self.token.is_some()
    }
}

/// What the file says that needs a second look.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) credentials: Secrets,
    /// Users of accounts.
    pub(super) members: Vec<User>,
    pub(super) tls: Option<tls::Tls>,
    /// The block `local`: it is read last, when the accounts are known.
    pub(super) local: Option<Item>,
    /// Read when all accounts are known.
    #[cfg(feature = "leaf")]
    leafnodes: Option<Item>,
    pub(super) operator: operator::Given,
    /// Where the system account is named.
    pub(super) system_account: Option<Item>,
    pub(super) max_pending: Option<usize>,
    pub(super) max_memory_per_user: Option<usize>,
    pub(super) max_connections: Option<usize>,
    /// The service that decides who a client is, and where it stands: its accounts must be there.
    pub(super) callout: Option<(Item, Callout)>,
    pub(super) lame_duck_grace_period: bool,
}

/// Keys we have, for the message about one we do not have.
const KEYS: &str = "port, host, net, listen, server_name, unix, unix_mode, max_payload, max_control_line, max_connections, \
     max_subscriptions, max_pending, max_memory, max_memory_per_user, no_auth_user, local, leafnodes, ping_interval, ping_max, write_deadline, \
     lame_duck_duration, lame_duck_grace_period, http, http_port, monitor_port, authorization, accounts, tls, allow_non_tls, websocket, pid_file, \
     ports_file_dir, logfile, debug, trace, operator, trusted_keys, system_account, resolver, resolver_preload";

/// Reads `path` into `config`.
pub(super) fn read(path: &Path, config: &mut Config) -> Result<Given, Error> {
    let text = load(path).map_err(|error| Error::Unreadable(path.to_owned(), error))?;
    let map = nats_conf::parse(&path.to_string_lossy(), &text, &mut Files).map_err(Error::File)?;
    let mut given = Given::default();
    for entry in map.iter() {
        apply(entry, config, &mut given).map_err(Error::File)?;
    }
    let accounts: Vec<_> = config.broker.accounts.iter().map(|account| Rc::clone(&account.name)).collect();
    let is_account = |name: &str| name == GLOBAL || accounts.iter().any(|known| **known == *name);
    if let Some((item, callout)) = given.callout.take() {
        callout::check(&callout, &item, &is_account).map_err(Error::File)?;
        config.broker.callout = Some(Rc::new(callout));
    }
    if let Some(item) = &given.local {
        config.broker.local = Some(Rc::new(local::policy(item, &is_account).map_err(Error::File)?));
    }
    #[cfg(feature = "leaf")]
    if let Some(item) = &given.leafnodes {
        config.broker.remotes = leafnodes::leafnodes(item, &is_account).map_err(Error::File)?;
    }
    Ok(given)
}

pub(super) fn load(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > FILE_MAX {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    fs::read_to_string(path)
}

pub(super) struct Files;

impl Surroundings for Files {
    fn include(&mut self, path: &str, from: &str) -> Result<(String, String), String> {
        let path = beside(from, path);
        let text = load(&path).map_err(|error| error.to_string())?;
        Ok((path.to_string_lossy().into_owned(), text))
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn apply(entry: &Entry, config: &mut Config, given: &mut Given) -> Result<(), nats_conf::Error> {
    if ["system_account", "system"].iter().any(|key| entry.key.eq_ignore_ascii_case(key)) {
        config.broker.system_account = string(&entry.item)?.into();
        given.system_account = Some(entry.item.clone());
    }
    if given.operator.take(entry)? || given.system_account.as_ref() == Some(&entry.item) {
        return Ok(());
    }
    let (item, broker) = (&entry.item, &mut config.broker);
    match entry.key.to_ascii_lowercase().as_str() {
        "port" => broker.port = port(item)?,
        "host" | "net" if item.value == Value::Bool(false) => config.tcp = false,
        "host" | "net" => broker.host = string(item)?,
        "listen" => listen(item, config)?,
        "server_name" => broker.server_name = string(item)?,
        "unix" => config.unix = strings(item)?,
        "unix_mode" => config.unix_mode = mode(item)?,
        "max_payload" => broker.max_payload = size(item, 1, 64 << 20)?,
        "max_control_line" => broker.max_control_line = size(item, 16, 1 << 20)?,
        "max_connections" | "max_conn" => given.max_connections = Some(size(item, 1, 1 << 20)?),
        "max_subscriptions" | "max_subs" => broker.max_subscriptions = size(item, 0, 1 << 30)?,
        "max_pending" => {
            given.max_pending = Some(size(item, 1024, 1 << 40)?);
        }
        "max_memory" => broker.max_memory = size(item, 1 << 16, 1 << 40)?,
        "max_memory_per_user" => given.max_memory_per_user = Some(size(item, 1 << 14, 1 << 40)?),
        "ping_interval" => broker.ping_interval = duration(item)?,
        "ping_max" => broker.ping_max = u32::try_from(size(item, 1, 1 << 20)?).unwrap_or(u32::MAX),
        "write_deadline" => broker.write_deadline = duration(item)?,
        "lame_duck_duration" => broker.lame_duck_duration = duration(item)?,
        "lame_duck_grace_period" => {
            broker.lame_duck_grace_period = duration(item)?;
            given.lame_duck_grace_period = true;
        }
        #[cfg(not(feature = "monitoring"))]
        "http" | "http_port" | "monitor_port" => {
            return Err(wrong(item, format!("{} is not supported: built without the feature monitoring", entry.key)));
        }
        #[cfg(feature = "monitoring")]
        "http" => config.monitoring = Some(monitoring(item)?),
        #[cfg(feature = "monitoring")]
        "http_port" | "monitor_port" => {
            config.monitoring = Some(Monitoring { host: String::new(), port: port(item)? });
        }
        "local" => given.local = Some(item.clone()),
        #[cfg(not(feature = "leaf"))]
        "leafnodes" | "leaf" | "leafnode" => {
            return Err(wrong(item, format!("{} is not supported: built without the feature leaf", entry.key)));
        }
        #[cfg(feature = "leaf")]
        "leafnodes" | "leaf" | "leafnode" => given.leafnodes = Some(item.clone()),
        "no_auth_user" => broker.no_auth_user = Some(string(item)?),
        "accounts" => {
            let accounts = accounts::accounts(item)?;
            broker.accounts = accounts.settings;
            given.members = accounts.users;
        }
        "authorization" => given.credentials = authorization(item, config, &mut given.callout)?,
        "tls" => given.tls = Some(tls::tls(item)?),
        "allow_non_tls" => config.allow_non_tls = truth(item)?,
        "websocket" | "ws" => config.websocket = websocket::websocket(item)?,
        "pid_file" | "pidfile" => config.pid_file = Some(string(item)?.into()),
        "ports_file_dir" => config.ports_directory = Some(string(item)?.into()),
        "logfile" | "log_file" => config.log_file = Some(string(item)?.into()),
        "debug" => config.debug = truth(item)?,
        "trace" => broker.trace = truth(item)?,
        // A key that defines a variable for `$NAME` is written in capitals by custom.
        name if name.to_ascii_uppercase() == entry.key => {}
        _ => return Err(unknown(entry, KEYS)),
    }
    Ok(())
}

fn authorization(
    item: &Item,
    config: &mut Config,
    delegated: &mut Option<(Item, Callout)>,
) -> Result<Secrets, nats_conf::Error> {
    let (mut secrets, mut default) = (Secrets::default(), None);
    for entry in map(item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "user" | "username" => secrets.user = Some(string(&entry.item)?),
            "pass" | "password" => secrets.password = Some(secret(&entry.item)?),
            "token" => secrets.token = Some(secret(&entry.item)?),
            "auth_callout" => *delegated = Some((entry.item.clone(), callout::callout(&entry.item)?)),
            "timeout" => config.broker.auth_timeout = seconds(&entry.item)?,
            "users" => secrets.users = Some(users::users(&entry.item)?),
            "default_permission" | "default_permissions" => default = Some(users::permissions(&entry.item)?),
            _ => {
                return Err(unknown(entry, "user, password, token, users, default_permissions, timeout, auth_callout"));
            }
        }
    }
    if let Some(users) = &mut secrets.users {
        users::with_default(users, default);
        let alone = secrets.user.is_none() && secrets.password.is_none() && secrets.token.is_none();
        return if alone {
            Ok(secrets)
        } else {
            Err(wrong(item, "users and a single user, password or token exclude each other"))
        };
    }
    let good = matches!((&secrets.user, &secrets.password, &secrets.token), (None, None, _) | (Some(_), Some(_), None));
    if good { Ok(secrets) } else { Err(wrong(item, "user and password together, or a token alone, are expected")) }
}

fn listen(item: &Item, config: &mut Config) -> Result<(), nats_conf::Error> {
    let (host, port) = address(item)?;
    config.broker.port = port;
    config.broker.host = host.unwrap_or_else(|| std::mem::take(&mut config.broker.host));
    Ok(())
}

#[cfg(feature = "monitoring")]
fn monitoring(item: &Item) -> Result<Monitoring, nats_conf::Error> {
    let (host, port) = address(item)?;
    Ok(Monitoring { host: host.unwrap_or_default(), port })
}

/// `host:port`, or a port alone.
pub(super) fn address(item: &Item) -> Result<(Option<String>, u16), nats_conf::Error> {
    if let Value::Integer(_) = item.value {
        return Ok((None, port(item)?));
    }
    let text = string(item)?;
    let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong(item, "host:port is expected"))?;
    let port = match port {
        "-1" => 0,
        port => port.parse().map_err(|_| wrong(item, "host:port is expected"))?,
    };
    Ok((Some(host.trim_matches(['[', ']']).to_owned()), port))
}

pub(super) fn wrong(item: &Item, text: impl Into<String>) -> nats_conf::Error {
    nats_conf::Error::new(&item.place, text)
}

pub(super) fn unexpected(item: &Item, wanted: &str) -> nats_conf::Error {
    wrong(item, format!("{wanted} is expected, not {}", item.value.kind()))
}

pub(super) fn unknown(entry: &Entry, known: &str) -> nats_conf::Error {
    nats_conf::Error::new(&entry.place, format!("unknown field {:?}; known are {known}", entry.key))
}

pub(super) fn map(item: &Item) -> Result<&Map, nats_conf::Error> {
    if let Value::Map(map) = &item.value { Ok(map) } else { Err(unexpected(item, "a map")) }
}

pub(super) fn string(item: &Item) -> Result<String, nats_conf::Error> {
    match &item.value {
        Value::String(text) => Ok(text.clone()),
        // A name or password made of digits alone.
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(_) | Value::Bool(_) | Value::Array(_) | Value::Map(_) => Err(unexpected(item, "a string")),
    }
}

/// A password or token. Without what compares hashed ones they are refused: comparing them as plain text would lock everybody out.
pub(super) fn secret(item: &Item) -> Result<String, nats_conf::Error> {
    let text = string(item)?;
    if is_hash(&text) && !cfg!(feature = "bcrypt") {
        return Err(wrong(item, "bcrypt hashes are not supported: built without the feature bcrypt"));
    }
    Ok(text)
}

pub(super) fn strings(item: &Item) -> Result<Vec<String>, nats_conf::Error> {
    if let Value::Array(items) = &item.value { items.iter().map(string).collect() } else { Ok(vec![string(item)?]) }
}

pub(super) fn truth(item: &Item) -> Result<bool, nats_conf::Error> {
    if let Value::Bool(truth) = item.value { Ok(truth) } else { Err(unexpected(item, "true or false")) }
}

pub(super) fn size(item: &Item, least: usize, most: usize) -> Result<usize, nats_conf::Error> {
    let Value::Integer(number) = item.value else { return Err(unexpected(item, "a number")) };
    let number = usize::try_from(number).ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| wrong(item, format!("a number from {least} to {most} is expected")))
}

/// Numbers and ranges of them, `1000-1999`; one, or a list.
#[cfg(feature = "local")]
pub(super) fn ranges(item: &Item) -> Result<Vec<RangeInclusive<u32>>, nats_conf::Error> {
    let one = |item: &Item| {
        let text = string(item)?;
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        let range = first.trim().parse().ok().zip(last.trim().parse().ok()).map(|(first, last)| first..=last);
        let range = range.filter(|range: &RangeInclusive<u32>| !range.is_empty());
        range.ok_or_else(|| wrong(item, "a number or a range of numbers is expected, such as \"1000-1999\""))
    };
    if let Value::Array(items) = &item.value { items.iter().map(one).collect() } else { Ok(vec![one(item)?]) }
}

pub(super) fn port(item: &Item) -> Result<u16, nats_conf::Error> {
    if item.value == Value::Integer(-1) {
        return Ok(0);
    }
    Ok(u16::try_from(size(item, 0, 65_535)?).unwrap_or_default())
}

fn mode(item: &Item) -> Result<u32, nats_conf::Error> {
    let digits = string(item)?;
    let mode = u32::from_str_radix(&digits, 8).ok().filter(|&mode| mode <= 0o777);
    mode.ok_or_else(|| wrong(item, "permission bits in octal digits are expected, such as 660"))
}

/// A duration with unit, or a number of seconds.
pub(super) fn duration(item: &Item) -> Result<Duration, nats_conf::Error> {
    let duration = match &item.value {
        Value::String(text) => parse_duration(text),
        Value::Integer(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        Value::Float(_) | Value::Bool(_) | Value::Array(_) | Value::Map(_) => None,
    };
    let duration = duration.filter(|duration| *duration >= Duration::from_millis(1));
    duration.ok_or_else(|| wrong(item, "a duration is expected, such as 2m or 10s"))
}

/// A number of seconds, with or without a point, or a duration.
pub(super) fn seconds(item: &Item) -> Result<Duration, nats_conf::Error> {
    let Value::Float(seconds) = item.value else { return duration(item) };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong(item, "a number of seconds is expected"))
}
