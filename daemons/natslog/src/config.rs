//! `/etc/lunix/natslog.toml`.

mod target;

use crate::machine::{Limit, Settings};
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
pub use target::{Forward, Transport};

/// The configuration; every key may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Bytes of memory for the newest lines, 32 768 to 1 073 741 824.
    pub ring_bytes: usize,
    /// Bytes of a line, 480 to 32 768, and at most a quarter of the ring; the rest of a longer message is cut off, that of a service's line
    /// becomes the next line.
    pub line_max: usize,
    /// Lines a second that one source may send for long, 0 to 1 000 000; 0: as many as it likes.
    pub lines_per_s: u32,
    /// Lines that one source may send at once, 1 to 10 000 000.
    pub burst_lines: u32,
    /// Unix sockets for syslog(3): `dgram:PATH` or `stream:PATH`, at most 16.
    pub unix: Vec<String>,
    /// Addresses for syslog over UDP, at most 16.
    pub udp: Vec<SocketAddr>,
    /// Addresses for syslog over TCP, at most 16.
    pub tcp: Vec<SocketAddr>,
    /// Connections, of unix sockets and TCP, that may be open at a time, 1 to 512.
    pub connections_max: usize,
    /// The kernel's log; empty: none.
    pub kmsg: String,
    /// Services that write a line for messages they pass on: what they say of the log is counted and not passed on.
    pub bus_services: Vec<String>,
    /// Files that lines are kept in.
    pub files: Files,
    /// Other machines that lines are sent to, at most 8.
    pub forward: Vec<Forward>,
}

/// Files that lines are kept in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Where they are; empty: there are none.
    pub directory: String,
    /// Bytes that all of them may take, at least 65 536.
    pub bytes_max: u64,
    /// Whether they are compressed.
    pub compress: bool,
    /// Seconds within which a line is safely on the disk, 1 to 3600.
    pub flush_after_s: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self { directory: String::new(), bytes_max: 4 * 1024 * 1024, compress: true, flush_after_s: 5 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring_bytes: 256 * 1024,
            line_max: 8192,
            lines_per_s: 1000,
            burst_lines: 10_000,
            unix: vec!["dgram:/dev/log".to_owned()],
            udp: Vec::new(),
            tcp: Vec::new(),
            connections_max: 64,
            kmsg: "/dev/kmsg".to_owned(),
            bus_services: vec!["bus".to_owned(), "lunix-bus".to_owned()],
            files: Files::default(),
            forward: Vec::new(),
        }
    }
}

/// Most targets.
const FORWARD_MAX: usize = 8;

/// Most sockets of a kind.
const SOCKETS_MAX: usize = 16;

impl Config {
    /// Checks the bounds.
    ///
    /// # Errors
    /// A sentence that names the key and what was expected.
    pub fn check(&self) -> Result<(), String> {
        within("ring_bytes", self.ring_bytes, 32_768..=1_073_741_824)?;
        within("line_max", self.line_max, 480..=32_768.min(self.ring_bytes / 4))?;
        within("lines_per_s", self.lines_per_s, 0..=1_000_000)?;
        within("burst_lines", self.burst_lines, 1..=10_000_000)?;
        within("connections_max", self.connections_max, 1..=512)?;
        within("files.bytes_max", self.files.bytes_max, 65_536..=u64::MAX)?;
        within("files.flush_after_s", self.files.flush_after_s, 1..=3600)?;
        if self.forward.len() > FORWARD_MAX {
            return Err(format!("forward: expected at most {FORWARD_MAX} targets"));
        }
        for target in &self.forward {
            target.check(&self.udp, &self.tcp)?;
        }
        for (key, count) in [("unix", self.unix.len()), ("udp", self.udp.len()), ("tcp", self.tcp.len())] {
            if count > SOCKETS_MAX {
                return Err(format!("{key}: expected at most {SOCKETS_MAX} addresses"));
            }
        }
        for address in &self.unix {
            unix_address(address)?;
        }
        Ok(())
    }

    /// What the machine is to know of it.
    #[must_use]
    pub fn settings(&self, own_pid: u32) -> Settings {
        Settings {
            ring_bytes: self.ring_bytes,
            limit: Limit { lines_per_s: self.lines_per_s, burst_lines: self.burst_lines },
            bus_services: self.bus_services.clone(),
            own_pid,
        }
    }
}

/// Whether a unix socket is of type stream, and its path.
///
/// # Errors
/// A sentence that says what was expected.
pub fn unix_address(address: &str) -> Result<(bool, &str), String> {
    let stream = address.strip_prefix("stream:").map(|path| (true, path));
    let found = stream.or_else(|| address.strip_prefix("dgram:").map(|path| (false, path)));
    found
        .filter(|(_, path)| path.starts_with('/'))
        .ok_or_else(|| format!("unix = {address:?}: expected dgram:PATH or stream:PATH with a path that begins with /"))
}

pub(crate) fn within<N: PartialOrd + std::fmt::Display>(
    key: &str,
    value: N,
    bounds: RangeInclusive<N>,
) -> Result<(), String> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(format!("{key} = {value}: expected {} to {}", bounds.start(), bounds.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_and_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let sentence = |config: Config| config.check().unwrap_err();
        let base = Config::default;
        assert_eq!(sentence(Config { ring_bytes: 3, ..base() }), "ring_bytes = 3: expected 32768 to 1073741824");
        let small = Config { ring_bytes: 32_768, line_max: 8193, ..base() };
        assert_eq!(sentence(small), "line_max = 8193: expected 480 to 8192");
        assert_eq!(sentence(Config { burst_lines: 0, ..base() }), "burst_lines = 0: expected 1 to 10000000");
        assert_eq!(sentence(Config { connections_max: 0, ..base() }), "connections_max = 0: expected 1 to 512");
        let many = vec!["0.0.0.0:514".parse().unwrap(); 17];
        assert_eq!(sentence(Config { udp: many, ..base() }), "udp: expected at most 16 addresses");
        let odd = "unix = \"/dev/log\": expected dgram:PATH or stream:PATH with a path that begins with /";
        assert_eq!(sentence(Config { unix: vec!["/dev/log".into()], ..base() }), odd);
    }

    #[test]
    fn unix_addresses() {
        assert_eq!(unix_address("dgram:/dev/log"), Ok((false, "/dev/log")));
        assert_eq!(unix_address("stream:/a:b"), Ok((true, "/a:b")));
        assert!(unix_address("stream:log").is_err());
    }
}
