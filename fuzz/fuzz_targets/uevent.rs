//! Any bytes: no panic, the same result however they are cut, and typed reads that stay within the message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_uevent::{Message, Properties, Scanner, Shape};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = Message::parse(bytes) {
        let properties = message.event().properties;
        assert!(properties.iter().all(|(key, _)| !key.is_empty()));
        let _ = (properties.usb_product(), properties.interface(), properties.device_number(), properties.seqnum());
    }
    let _ = Properties::parse_file(bytes);
    let middle = bytes.len() / 2;
    let mut whole = Scanner::new(Shape::Datagram);
    let mut cut = Scanner::new(Shape::Datagram);
    let one = whole.feed(bytes).and_then(|()| whole.finish());
    let two = cut.feed(&bytes[..middle]).and_then(|()| cut.feed(&bytes[middle..])).and_then(|()| cut.finish());
    assert_eq!(one, two);
});
