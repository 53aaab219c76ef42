//! Any packet: the automaton never disagrees with itself when it is cut, and what it accepts can be read and written again.
#![no_main]

use init_control::{Record, Reply, Request, Scanner, Writer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packet: &[u8]| {
    let mut scanner = Scanner::new();
    let accepted = packet.iter().all(|&byte| scanner.push(byte).is_ok()) && scanner.finish().is_ok();
    let record = Record::parse(packet);
    assert_eq!(accepted, record.is_ok());
    if let Ok(record) = record {
        let mut buffer = vec![0; packet.len() * 8 + 64];
        let mut writer = Writer::new(&mut buffer, record.kind());
        for (key, value) in record.fields() {
            writer = writer.field(key, &value.bytes().collect::<Vec<u8>>());
        }
        let again = Record::parse(writer.finish().unwrap()).unwrap();
        assert_eq!(again.kind(), record.kind());
        assert!(again.fields().map(|(key, value)| (key, value.bytes().collect::<Vec<u8>>())).eq(record
            .fields()
            .map(|(key, value)| (key, value.bytes().collect::<Vec<u8>>()))));
    }
    let _ = Reply::decode(packet);
    if let Ok(request) = Request::decode(packet) {
        let mut buffer = [0; 1024];
        assert_eq!(Request::decode(request.encode(&mut buffer).unwrap()).unwrap(), request);
    }
});
