//! Whatever a peer sends is frames or is refused, and every cut of it is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket::{Decoder, Item};

/// Bytes of messages, and one mark for each other item.
fn read(parts: &[&[u8]], must_mask: bool) -> Result<Vec<u8>, websocket::Error> {
    let mut decoder = Decoder::new(must_mask);
    decoder.allow_compression();
    let mut out = Vec::new();
    for part in parts {
        let mut part = part.to_vec();
        let mut rest = part.as_mut_slice();
        while !rest.is_empty() {
            let (used, item) = decoder.feed(rest)?;
            match item {
                Some(Item::Payload { bytes, last, .. }) => {
                    out.extend_from_slice(bytes);
                    out.extend(last.then_some(b'|'));
                }
                Some(Item::Ping) => out.extend_from_slice(&[b"[", decoder.control(), b"]"].concat()),
                Some(Item::Pong) => out.push(b'.'),
                Some(Item::Close) => return Ok(out),
                None => assert_eq!(used, rest.len()),
            }
            assert!(used > 0);
            rest = rest.get_mut(used..).unwrap();
        }
    }
    Ok(out)
}

fuzz_target!(|input: (Vec<u8>, usize, bool)| {
    let (bytes, cut, must_mask) = input;
    let (head, tail) = bytes.split_at(cut % (bytes.len() + 1));
    assert_eq!(read(&[&bytes], must_mask), read(&[head, tail], must_mask));
});
