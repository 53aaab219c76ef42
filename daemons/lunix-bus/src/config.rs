//! The configuration: nats-server's file, overridden by the command line.

mod accounts;
#[cfg_attr(not(feature = "jwt"), path = "config/callout_absent.rs")]
mod callout;
mod file;
#[cfg(feature = "leaf")]
mod leafnodes;
#[cfg_attr(not(feature = "local"), path = "config/local_absent.rs")]
mod local;
mod memory;
#[cfg_attr(not(feature = "jwt"), path = "config/operator_absent.rs")]
mod operator;
mod sharing;
mod tls;
mod users;
mod websocket;

pub use tls::{CIPHER_SUITES, CURVES, HandshakeFirst, Tls};
pub use websocket::{CookieNames, WebSocket};

use crate::broker::{Credentials, Security, Settings};
use crate::flags::Flags;
use crate::server::transport::{self, Acceptor};
use std::fmt;
use std::path::{Path, PathBuf};

/// Closed connections that monitoring can still tell of.
pub(crate) const CLOSED_KEPT: usize = 256;

/// Everything a run is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the broker is told.
    pub broker: Settings,
    /// Unix sockets to listen on; `@name` is abstract.
    pub unix: Vec<String>,
    /// Permission bits of unix sockets with a path. Abstract ones have none: there the bit for others decides whether users other than
    /// our own and root may connect.
    pub unix_mode: u32,
    /// Whether to listen on TCP.
    pub tcp: bool,
    /// Where monitoring over HTTP listens.
    pub monitoring: Option<Monitoring>,
    /// Clients of the TCP listener may go without TLS, where there is.
    pub allow_non_tls: bool,
    /// TLS of the TCP listener.
    pub acceptor: Option<Acceptor>,
    /// The WebSocket listener.
    pub websocket: Option<WebSocket>,
    /// TLS of the WebSocket listener.
    pub web_acceptor: Option<Acceptor>,
    /// File for the process number.
    pub pid_file: Option<PathBuf>,
    /// Directory for the ports file.
    pub ports_directory: Option<PathBuf>,
    /// Log file instead of standard error.
    pub log_file: Option<PathBuf>,
    /// Log clients coming and going.
    pub debug: bool,
}

/// Where monitoring over HTTP listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// Address; that for clients when empty.
    pub host: String,
    /// Port; 0 for a free one.
    pub port: u16,
}

/// What the command line says over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Address to listen on.
    pub host: Option<String>,
    /// Port; 0 for a free one.
    pub port: Option<u16>,
    /// Port of monitoring; 0 for a free one.
    pub http_port: Option<u16>,
    /// Server name.
    pub name: Option<String>,
    /// More unix sockets.
    pub unix: Vec<String>,
    /// File for the process number.
    pub pid_file: Option<PathBuf>,
    /// Directory for the ports file.
    pub ports_directory: Option<PathBuf>,
    /// Log file.
    pub log_file: Option<PathBuf>,
    /// User that TCP clients must name.
    pub user: Option<String>,
    /// Password that TCP clients must send.
    pub password: Option<String>,
    /// Token that TCP clients must send.
    pub token: Option<String>,
    /// TLS, with what the file says about it changed: `None` leaves it as it is.
    pub tls: Option<bool>,
    /// As `verify` of the file.
    pub tls_verify: bool,
    /// As `cert_file` of the file.
    pub tls_certificate: Option<PathBuf>,
    /// As `key_file` of the file.
    pub tls_key: Option<PathBuf>,
    /// As `ca_file` of the file.
    pub tls_roots: Option<PathBuf>,
    /// Log clients coming and going.
    pub debug: bool,
    /// Log every operation.
    pub trace: bool,
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// The file is wrong; says where.
    File(nats_conf::Error),
    /// User and password must be given together, a token alone.
    Credentials,
    /// Users of accounts and a single user, password or token exclude each other.
    Single,
    /// The grace period must be shorter than the whole.
    GracePeriod,
    /// `no_auth_user` is none of the users.
    NoSuchUser(String),
    /// A user stands both in `authorization` and in an account.
    DuplicateUser(String),
    /// A user without a password, where no certificate says who it is.
    NoPassword(String),
    /// A file of a `tls` block is missing or wrong.
    Tls(transport::TlsError),
    /// The rules of `local` say who somebody is that names nobody.
    DefaultUser,
    /// An account has the name of one that is made for a user.
    OwnAccount(String),
    /// Something is not built in: what, and the feature it needs.
    Absent(&'static str, &'static str),
    /// The server would listen nowhere.
    NoListener,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::File(error) => write!(f, "{error}"),
            Self::Credentials => f.write_str("user and password must be given together, and not beside a token"),
            Self::Single => f.write_str("users of accounts and a single user, password or token exclude each other"),
            Self::GracePeriod => f.write_str("lame_duck_grace_period must be shorter than lame_duck_duration"),
            Self::NoSuchUser(name) => write!(f, "no_auth_user {name:?} is not among the users"),
            Self::DuplicateUser(name) => write!(f, "duplicate user {name:?} in authorization and accounts"),
            Self::NoPassword(name) => write!(f, "user {name:?} needs a password"),
            Self::Tls(error) => write!(f, "{error}"),
            Self::Absent(what, feature) => write!(f, "{what} is not supported: built without the feature {feature}"),
            Self::DefaultUser => f.write_str("no_auth_user and local exclude each other: see `anonymous` of local"),
            Self::OwnAccount(name) => write!(f, "account {name:?} is called like one that a template makes for a user"),
            Self::NoListener => f.write_str("no listener: `net: off` needs at least one `unix` socket"),
        }
    }
}

impl std::error::Error for Error {}

/// Reads the file, if there is one, and applies the command line.
///
/// # Errors
/// See [`Error`].
pub fn load(flags: &Flags) -> Result<Config, Error> {
    let mut config = Config {
        broker: Settings { max_memory: memory::ceiling(), ..Settings::default() },
        unix: Vec::new(),
        unix_mode: 0o660,
        tcp: true,
        monitoring: None,
        allow_non_tls: false,
        acceptor: None,
        websocket: None,
        web_acceptor: None,
        pid_file: None,
        ports_directory: None,
        log_file: None,
        debug: false,
    };
    let mut given = file::Given::default();
    if let Some(path) = &flags.config {
        given = file::read(path, &mut config)?;
    }
    apply(&flags.overrides, &mut config, &mut given)?;
    secure(&flags.overrides, &mut config, given.tls.take())?;
    share_out(&mut config.broker, &given);
    let broker = &mut config.broker;
    if !given.lame_duck_grace_period {
        broker.lame_duck_grace_period = broker.lame_duck_grace_period.min(broker.lame_duck_duration / 2);
    }
    if broker.lame_duck_grace_period >= broker.lame_duck_duration {
        return Err(Error::GracePeriod);
    }
    check_local(&config.broker)?;
    if config.tcp || !config.unix.is_empty() { Ok(config) } else { Err(Error::NoListener) }
}

/// Memory for which one client more is allowed, where nobody says how many.
const MEMORY_PER_CLIENT: usize = 8192;

/// Settles what depends on the ceiling for all memory, as far as the file does not say it.
fn share_out(broker: &mut Settings, given: &file::Given) {
    let whole = broker.max_memory;
    // Two receivers, or two users, may lag behind in full before the ceiling cuts one.
    broker.max_pending = given.max_pending.unwrap_or(broker.max_pending.min(whole / 2));
    broker.max_memory_per_user = given.max_memory_per_user.unwrap_or(whole / 2);
    broker.max_connections = given.max_connections.unwrap_or(broker.max_connections.min(whole / MEMORY_PER_CLIENT));
}

fn apply(overrides: &Overrides, config: &mut Config, given: &mut file::Given) -> Result<(), Error> {
    let mut credentials = std::mem::take(&mut given.credentials);
    let broker = &mut config.broker;
    let over = overrides.clone();
    broker.host = over.host.unwrap_or_else(|| std::mem::take(&mut broker.host));
    broker.port = over.port.unwrap_or(broker.port);
    broker.server_name = over.name.unwrap_or_else(|| std::mem::take(&mut broker.server_name));
    broker.trace |= over.trace;
    config.debug |= over.debug;
    if let Some(port) = over.http_port {
        if !cfg!(feature = "monitoring") {
            return Err(Error::Absent("monitoring over HTTP", "monitoring"));
        }
        let host = config.monitoring.take().map_or_else(String::new, |monitoring| monitoring.host);
        config.monitoring = Some(Monitoring { host, port });
    }
    if let Some(monitoring) = &mut config.monitoring {
        broker.closed_kept = CLOSED_KEPT;
        if monitoring.host.is_empty() {
            monitoring.host.clone_from(&broker.host);
        }
    }
    config.unix.extend(over.unix);
    config.pid_file = over.pid_file.or(config.pid_file.take());
    config.ports_directory = over.ports_directory.or(config.ports_directory.take());
    config.log_file = over.log_file.or(config.log_file.take());
    if over.user.is_some() || over.password.is_some() || over.token.is_some() {
        credentials = file::Secrets { user: over.user, password: over.password, token: over.token, users: None };
    }
    settle_credentials(broker, credentials, given)
}

/// Decides what clients must prove.
fn settle_credentials(broker: &mut Settings, credentials: file::Secrets, given: &mut file::Given) -> Result<(), Error> {
    if !given.members.is_empty() && credentials.is_single() {
        return Err(Error::Single);
    }
    let users = credentials.users.iter().flatten().chain(&given.members).cloned().collect::<Vec<_>>();
    let others = !users.is_empty() || !broker.accounts.is_empty() || broker.no_auth_user.is_some();
    let operator = std::mem::take(&mut given.operator).finish(others || credentials.is_single());
    if let Some((credentials, accounts)) = operator.map_err(Error::File)? {
        #[cfg(feature = "jwt")]
        if let Credentials::Operator(trust) = &credentials
            && let Some(name) = &trust.system_account
        {
            broker.system_account = std::rc::Rc::clone(name);
        }
        (broker.credentials, broker.accounts) = (credentials, accounts);
        return Ok(());
    }
    if let Some(item) = given.system_account.take()
        && !broker.accounts.iter().any(|known| known.name == broker.system_account)
    {
        let text = format!("system account {:?} is not defined", broker.system_account);
        return Err(Error::File(nats_conf::Error::new(&item.place, text)));
    }
    for (number, user) in users.iter().enumerate() {
        if users.iter().take(number).any(|known| known.name == user.name) {
            return Err(Error::DuplicateUser(user.name.clone()));
        }
    }
    if !users.is_empty() {
        let known = |name: &String| users.iter().any(|user| user.name == *name);
        if let Some(name) = broker.no_auth_user.as_ref().filter(|name| !known(name)) {
            return Err(Error::NoSuchUser(name.clone()));
        }
        broker.credentials = Credentials::Users(users);
        return Ok(());
    }
    if let Some(name) = broker.no_auth_user.take() {
        return Err(Error::NoSuchUser(name));
    }
    broker.credentials = match (credentials.user, credentials.password, credentials.token) {
        (None, None, None) => Credentials::Open,
        (Some(user), Some(password), None) => Credentials::Password { user, password },
        (None, None, Some(token)) => Credentials::Token(token),
        (Some(_) | None, Some(_) | None, Some(_) | None) => return Err(Error::Credentials),
    };
    Ok(())
}

/// Reads certificates and keys.
fn secure(overrides: &Overrides, config: &mut Config, tls: Option<Tls>) -> Result<(), Error> {
    let tls = override_tls(overrides, tls);
    let maps = |tls: &Option<Tls>| tls.as_ref().is_some_and(|tls| tls.map);
    if let Credentials::Users(users) = &config.broker.credentials
        && !maps(&tls)
        && !config.websocket.as_ref().is_some_and(|web| maps(&web.tls))
        && let Some(user) = users.iter().find(|user| user.by_certificate)
    {
        return Err(Error::NoPassword(user.name.clone()));
    }
    let optional = config.allow_non_tls;
    config.acceptor = tls.as_ref().map(transport::acceptor).transpose().map_err(Error::Tls)?;
    config.broker.security = tls.as_ref().zip(config.acceptor.as_ref()).map(|(tls, acceptor)| Security {
        required: !optional,
        available: optional,
        ..security(tls, acceptor)
    });
    let Some(web) = &mut config.websocket else { return Ok(()) };
    if web.told.host.is_empty() {
        web.told.host.clone_from(&config.broker.host);
    }
    config.web_acceptor = web.tls.as_ref().map(transport::acceptor).transpose().map_err(Error::Tls)?;
    web.told.security =
        web.tls.as_ref().zip(config.web_acceptor.as_ref()).map(|(tls, acceptor)| security(tls, acceptor));
    if let Some(name) = web.told.no_auth_user.as_ref().filter(|name| config.broker.user(name).is_none()) {
        return Err(Error::NoSuchUser(name.clone()));
    }
    config.broker.web = Some(web.told.clone());
    Ok(())
}

fn security(tls: &Tls, acceptor: &Acceptor) -> Security {
    let not_after = acceptor.not_after().to_owned();
    Security { required: true, verify: tls.verify, available: false, timeout: tls.timeout, not_after }
}

/// What the command line says about TLS, over what the file says.
fn override_tls(overrides: &Overrides, tls: Option<Tls>) -> Option<Tls> {
    let over = overrides.clone();
    let named = over.tls_certificate.is_some() || over.tls_key.is_some() || over.tls_roots.is_some();
    match (over.tls, tls) {
        (Some(false), _) => None,
        (None, None) if !named && !over.tls_verify => None,
        (None | Some(true), tls) => {
            let mut tls = tls.unwrap_or_default();
            tls.verify |= over.tls_verify;
            tls.cert_file = over.tls_certificate.or(tls.cert_file);
            tls.key_file = over.tls_key.or(tls.key_file);
            tls.ca_file = over.tls_roots.or(tls.ca_file);
            Some(tls)
        }
    }
}

fn check_local(broker: &Settings) -> Result<(), Error> {
    let Some(policy) = &broker.local else { return Ok(()) };
    if broker.no_auth_user.is_some() {
        return Err(Error::DefaultUser);
    }
    let clash = broker.accounts.iter().find(|account| policy.makes_account(&account.name));
    clash.map_or(Ok(()), |account| Err(Error::OwnAccount(account.name.to_string())))
}

/// The path an include means: relative to the file it stands in.
fn beside(file: &str, path: &str) -> PathBuf {
    Path::new(file).parent().unwrap_or_else(|| Path::new("")).join(path)
}
