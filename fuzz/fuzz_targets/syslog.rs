//! Any bytes as a message, a record of the kernel, a stream and the output of a service: no panic, the same result however they are cut,
//! and what is sent on is RFC 5424 again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use natslog::lines::Splitter;
use natslog::machine::record::Record;
use natslog::stream::Messages;
use natslog::{shown, syslog};
use proto_syslog::{Format, Message, Origin};

fn lines(pieces: [&[u8]; 2]) -> Vec<Vec<u8>> {
    let (mut splitter, mut found) = (Splitter::default(), Vec::new());
    let mut each = |line: &[u8], _| found.push(line.to_vec());
    pieces.iter().for_each(|piece| splitter.feed(piece, 16, &mut each));
    splitter.finish(&mut each);
    found
}

fn messages(pieces: [&[u8]; 2]) -> Vec<Vec<u8>> {
    let (mut messages, mut found) = (Messages::new(16), Vec::new());
    let mut each = |message: &[u8], _| found.push(message.to_vec());
    pieces.iter().for_each(|piece| messages.feed(piece, &mut each));
    messages.finish(&mut each);
    found
}

fuzz_target!(|bytes: &[u8]| {
    for origin in [Origin::Local, Origin::Network] {
        let message = Message::parse(bytes, origin);
        let record = Record {
            priority: message.priority,
            source: "fuzz",
            pid: message.pid,
            written: message.time,
            host: message.host.unwrap_or_default(),
            program: message.program.unwrap_or_default(),
            process: message.process.unwrap_or_default(),
            message_id: message.message_id.unwrap_or_default(),
            structured: message.structured.written(),
            text: message.text,
            ..Record::default()
        };
        if bytes.len() <= usize::from(u16::MAX) {
            let piece = record.encode(|parts| parts.concat());
            assert_eq!(Record::decode(&piece), Some(record));
        }
        let _ = shown::line(&record);
        let mut out = Vec::new();
        syslog::write(&record, 1, "here", &mut out);
        assert_eq!(Message::parse(&out, Origin::Network).format, Format::Rfc5424);
    }
    let _ = proto_syslog::Record::parse(bytes).map(|record| record.properties.count());
    let _ = Record::decode(bytes);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    assert_eq!(lines([bytes, b""]), lines([first, second]));
    assert_eq!(messages([bytes, b""]), messages([first, second]));
});
