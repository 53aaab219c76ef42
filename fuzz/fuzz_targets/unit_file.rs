//! Unit files of systemd: any cut says the same, and every value is words or a sentence.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix::convert::syntax::{Item, Reader, What};
use lunix::convert::words::split;

fn told(item: Item<'_>) -> (u32, String) {
    let text = match item.what {
        What::Section(name) => format!("[{name}]"),
        What::Assignment { key, value } => {
            // Whatever the value is, the answer is words or why not.
            drop(split(value));
            format!("{key}={value}")
        }
        What::Wrong(why) => format!("!{why}"),
    };
    (item.line, text)
}

fn read(parts: [&[u8]; 2]) -> Vec<(u32, String)> {
    let (mut reader, mut all) = (Reader::default(), Vec::new());
    for part in parts {
        let mut rest = part;
        while !rest.is_empty() {
            let (used, item) = reader.feed(rest);
            all.extend(item.map(told));
            rest = &rest[used..];
        }
    }
    all.extend(reader.finish().map(told));
    all
}

fuzz_target!(|input: (usize, &[u8])| {
    let (cut, bytes) = input;
    let (head, tail) = bytes.split_at(cut % (bytes.len() + 1));
    assert_eq!(read([head, tail]), read([bytes, b""]));
});
