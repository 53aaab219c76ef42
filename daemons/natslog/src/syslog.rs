//! A record as a message of RFC 5424.

use crate::machine::record::Record;
use crate::shown;
use std::io::Write as _;

/// The largest `sequenceId` (RFC 5424, 7.3.1).
const SEQUENCE_MAX: u64 = 2_147_483_647;

/// Writes the message, without framing. `host` is this machine's name. The line's number is its `sequenceId`, so that a receiver can
/// recognize a message that it was sent twice; a message that has an element `meta` already keeps its own.
pub fn write(record: &Record<'_>, seq: u64, host: &str, out: &mut Vec<u8>) {
    let written = write!(out, "<{}>1 {} ", record.priority.min(191), shown::time(record));
    // Writing to memory does not fail.
    debug_assert!(written.is_ok());
    let program = if record.program.is_empty() { record.source.as_bytes() } else { record.program };
    word(if record.host.is_empty() { host.as_bytes() } else { record.host }, 255, out);
    word(program, 48, out);
    match record.pid {
        Some(pid) => word(pid.to_string().as_bytes(), 128, out),
        None => word(record.process, 128, out),
    }
    word(record.message_id, 32, out);
    let own = if record.is_kernel { b"" } else { record.structured };
    if !own.windows(6).any(|start| start == b"[meta " || start == b"[meta]") {
        out.extend_from_slice(format!("[meta sequenceId=\"{}\"]", (seq.max(1) - 1) % SEQUENCE_MAX + 1).as_bytes());
    }
    out.extend_from_slice(own);
    if !record.text.is_empty() {
        out.push(b' ');
        out.extend_from_slice(record.text);
    }
}

/// A field of the header and a blank: visible ASCII, of limited length; `-` when there is nothing.
fn word(bytes: &[u8], max: usize, out: &mut Vec<u8>) {
    let shown = |byte: &u8| if byte.is_ascii_graphic() { *byte } else { b'?' };
    out.extend(bytes.iter().take(max).map(shown));
    out.extend_from_slice(if bytes.is_empty() { b"- " } else { b" " });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto_syslog::{Format, Message, Origin};

    fn record() -> Record<'static> {
        Record {
            wall_us: 1_769_903_999_123_456,
            source: "user-1000",
            priority: 30,
            text: b"hello",
            ..Record::default()
        }
    }

    fn written(record: &Record<'_>) -> String {
        let mut out = Vec::new();
        write(record, 7, "here", &mut out);
        assert_eq!(Message::parse(&out, Origin::Network).format, Format::Rfc5424, "{}", out.escape_ascii());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_missing_is_a_dash_and_the_source_stands_for_the_program() {
        let expected = "<30>1 2026-01-31T23:59:59.123Z here user-1000 - - [meta sequenceId=\"7\"] hello";
        assert_eq!(written(&record()), expected);
        let full = Record {
            program: b"su",
            pid: Some(7),
            host: b"there",
            message_id: b"ID",
            structured: b"[a@1 b=\"c\"]",
            ..record()
        };
        let expected = "<30>1 2026-01-31T23:59:59.123Z there su 7 ID [meta sequenceId=\"7\"][a@1 b=\"c\"] hello";
        assert_eq!(written(&full), expected);
    }

    #[test]
    fn nothing_breaks_the_header() {
        let odd = Record { program: b"a b\n", host: &[b'h'; 300], process: b"\xff", text: b"two\nlines", ..record() };
        let text = written(&odd);
        assert!(text.contains(&format!(" {} a?b? ? - [", "h".repeat(255))) && text.ends_with(" two\nlines"), "{text}");
        assert!(
            written(&Record { structured: b"[meta sequenceId=\"1\"]", ..record() })
                .contains(" [meta sequenceId=\"1\"] ")
        );
        let kernel = Record { is_kernel: true, structured: b" SUBSYSTEM=usb\n", ..record() };
        assert!(written(&kernel).ends_with("[meta sequenceId=\"7\"] hello"));
    }
}
