//! What the broker is told once and again on reload.

use super::permissions::User;
use super::sharing::AccountSettings;
use crate::local::Policy;
#[cfg(feature = "jwt")]
use crate::operator::Trust;
use std::rc::Rc;
use std::time::Duration;

/// Limits, times and names. Sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// 56 characters beginning with N, drawn at start.
    pub server_id: String,
    /// Name told to clients.
    pub server_name: String,
    /// Address told to clients.
    pub host: String,
    /// Port told to clients.
    pub port: u16,
    /// Headers and payload of one message.
    pub max_payload: usize,
    /// A control line after its verb.
    pub max_control_line: usize,
    /// Clients at the same time.
    pub max_connections: usize,
    /// Subscriptions of one client; 0: no limit.
    pub max_subscriptions: usize,
    /// Bytes that may wait for one client before it is cut as a slow consumer.
    pub max_pending: usize,
    /// Bytes held for all clients together (themselves, waiting output, unfinished input, subscriptions) before the largest holder is cut.
    pub max_memory: usize,
    /// Bytes held for all clients of one user before its largest holder is cut.
    pub max_memory_per_user: usize,
    /// Between two PINGs to a TCP client.
    pub ping_interval: Duration,
    /// Unanswered PINGs before a client is stale.
    pub ping_max: u32,
    /// How long a client may accept no output while some is waiting.
    pub write_deadline: Duration,
    /// How long a client may stay without a good CONNECT where one is needed.
    pub auth_timeout: Duration,
    /// What TCP clients must prove.
    pub credentials: Credentials,
    /// The service that decides who a client is, where there is one.
    pub callout: Option<Rc<Callout>>,
    /// The accounts beside the global one.
    pub accounts: Vec<AccountSettings>,
    /// Name of the account for the system's own subjects; there need not be one.
    pub system_account: Rc<str>,
    /// The hubs to be joined.
    #[cfg(feature = "leaf")]
    pub remotes: Vec<Rc<crate::leaf::Remote>>,
    /// Which of the users a TCP client is that names none.
    pub no_auth_user: Option<String>,
    /// TLS of the clients' listener, where there is.
    pub security: Option<Security>,
    /// The WebSocket listener, where there is.
    pub web: Option<Web>,
    /// Who the clients of this machine are; without it whoever reaches a unix socket may do everything.
    pub local: Option<Rc<Policy>>,
    /// Over which time the clients are sent away before the server ends for others to take over; see [`super::Broker::lame_duck`].
    pub lame_duck_duration: Duration,
    /// How long none is sent away at the beginning of that time.
    pub lame_duck_grace_period: Duration,
    /// Closed connections that are remembered for monitoring.
    pub closed_kept: usize,
    /// Whether operations are told one by one.
    pub trace: bool,
}

/// What is told about the TLS of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// No client goes without.
    pub required: bool,
    /// Clients must show a certificate.
    pub verify: bool,
    /// Clients may choose.
    pub available: bool,
    /// How long a handshake may take.
    pub timeout: Duration,
    /// Until when the own certificate is valid; RFC 3339.
    pub not_after: String,
}

/// What is told about the WebSocket listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// Address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Its TLS, where there is.
    pub security: Option<Security>,
    /// Which of the users somebody is who names none.
    pub no_auth_user: Option<String>,
    /// How long the handshake may take, where somebody said so.
    pub timeout: Option<Duration>,
    /// Address told to others in the place of the own.
    pub advertise: Option<String>,
    /// Without TLS.
    pub no_tls: bool,
    /// Origins are compared with the host asked for.
    pub same_origin: bool,
    /// Origins that are let in; empty: all.
    pub allowed_origins: Vec<String>,
    /// Whether clients may compress.
    pub compression: bool,
}

/// What a TCP client must prove in its CONNECT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    #[default]
    Open,
    /// User and password.
    Password {
        /// User.
        user: String,
        /// Password.
        password: String,
    },
    /// A token.
    Token(String),
    /// The name and password, or the key, of one of these.
    Users(Vec<User>),
    /// A token that somebody trusted vouches for.
    #[cfg(feature = "jwt")]
    Operator(Rc<Trust>),
}

/// A service on the bus that decides who a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout {
    /// Public key that signs its answers and the users in them.
    pub issuer: String,
    /// Users that are let in without it, by name or key: the service itself.
    pub users: Vec<String>,
    /// Name of the account where it listens.
    pub account: Rc<str>,
    /// Public curve key to seal requests for it.
    pub curve_key: Option<String>,
    /// Accounts about whose users it is asked, too, though they are proved already; empty: about all.
    pub allowed_accounts: Vec<Rc<str>>,
}

impl Settings {
    /// The user called `name`, where there are users.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        match &self.credentials {
            Credentials::Users(users) => users.iter().find(|user| user.name == name),
            #[cfg(feature = "jwt")]
            Credentials::Operator(_) => None,
            Credentials::Open | Credentials::Password { .. } | Credentials::Token(_) => None,
        }
    }

    /// True when clients are told something to sign.
    pub(crate) fn has_keys(&self) -> bool {
        match &self.credentials {
            Credentials::Users(users) => users.iter().any(|user| user.by_key),
            #[cfg(feature = "jwt")]
            Credentials::Operator(_) => true,
            Credentials::Open | Credentials::Password { .. } | Credentials::Token(_) => false,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_id: String::new(),
            server_name: String::new(),
            host: "0.0.0.0".into(),
            port: 4222,
            max_payload: 1 << 20,
            max_control_line: 4096,
            max_connections: 65_536,
            max_subscriptions: 0,
            max_pending: 64 << 20,
            max_memory: 256 << 20,
            max_memory_per_user: 128 << 20,
            ping_interval: Duration::from_secs(120),
            ping_max: 2,
            write_deadline: Duration::from_secs(10),
            auth_timeout: Duration::from_secs(2),
            credentials: Credentials::Open,
            callout: None,
            accounts: Vec::new(),
            system_account: "$SYS".into(),
            #[cfg(feature = "leaf")]
            remotes: Vec::new(),
            no_auth_user: None,
            security: None,
            web: None,
            local: None,
            lame_duck_duration: Duration::from_secs(120),
            lame_duck_grace_period: Duration::from_secs(10),
            closed_kept: 0,
            trace: false,
        }
    }
}
