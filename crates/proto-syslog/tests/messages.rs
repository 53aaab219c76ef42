//! Messages from the standards' own examples and from the world.

use proto_syslog::{Format, Message, Moment, Origin, Reason, Record, Time};

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// A message on one line: format, priority, time, host, program, process, id, structured data, text.
fn line(bytes: &[u8], origin: Origin) -> String {
    let message = Message::parse(bytes, origin);
    let format = match message.format {
        Format::Rfc5424 => "5424".to_owned(),
        Format::Rfc3164 => "3164".to_owned(),
        Format::Raw(reason) => format!("raw({})", reason.text()),
    };
    let time = match message.time {
        None => "-".to_owned(),
        Some(Time::Full(Moment { seconds, micros })) => format!("{seconds}.{micros:06}"),
        Some(Time::Local { month, day, hour, minute, second }) => format!("{month}-{day} {hour}:{minute}:{second}"),
    };
    let process = message.pid.map_or_else(|| text(message.process), |pid| pid.to_string());
    let structured: String = message
        .structured
        .map(|element| {
            let parameters: String = element
                .parameters()
                .map(|parameter| {
                    let value: Vec<u8> = parameter.value.bytes().collect();
                    format!(" {}={}", text(Some(parameter.name)), text(Some(&value)))
                })
                .collect();
            format!("[{}{parameters}]", text(Some(element.id)))
        })
        .collect();
    let (host, program) = (text(message.host), text(message.program));
    let id = text(message.message_id);
    format!(
        "{format} {} {time} {host} {program} {process} {id} {structured}|{}",
        message.priority,
        text(Some(message.text))
    )
}

#[test]
fn rfc5424() {
    let table = [
        (
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8",
            "5424 34 1065910455.003000 mymachine.example.com su - ID47 |'su root' failed for lonvick on /dev/pts/8",
        ),
        (
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
            "5424 165 1061727255.000003 192.0.2.1 myproc 8710 - |%% It's time to make the do-nuts.",
        ),
        (
            "<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\"][x@1] An event",
            "5424 165 1065910455.003000 h evntslog - ID47 [exampleSDID@32473 iut=3 eventSource=Application][x@1]|An event",
        ),
        ("<0>1 - - - - - -", "5424 0 - - - - - |"),
        ("<0>1 - - - - - - ", "5424 0 - - - - - |"),
        ("<13>1 - h a main-4 - - x\r\n", "5424 13 - h a main-4 - |x"),
        (
            r#"<13>1 - - a - - [i a="\"\\\]\n ]b"] two
lines"#,
            "5424 13 - - a - - [i a=\"\\]\\n ]b]|two\nlines",
        ),
        ("<13>1 - - - - - [a b=\"\" b=\"2\"]", "5424 13 - - - - - [a b= b=2]|"),
        ("<13>1 yesterday h a - - - x", "raw(the header is not that of RFC 5424) 13 - - - - - |yesterday h a - - - x"),
        ("<13>1 - h a", "raw(the header is not that of RFC 5424) 13 - - - - - |- h a"),
        (
            "<11>1 - - - - - [a b=\"c] x",
            "raw(the structured data is not well-formed) 11 - - - - - |- - - - - [a b=\"c] x",
        ),
        ("<11>1 - - - - - [a]x", "raw(the structured data is not well-formed) 11 - - - - - |- - - - - [a]x"),
    ];
    for (bytes, expected) in table {
        assert_eq!(line(bytes.as_bytes(), Origin::Network), expected);
    }
}

#[test]
fn rfc3164_and_its_variants() {
    let table = [
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
            "3164 34 10-11 22:14:15 mymachine su - - |'su root' failed",
        ),
        ("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!", "3164 13 2-5 17:32:18 10.0.0.99 - - - |Use the BFG!"),
        ("<165>Aug 24 05:34:00 mymachine myproc[10]: %% It's", "3164 165 8-24 5:34:0 mymachine myproc 10 - |%% It's"),
        ("<0>1990 Oct 22 10:52:01 TZ-6 host tag:x", "3164 0 - - - - - |1990 Oct 22 10:52:01 TZ-6 host tag:x"),
        ("<30>2026-01-31T10:00:00.5+00:00 web nginx: GET /", "3164 30 1769853600.500000 web nginx - - |GET /"),
        ("<189>215: *Mar  1 18:46:11: %SYS-5-CONFIG_I: text", "3164 189 3-1 18:46:11 - %SYS-5-CONFIG_I - - |text"),
        ("<30>Jan 01 2026 00:00:00 fw : %ASA-6-1: x", "3164 30 1-1 0:0:0 fw - - - |: %ASA-6-1: x"),
        ("<86>Oct 11 22:14:15 h sshd[99]: a\nb\r\n", "3164 86 10-11 22:14:15 h sshd 99 - |a\nb"),
        ("<13>hello", "3164 13 - - - - - |hello"),
        ("<13>prog: hello", "3164 13 - - prog - - |hello"),
        ("<13>prog[x-1]: hello", "3164 13 - - prog x-1 - |hello"),
        ("<13>prog:hello", "3164 13 - - prog - - |hello"),
        ("Oct 11 22:14:15 h a: no priority", "3164 13 10-11 22:14:15 h a - - |no priority"),
        ("<>hello", "raw(the priority is no number from 0 to 191) 13 - - - - - |<>hello"),
        ("<192>hello", "raw(the priority is no number from 0 to 191) 13 - - - - - |<192>hello"),
        ("<1234>hello", "raw(the priority is no number from 0 to 191) 13 - - - - - |<1234>hello"),
        ("<13hello", "raw(the priority is no number from 0 to 191) 13 - - - - - |<13hello"),
        ("hello <13>", "raw(no priority) 13 - - - - - |hello <13>"),
        ("", "raw(no priority) 13 - - - - - |"),
    ];
    for (bytes, expected) in table {
        assert_eq!(line(bytes.as_bytes(), Origin::Network), expected);
    }
}

#[test]
fn from_this_machine_there_is_no_host() {
    let table = [
        ("<38>Oct 11 22:14:15 sshd[7]: Accepted", "3164 38 10-11 22:14:15 - sshd 7 - |Accepted"),
        ("<13>Oct 11 22:14:15 root: by logger\0", "3164 13 10-11 22:14:15 - root - - |by logger"),
        ("<14>Oct 11 22:14:15 (systemd)[1]: x", "3164 14 10-11 22:14:15 - (systemd) 1 - |x"),
        ("<13>Oct 11 22:14:15 no tag here", "3164 13 10-11 22:14:15 - - - - |no tag here"),
        ("<13>1 - h a 1 - - logger --rfc5424", "5424 13 - h a 1 - |logger --rfc5424"),
    ];
    for (bytes, expected) in table {
        assert_eq!(line(bytes.as_bytes(), Origin::Local), expected);
    }
}

#[test]
fn every_prefix_of_a_message_is_read_and_nothing_of_it_is_lost() {
    let whole = b"<165>1 2003-10-11T22:14:15.003Z h evntslog 7 ID47 [a@1 b=\"\\\"c\"][d] text of it";
    for len in 0..=whole.len() {
        for origin in [Origin::Local, Origin::Network] {
            let message = Message::parse(&whole[..len], origin);
            if let Format::Raw(Reason::NoPriority | Reason::BadPriority) = message.format {
                assert_eq!(message.text, &whole[..len]);
            }
            assert!(message.priority == 165 || message.priority == 13);
        }
    }
}

#[test]
fn kernel_records() {
    let bytes = b"6,339,5140900,-,caller=T1;NET: Registered PF_INET\\x0a6\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n";
    let record = Record::parse(bytes).unwrap();
    assert_eq!((record.priority, record.sequence, record.micros, record.is_fragment), (6, 339, 5_140_900, false));
    assert_eq!(record.text, b"NET: Registered PF_INET\\x0a6");
    let properties: Vec<_> =
        record.properties.map(|(key, value)| format!("{}={}", text(Some(key)), text(Some(value)))).collect();
    assert_eq!(properties, ["SUBSYSTEM=pci", "DEVICE=+pci:0000:00:01.0"]);
    assert!(
        Record::parse(b"4,1,2,c;part\n").unwrap().is_fragment && Record::parse(b"4,1,2,+;part\n").unwrap().is_fragment
    );
    assert_eq!(Record::parse(b"99999999999,1,2,-;x").map(|record| record.priority).ok(), None);
    assert_eq!(Record::parse(b"3000,1,2,-;x").unwrap().priority, 191);
    for bad in [&b""[..], b"6", b"6,1,2", b"6,1,2,-", b"a,1,2,-;x", b"6,,2,-;x", b"6,1,2,;x"] {
        assert!(Record::parse(bad).is_err(), "{}", bad.escape_ascii());
    }
}
