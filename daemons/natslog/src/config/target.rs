//! `[[forward]]`: other machines that lines are sent to.

use super::within;
use crate::machine::record::Record;
use interfaces::log::Severity;
use serde::Deserialize;
use std::net::SocketAddr;

/// A machine that lines are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// Where: `udp://IP:PORT`, `tcp://IP:PORT` or `tls://IP:PORT`. Names are not asked for.
    pub to: String,
    /// Only lines at least as bad.
    #[serde(default = "all")]
    pub severity: Severity,
    /// Only lines of these sources, as they stand in subjects; empty: of all.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Bytes of memory for lines that wait, 16 384 to 1 073 741 824.
    #[serde(default = "queue")]
    pub queue_bytes: usize,
    /// Bytes of lines that were sent already and are sent again after a connection broke, since nobody knows what of them has arrived; at most
    /// `queue_bytes`.
    #[serde(default = "resend")]
    pub resend_bytes: usize,
    /// Whom to trust, for TLS: a file of certificates; empty: whom the system trusts.
    #[serde(default)]
    pub ca_file: String,
    /// The name in the target's certificate; empty: its address.
    #[serde(default)]
    pub server_name: String,
}

const fn all() -> Severity {
    Severity::Debug
}

const fn queue() -> usize {
    1024 * 1024
}

const fn resend() -> usize {
    256 * 1024
}

/// How lines travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One datagram each, and nobody knows what arrives.
    Udp,
    /// A stream, with their lengths.
    Tcp,
    /// The same, encrypted.
    Tls,
}

impl Forward {
    /// How lines travel there.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self.to.split_once("://") {
            Some(("udp", _)) => Transport::Udp,
            Some(("tls", _)) => Transport::Tls,
            Some(_) | None => Transport::Tcp,
        }
    }

    /// The address.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn address(&self) -> Result<SocketAddr, String> {
        let address = self.to.split_once("://").filter(|(scheme, _)| ["udp", "tcp", "tls"].contains(scheme));
        address.and_then(|(_, address)| address.parse().ok()).ok_or_else(|| {
            format!("forward.to = {:?}: expected udp://IP:PORT, tcp://IP:PORT or tls://IP:PORT", self.to)
        })
    }

    /// Bytes that are sent again after a break. Of datagrams only the last: it is the one that was refused.
    pub(crate) fn resend(&self) -> usize {
        if self.transport() == Transport::Udp { 0 } else { self.resend_bytes }
    }

    /// Whether a line is meant for it.
    #[must_use]
    pub fn wants(&self, record: &Record<'_>) -> bool {
        record.severity() <= self.severity.number()
            && (self.sources.is_empty() || self.sources.iter().any(|source| source == record.source))
    }

    pub(super) fn check(&self, udp: &[SocketAddr], tcp: &[SocketAddr]) -> Result<(), String> {
        let address = self.address()?;
        within("forward.queue_bytes", self.queue_bytes, 16_384..=1_073_741_824)?;
        within("forward.resend_bytes", self.resend_bytes, 0..=self.queue_bytes)?;
        if self.transport() == Transport::Tls && cfg!(not(feature = "tls")) {
            return Err(format!("forward.to = {:?}: this natslog was built without TLS", self.to));
        }
        if self.transport() != Transport::Tls && !(self.ca_file.is_empty() && self.server_name.is_empty()) {
            return Err(format!("forward.to = {:?}: ca_file and server_name are for tls", self.to));
        }
        let own = if self.transport() == Transport::Udp { udp } else { tcp };
        let is_own = |listened: &SocketAddr| {
            listened.port() == address.port() && (listened.ip() == address.ip() || address.ip().is_loopback())
        };
        if own.iter().any(is_own) {
            return Err(format!("forward.to = {:?}: that is natslog itself", self.to));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn forward(to: &str) -> Forward {
        Forward {
            to: to.to_owned(),
            severity: all(),
            sources: Vec::new(),
            queue_bytes: queue(),
            resend_bytes: resend(),
            ca_file: String::new(),
            server_name: String::new(),
        }
    }

    fn sentence(forward: Forward) -> String {
        let udp = vec!["0.0.0.0:514".parse().unwrap()];
        Config { forward: vec![forward], udp, ..Config::default() }.check().unwrap_err()
    }

    #[test]
    fn targets_are_checked() {
        for to in ["tcp://192.0.2.1:514", "udp://[2001:db8::1]:514", "udp://192.0.2.1:514", "tcp://127.0.0.1:514"] {
            let config =
                Config { forward: vec![forward(to)], udp: vec!["0.0.0.0:514".parse().unwrap()], ..Config::default() };
            assert_eq!(config.check(), Ok(()), "{to}");
        }
        for to in ["tcp://host:514", "relp://192.0.2.1:514", "192.0.2.1:514", "tcp://192.0.2.1", ""] {
            assert!(sentence(forward(to)).ends_with("expected udp://IP:PORT, tcp://IP:PORT or tls://IP:PORT"), "{to}");
        }
        assert_eq!(
            sentence(forward("udp://127.0.0.1:514")),
            "forward.to = \"udp://127.0.0.1:514\": that is natslog itself"
        );
        let few = Forward { queue_bytes: 3, ..forward("tcp://192.0.2.1:514") };
        assert_eq!(sentence(few), "forward.queue_bytes = 3: expected 16384 to 1073741824");
        let much = Forward { resend_bytes: 2 << 20, ..forward("tcp://192.0.2.1:514") };
        assert_eq!(sentence(much), "forward.resend_bytes = 2097152: expected 0 to 1048576");
        let odd = Forward { ca_file: "x".into(), ..forward("tcp://192.0.2.1:514") };
        assert!(sentence(odd).ends_with("ca_file and server_name are for tls"));
    }

    #[test]
    fn lines_are_chosen_by_severity_and_source() {
        let mut target = forward("tcp://192.0.2.1:514");
        let record = Record { source: "web", priority: 30, ..Record::default() };
        assert!(target.wants(&record));
        target.sources = vec!["kernel".into()];
        assert!(!target.wants(&record) && target.wants(&Record { source: "kernel", ..record }));
        target = Forward { severity: Severity::Warning, ..forward("tcp://192.0.2.1:514") };
        assert!(!target.wants(&record) && target.wants(&Record { priority: 28, ..record }));
    }
}
