//! What the configuration says of one remote.

use super::url::Url;
use crate::broker::Clause;
use crate::config::{HandshakeFirst, Tls};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// One hub, or several that stand for one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where it is; at least one.
    pub urls: Vec<Url>,
    /// The local account that is linked.
    pub account: Rc<str>,
    /// File with a user's token and seed, read for each connection.
    pub credentials: Option<PathBuf>,
    /// A user's seed.
    pub seed: Option<String>,
    /// TLS is used, whatever the hub says, and so.
    pub tls: Option<Tls>,
    /// Subjects that must not come in from the hub.
    pub deny_imports: Vec<Clause>,
    /// Subjects that must not go out to the hub.
    pub deny_exports: Vec<Clause>,
    /// The addresses are tried in their order.
    pub no_randomize: bool,
    /// How long the hub's INFO may take.
    pub first_info_timeout: Duration,
    /// Between two attempts.
    pub reconnect: Duration,
}

impl Remote {
    /// A remote with the reference's defaults.
    #[must_use]
    pub fn new(urls: Vec<Url>, account: &str) -> Self {
        Self {
            urls,
            account: account.into(),
            credentials: None,
            seed: None,
            tls: None,
            deny_imports: Vec::new(),
            deny_exports: Vec::new(),
            no_randomize: false,
            first_info_timeout: Duration::from_secs(1),
            reconnect: Duration::from_secs(1),
        }
    }

    /// Whether the TLS handshake comes before the hub's INFO.
    #[must_use]
    pub fn is_handshake_first(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.first == HandshakeFirst::Yes)
    }

    /// How long a TLS handshake may take.
    #[must_use]
    pub fn tls_timeout(&self) -> Duration {
        self.tls.as_ref().map_or(Duration::from_secs(2), |tls| tls.timeout)
    }
}
