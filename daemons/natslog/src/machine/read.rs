//! From what arrived to a record: each origin has a format of its own.

use super::record::{Raw, Record};
use super::{Arrival, Origin};
use interfaces::log::{Entry, Severity};
use interfaces::{Argument, argument::Malformed};
use proto_syslog::{FACILITIES, Format, Message, Origin as Sender, Reason};

/// Facility user, severity notice.
const PRIORITY_USER: u8 = 13;
/// Facility daemon, severity info.
const PRIORITY_DAEMON: u8 = 30;
/// Facility kern, severity warning: the kernel's own default.
const PRIORITY_KERNEL: u8 = 4;

/// What lunix's own programs write in front of their lines, after the name, and the severity it stands for.
const LEVELS: [(&[u8], u8); 4] = [(b"error", 3), (b"warn", 4), (b"info", 6), (b"debug", 7)];

/// The record of a message from a program or another machine.
pub(super) fn message<'a>(bytes: &'a [u8], arrival: &Arrival<'_>, source: &'a str) -> Record<'a> {
    let (sender, uid, kernel_pid) = match arrival.from {
        Origin::User { uid, pid } => (Sender::Local, Some(uid), Some(pid).filter(|pid| *pid != 0)),
        Origin::Remote(_) => (Sender::Network, None, None),
        Origin::Kernel | Origin::Service(_) | Origin::Bus | Origin::Own => (Sender::Local, None, None),
    };
    let message = Message::parse(bytes, sender);
    let raw = match message.format {
        Format::Rfc5424 | Format::Rfc3164 => arrival.raw(),
        Format::Raw(reason) => of(reason),
    };
    Record {
        priority: message.priority,
        raw,
        uid,
        pid: kernel_pid.or(message.pid),
        written: message.time,
        host: message.host.unwrap_or_default(),
        program: message.program.unwrap_or_default(),
        process: message.process.unwrap_or_default(),
        message_id: message.message_id.unwrap_or_default(),
        structured: message.structured.written(),
        text: message.text,
        ..begin(arrival, source)
    }
}

const fn of(reason: Reason) -> Raw {
    match reason {
        Reason::NoPriority => Raw::NoPriority,
        Reason::BadPriority => Raw::BadPriority,
        Reason::BadHeader => Raw::BadHeader,
        Reason::BadStructuredData => Raw::BadStructuredData,
    }
}

/// The record of a line that a service has written: text, which may have a priority in front as syslog and systemd know it, or the name and
/// level that lunix's own programs write.
pub(super) fn service<'a>(line: &'a [u8], arrival: &Arrival<'_>, source: &'a str) -> Record<'a> {
    let blank = Record { priority: PRIORITY_DAEMON, raw: arrival.raw(), text: line, ..begin(arrival, source) };
    if let Some((severity, text)) = systemd_prefix(line) {
        return Record { priority: (PRIORITY_DAEMON & !7) | severity, text, ..blank };
    }
    if line.first() == Some(&b'<') {
        let record = message(line, arrival, source);
        if matches!(record.raw, Raw::No | Raw::GoesOn | Raw::Cut) {
            return record;
        }
    }
    match leveled(line) {
        Some((program, severity, text)) => {
            Record { priority: (PRIORITY_DAEMON & !7) | severity, program, text, ..blank }
        }
        None => blank,
    }
}

/// `<4>text`: a severity alone (`man 3 sd-daemon`).
fn systemd_prefix(line: &[u8]) -> Option<(u8, &[u8])> {
    match line {
        [b'<', severity @ b'0'..=b'7', b'>', text @ ..] => Some((severity - b'0', text)),
        _ => None,
    }
}

/// `natsdev: warn: uevent dropped`.
fn leveled(line: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let name_end = line.iter().position(|&byte| !(byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)))?;
    let (program, rest) = line.split_at_checked(name_end).filter(|(program, _)| !program.is_empty())?;
    let rest = rest.strip_prefix(b": ")?;
    LEVELS.iter().find_map(|&(word, severity)| {
        let text = rest.strip_prefix(word)?.strip_prefix(b": ")?;
        Some((program, severity, text))
    })
}

/// The record of what one read of `/dev/kmsg` gave. What programs wrote there has a facility of theirs, and mostly their name in front.
pub(super) fn kernel<'a>(record: &proto_syslog::Record<'a>, arrival: &Arrival<'_>, source: &'a str) -> Record<'a> {
    let ago_us = arrival.monotonic_us.saturating_sub(record.micros);
    let blank = Record {
        priority: record.priority,
        wall_us: arrival.wall_us.saturating_sub(ago_us),
        monotonic_us: record.micros,
        is_kernel: true,
        structured: record.properties.written(),
        text: record.text,
        ..begin(arrival, source)
    };
    if record.priority < 8 {
        return blank;
    }
    match leveled(record.text) {
        Some((program, severity, text)) => {
            Record { priority: (record.priority & !7) | severity, program, text, ..blank }
        }
        None => blank,
    }
}

/// The record of bytes from `/dev/kmsg` that are no record.
pub(super) fn no_record<'a>(bytes: &'a [u8], arrival: &Arrival<'_>, source: &'a str) -> Record<'a> {
    Record { priority: PRIORITY_KERNEL, raw: Raw::NoRecord, text: bytes, ..begin(arrival, source) }
}

/// An entry from the bus, with memory of its own.
pub(super) struct Sent {
    priority: u8,
    pid: Option<u32>,
    program: String,
    message: Vec<u8>,
    raw: Raw,
}

impl Sent {
    /// Reads what was sent to `log.in`. What is no entry is text.
    pub(super) fn read(payload: &[u8]) -> Self {
        let raw = |raw| Self {
            priority: PRIORITY_USER,
            pid: None,
            program: String::new(),
            message: payload.strip_suffix(b"\n").unwrap_or(payload).to_vec(),
            raw,
        };
        match Argument::parse(payload) {
            Ok(Argument::None) => Self { message: Vec::new(), ..raw(Raw::No) },
            Ok(Argument::Text(text)) => Self { message: text.into_owned().into_bytes(), ..raw(Raw::No) },
            // What is not UTF-8 is plain text of another kind.
            Err(Malformed::NotText) => raw(Raw::No),
            Ok(Argument::Object(_)) => Self::entry(payload).unwrap_or_else(|| raw(Raw::BadEntry)),
            Err(Malformed::Json(_) | Malformed::Field { .. }) => raw(Raw::BadEntry),
        }
    }

    fn entry(payload: &[u8]) -> Option<Self> {
        let entry: Entry<'_> = serde_json::from_slice(payload).ok()?;
        // The kernel's facility is the kernel's.
        let facility = match entry.facility.as_deref() {
            None => 1,
            Some(name) => (0_u8..).zip(FACILITIES).skip(1).find(|(_, known)| *known == name)?.0,
        };
        let severity = entry.severity.unwrap_or(Severity::Notice).number();
        Some(Self {
            priority: (facility << 3) | severity,
            pid: entry.pid,
            program: entry.program.unwrap_or_default().into_owned(),
            message: entry.message.into_owned().into_bytes(),
            raw: Raw::No,
        })
    }

    pub(super) fn record<'a>(&'a self, arrival: &Arrival<'_>, source: &'a str) -> Record<'a> {
        let raw = if self.raw == Raw::No { arrival.raw() } else { self.raw };
        Record {
            priority: self.priority,
            raw,
            pid: self.pid,
            program: self.program.as_bytes(),
            text: &self.message,
            ..begin(arrival, source)
        }
    }
}

/// What every record of the arrival has.
pub(super) fn begin<'a>(arrival: &Arrival<'_>, source: &'a str) -> Record<'a> {
    Record { wall_us: arrival.wall_us, monotonic_us: arrival.monotonic_us, source, ..Record::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival() -> Arrival<'static> {
        Arrival {
            from: Origin::Service("web".into()),
            wall_us: 1,
            monotonic_us: 2,
            cut: super::super::Cut::No,
            bytes: b""[..].into(),
        }
    }

    #[test]
    fn lines_of_services() {
        type Case = (&'static [u8], u8, &'static [u8], &'static [u8]);
        let table: [Case; 9] = [
            (b"plain text", 30, b"", b"plain text"),
            (b"natsdev: warn: uevent dropped", 28, b"natsdev", b"uevent dropped"),
            (b"lunix-bus: error: no", 27, b"lunix-bus", b"no"),
            (b"a: warning: b", 30, b"", b"a: warning: b"),
            (b": warn: b", 30, b"", b": warn: b"),
            (b"<3>broken", 27, b"", b"broken"),
            (b"<38>sshd[7]: hello", 38, b"sshd", b"hello"),
            (b"<html>", 30, b"", b"<html>"),
            (b"", 30, b"", b""),
        ];
        for (line, priority, program, text) in table {
            let record = service(line, &arrival(), "web");
            assert_eq!((record.priority, record.program, record.text), (priority, program, text));
            assert_eq!(record.raw, Raw::No, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn entries_of_the_bus() {
        let arrival = arrival();
        let read = |payload: &[u8]| {
            let sent = Sent::read(payload);
            let record = sent.record(&arrival, "bus");
            (record.priority, record.raw, String::from_utf8_lossy(record.text).into_owned(), record.pid)
        };
        assert_eq!(read(b"hello\n"), (13, Raw::No, "hello".into(), None));
        assert_eq!(read(b"\"hello\""), (13, Raw::No, "hello".into(), None));
        assert_eq!(
            read(br#"{"message":"x","severity":"err","facility":"cron","pid":3}"#),
            (75, Raw::No, "x".into(), Some(3))
        );
        for bad in [r#"{"message":1}"#, r#"{"text":"x"}"#, r#"{"message":"x","facility":"kern"}"#, r#"{"message"#] {
            assert_eq!(read(bad.as_bytes()), (13, Raw::BadEntry, bad.into(), None));
        }
        assert_eq!(read(b"\xff").1, Raw::No);
    }
}
