//! A record as others see it: as JSON on the bus, as a line of a file.

use crate::machine::record::Record;
use interfaces::Text;
use interfaces::log::{Element, Line, Parameter, Severity};
use interfaces::time::rfc3339;
use proto_syslog::{Elements, FACILITIES, Properties, Time};
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Facilities of which only root and the group adm may read, wherever they come from: auth and authpriv.
const AUTH: [u8; 2] = [4, 10];

/// What `raw` says of text that is not UTF-8.
const NOT_UTF8: &str = "not UTF-8: other bytes are written as \\xHH";

/// The subject of its event.
#[must_use]
pub fn subject(record: &Record<'_>) -> String {
    let source = if AUTH.contains(&record.facility()) { "auth" } else { record.source };
    format!("log.{source}.{}", Severity::of(record.priority).name())
}

/// When it arrived: RFC 3339.
#[must_use]
pub fn time(record: &Record<'_>) -> String {
    rfc3339(UNIX_EPOCH + Duration::from_micros(record.wall_us))
}

/// The payload of its event.
#[must_use]
pub fn line<'a>(record: &Record<'a>) -> Line<'a> {
    let mut is_clean = true;
    let mut text = |bytes: &'a [u8]| text(bytes, &mut is_clean);
    let message = text(record.text);
    let [program, host, message_id, process] = [record.program, record.host, record.message_id, record.process]
        .map(|field| (!field.is_empty()).then(|| text(field)));
    let structured = structured(record, &mut is_clean);
    Line {
        source: record.source.into(),
        severity: Severity::of(record.priority),
        facility: facility(record.facility()),
        message,
        program,
        pid: record.pid,
        uid: record.uid,
        host,
        monotonic_us: record.monotonic_us,
        written: record.written.map(|written| self::written(written).into()),
        message_id,
        process,
        structured,
        raw: reason(record.raw.text(), is_clean),
    }
}

fn reason(raw: &'static str, is_clean: bool) -> Option<Text<'static>> {
    match (raw, is_clean) {
        ("", true) => None,
        ("", false) => Some(NOT_UTF8.into()),
        (raw, true) => Some(raw.into()),
        (raw, false) => Some(format!("{raw}; {NOT_UTF8}").into()),
    }
}

/// The word of a facility; beyond those that have one, its number.
#[must_use]
pub fn facility(number: u8) -> Text<'static> {
    FACILITIES.get(usize::from(number)).map_or_else(|| number.to_string().into(), |&name| name.into())
}

fn structured<'a>(record: &Record<'a>, is_clean: &mut bool) -> Vec<Element<'a>> {
    if record.structured.is_empty() {
        return Vec::new();
    }
    if record.is_kernel {
        let parameters = Properties::new(record.structured)
            .map(|(name, value)| Parameter { name: text(name, is_clean), value: text(value, is_clean) });
        return vec![Element { id: "kernel".into(), parameters: parameters.collect() }];
    }
    let elements = Elements::parse(record.structured).into_iter().flatten();
    let mut element = |element: proto_syslog::Element<'a>| {
        let parameters = element.parameters().map(|parameter| {
            let value: Vec<u8> = parameter.value.bytes().collect();
            Parameter { name: text(parameter.name, is_clean), value: text(&value, is_clean).into_owned().into() }
        });
        let parameters = parameters.collect();
        Element { id: text(element.id, is_clean), parameters }
    };
    elements.map(&mut element).collect()
}

/// Bytes as text. What is not UTF-8 is escaped, and then every backslash is, too, so that nothing is lost.
fn text<'a>(bytes: &'a [u8], is_clean: &mut bool) -> Text<'a> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            *is_clean = false;
            escaped(bytes).into()
        }
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

/// When a message was written, as it says.
#[must_use]
pub fn written(time: Time) -> String {
    match time {
        Time::Full(moment) => {
            let seconds = u64::try_from(moment.seconds).unwrap_or_default();
            let text = rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
            format!("{}.{:06}Z", text.strip_suffix(".000Z").unwrap_or(&text), moment.micros)
        }
        Time::Local { month, day, hour, minute, second } => {
            let month = MONTHS.get(usize::from(month).saturating_sub(1)).copied().unwrap_or("Jan");
            format!("{month} {day:2} {hour:02}:{minute:02}:{second:02}")
        }
    }
}

/// The record as one line of text, without its end: time, source, severity, program and message.
pub fn plain(record: &Record<'_>, out: &mut String) {
    out.push_str(&time(record));
    let severity = Severity::of(record.priority).name();
    // Writing to a string does not fail.
    let _ = write!(out, " {} {}.{severity} ", record.source, facility(record.facility()));
    let mut is_clean = true;
    if !record.host.is_empty() {
        one_line(&text(record.host, &mut is_clean), out);
        out.push(' ');
    }
    if !record.program.is_empty() {
        one_line(&text(record.program, &mut is_clean), out);
        if let Some(pid) = record.pid {
            let _ = write!(out, "[{pid}]");
        }
        out.push_str(": ");
    }
    if !record.structured.is_empty() && !record.is_kernel {
        one_line(&text(record.structured, &mut is_clean), out);
        out.push(' ');
    }
    one_line(&text(record.text, &mut is_clean), out);
    if let Some(reason) = reason(record.raw.text(), is_clean) {
        let _ = write!(out, " (raw: {reason})");
    }
}

/// Control characters never reach a terminal or begin a line.
fn one_line(text: &str, out: &mut String) {
    if !text.chars().any(char::is_control) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(c),
            c if c.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line as line_of;
    use super::*;
    use crate::machine::record::Raw;
    use proto_syslog::Moment;

    fn record() -> Record<'static> {
        Record {
            wall_us: 1_769_903_999_123_456,
            source: "user-1000",
            priority: 30,
            text: b"hello",
            ..Record::default()
        }
    }

    #[test]
    fn auth_has_a_subject_of_its_own() {
        assert_eq!(subject(&record()), "log.user-1000.info");
        assert_eq!(subject(&Record { priority: 4 * 8 + 3, ..record() }), "log.auth.err");
        assert_eq!(subject(&Record { priority: 10 * 8, ..record() }), "log.auth.emerg");
    }

    #[test]
    fn what_is_not_utf8_is_escaped_reversibly_and_said() {
        let line = |text: &'static [u8]| line_of(&Record { text, raw: Raw::Cut, ..record() });
        assert_eq!(
            (line(b"a\\b").message.as_ref(), line(b"a\\b").raw.unwrap().as_ref()),
            ("a\\b", "too long: the rest is gone")
        );
        let odd = line(b"a\\b\xff\xc3\xa9");
        assert_eq!(odd.message, "a\\\\b\\xFF\u{e9}");
        assert_eq!(odd.raw.unwrap(), format!("too long: the rest is gone; {NOT_UTF8}"));
    }

    #[test]
    fn structured_data_is_whole() {
        let record = Record { structured: br#"[a x="1" x="q\"\]\\"][b@1]"#, ..record() };
        let json = serde_json::to_string(&line(&record).structured).unwrap();
        let expected = r#"[{"id":"a","parameters":[{"name":"x","value":"1"},{"name":"x","value":"q\"]\\"}]},{"id":"b@1","parameters":[]}]"#;
        assert_eq!(json, expected);
        let kernel = Record { is_kernel: true, structured: b" SUBSYSTEM=usb\n DEVICE=+usb:1-2\n", ..record };
        let elements = line(&kernel).structured;
        assert_eq!((elements[0].id.as_ref(), elements[0].parameters[1].value.as_ref()), ("kernel", "+usb:1-2"));
    }

    #[test]
    fn times_as_written() {
        assert_eq!(written(Time::Full(Moment { seconds: 1_065_910_455, micros: 3000 })), "2003-10-11T22:14:15.003000Z");
        assert_eq!(written(Time::Local { month: 2, day: 3, hour: 4, minute: 5, second: 6 }), "Feb  3 04:05:06");
    }

    #[test]
    fn a_plain_line_is_one_line() {
        let mut text = String::new();
        let record = Record { program: b"su", pid: Some(7), text: b"one\ntwo\x1b[0m", ..record() };
        plain(&record, &mut text);
        assert_eq!(text, "2026-01-31T23:59:59.123Z user-1000 daemon.info su[7]: one\\ntwo\\x1B[0m");
    }
}
