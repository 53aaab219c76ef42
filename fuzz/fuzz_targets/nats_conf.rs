//! Any text is read or refused with a place; nothing panics or recurses without bound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nats_conf::{Nothing, parse};

fuzz_target!(|text: &str| {
    if let Err(error) = parse("fuzz.conf", text, &mut Nothing) {
        assert!(error.place.line >= 1 && error.place.column >= 1);
    }
});
