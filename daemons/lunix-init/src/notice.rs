//! What a service says by sd_notify (`man 3 sd_notify`): lines of `NAME=value` in one datagram. Names that mean nothing here are passed over.

use std::time::Duration;

/// Most bytes kept of a status.
const STATUS_MAX: usize = 160;
/// Most bytes of the name of a stored descriptor.
const NAME_MAX: usize = 64;

/// One datagram, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// `READY=1`: it is ready, or has reloaded.
    pub ready: bool,
    /// `RELOADING=1`: it has begun to reload.
    pub reloading: bool,
    /// `STOPPING=1`: it has begun to end.
    pub stopping: bool,
    /// `STATUS=`: a sentence, control characters replaced.
    pub status: Option<String>,
    /// `MAINPID=`: the process that counts from now on.
    pub main_pid: Option<i32>,
    /// `WATCHDOG=1`: it is alive.
    pub alive: bool,
    /// `WATCHDOG=trigger`: treat it as if it were not.
    pub hangs: bool,
    /// `WATCHDOG_USEC=`: how often it will say that it is alive; zero: not at all.
    pub watchdog: Option<Duration>,
    /// `FDSTORE=1`: keep the descriptors that came along.
    pub stores: bool,
    /// `FDSTOREREMOVE=1`: give up those of the name.
    pub forgets: bool,
    /// `FDNAME=`: what the descriptors are called.
    pub name: Option<String>,
}

/// Reads a datagram.
#[must_use]
pub fn parse(datagram: &[u8]) -> Notice {
    let mut notice = Notice::default();
    for line in datagram.split(|&byte| byte == b'\n') {
        let Some(equals) = line.iter().position(|&byte| byte == b'=') else { continue };
        let (name, value) = (line.get(..equals).unwrap_or_default(), line.get(equals + 1..).unwrap_or_default());
        let number = || std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
        match (name, value) {
            (b"READY", b"1") => notice.ready = true,
            (b"RELOADING", b"1") => notice.reloading = true,
            (b"STOPPING", b"1") => notice.stopping = true,
            (b"STATUS", text) => notice.status = Some(shown(text)),
            (b"MAINPID", _) => {
                notice.main_pid = number().and_then(|pid| i32::try_from(pid).ok()).filter(|&pid| pid > 1);
            }
            (b"WATCHDOG", b"1") => notice.alive = true,
            (b"WATCHDOG", b"trigger") => notice.hangs = true,
            (b"WATCHDOG_USEC", _) => notice.watchdog = number().map(Duration::from_micros),
            (b"FDSTORE", b"1") => notice.stores = true,
            (b"FDSTOREREMOVE", b"1") => notice.forgets = true,
            (b"FDNAME", text) => notice.name = descriptor_name(text),
            _ => {}
        }
    }
    notice
}

fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..STATUS_MAX).unwrap_or(text)).into_owned();
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

/// As systemd has it: printable ASCII without a colon.
fn descriptor_name(text: &[u8]) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= NAME_MAX;
    let good = text.iter().all(|&byte| (byte.is_ascii_graphic() || byte == b' ') && byte != b':');
    (fits && good).then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_says_several_things() {
        let notice = parse(b"READY=1\nSTATUS=serving \x1b[1m\nMAINPID=42\nUNKNOWN=1\nWATCHDOG_USEC=1500\nrubbish");
        assert!(notice.ready && !notice.reloading);
        assert_eq!(notice.status.as_deref(), Some("serving ?[1m"));
        assert_eq!((notice.main_pid, notice.watchdog), (Some(42), Some(Duration::from_micros(1500))));
        let store = parse(b"FDSTORE=1\nFDNAME=state");
        assert_eq!((store.stores, store.name.as_deref()), (true, Some("state")));
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        for text in [
            &b"READY=2"[..],
            b"READY",
            b"MAINPID=1",
            b"MAINPID=-5",
            b"MAINPID=x",
            b"FDNAME=a:b",
            b"FDNAME=",
            b"WATCHDOG=2",
            b"",
            b"=",
            b"\n\n",
        ] {
            assert_eq!(parse(text), Notice::default(), "{text:?}");
        }
        assert_eq!(parse(&[b"STATUS=", &[b'x'; 1000][..]].concat()).status.map(|text| text.len()), Some(STATUS_MAX));
    }
}
