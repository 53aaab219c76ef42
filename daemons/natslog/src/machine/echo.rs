//! Lines that are there only because a line was passed on. Passing them on would make the next one, and so on for ever.

use super::{Arrival, Origin};

/// Bytes of the last such line that the report shows.
const SHOWN_MAX: usize = 200;

/// Counts them.
#[derive(Debug)]
pub(super) struct Echo {
    bus_services: Vec<String>,
    own_pid: u32,
    count: u64,
    last: Vec<u8>,
}

impl Echo {
    pub(super) fn new(bus_services: Vec<String>, own_pid: u32) -> Self {
        Self { bus_services, own_pid, count: 0, last: Vec::new() }
    }

    pub(super) fn configure(&mut self, bus_services: Vec<String>) {
        self.bus_services = bus_services;
    }

    /// Whether this is one: our own output, or a line of the bus about natslog or about a message under `log`. It is counted then.
    pub(super) fn is_one(&mut self, arrival: &Arrival<'_>) -> bool {
        let bytes = &*arrival.bytes;
        let is_one = match &arrival.from {
            Origin::User { pid, .. } => *pid == self.own_pid,
            Origin::Service(name) => self.bus_services.iter().any(|bus| bus == name) && is_about_the_log(bytes),
            Origin::Kernel | Origin::Remote(_) | Origin::Bus | Origin::Own => false,
        };
        if is_one {
            self.count += 1;
            self.last.clear();
            self.last.extend(bytes.iter().take(SHOWN_MAX));
        }
        is_one
    }

    /// What is to be said of them since the last call, if there were any.
    pub(super) fn report(&mut self) -> Option<String> {
        let count = std::mem::take(&mut self.count);
        let last = std::mem::take(&mut self.last);
        (count > 0).then(|| {
            let last = String::from_utf8_lossy(&last);
            format!("lines caused by the log itself are not passed on (count={count}), the last one: {last}")
        })
    }
}

fn is_about_the_log(line: &[u8]) -> bool {
    let mut before = b' ';
    line.iter().enumerate().any(|(at, &byte)| {
        let begins = !(before.is_ascii_alphanumeric() || b"-_.".contains(&before));
        before = byte;
        let rest = line.get(at..).unwrap_or_default();
        begins && (rest.starts_with(b"log.") || rest.starts_with(b"natslog"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_the_log_are_known() {
        for line in [
            &b"[1] 2026/01/31 [TRC] cid:5 - <<- [PUB log.kernel.info 12]"[..],
            b"[ERR] cid:5 - \"natslog\" - Permissions Violation for Publish to \"log.kernel.info\"",
            b"log.in",
            b"natslog",
        ] {
            assert!(is_about_the_log(line), "{}", line.escape_ascii());
        }
        for line in
            [&b"listening on /run/lunix/bus.sock"[..], b"catalog.x", b"/var/log/x", b"syslog. x", b"", b"x.log.y"]
        {
            assert!(!is_about_the_log(line), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn only_the_bus_and_our_own_process_make_them() {
        let mut echo = Echo::new(vec!["bus".into()], 77);
        let from = |from| Arrival { from, bytes: b"natslog is slow"[..].into(), ..Arrival::default() };
        assert!(
            echo.is_one(&from(Origin::Service("bus".into()))) && echo.is_one(&from(Origin::User { uid: 0, pid: 77 }))
        );
        assert!(
            !echo.is_one(&from(Origin::Service("web".into()))) && !echo.is_one(&from(Origin::User { uid: 0, pid: 78 }))
        );
        assert!(!echo.is_one(&from(Origin::Bus)) && !echo.is_one(&from(Origin::Kernel)));
        let report = echo.report().unwrap();
        assert_eq!(report, "lines caused by the log itself are not passed on (count=2), the last one: natslog is slow");
        assert_eq!(echo.report(), None);
    }
}
