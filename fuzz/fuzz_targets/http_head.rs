//! A head ends at the same byte wherever the input is cut, and reads without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_http::{Head, Scanner};

fuzz_target!(|input: (Vec<u8>, usize)| {
    let (bytes, cut) = input;
    let whole = Scanner::new(8192).feed(&bytes);
    let (head, tail) = bytes.split_at(cut % (bytes.len() + 1));
    let mut scanner = Scanner::new(8192);
    let cut = scanner.feed(head).and_then(|end| match end {
        Some(end) => Ok(Some(end)),
        None => Ok(scanner.feed(tail)?.map(|end| end + head.len())),
    });
    assert_eq!(whole, cut);
    if let Ok(Some(end)) = whole
        && let Ok(head) = Head::read(&bytes[..end])
    {
        assert!(head.path().len() + head.query().len() <= head.target.len());
        assert!(head.fields().all(|(name, _)| !name.is_empty()));
    }
});
