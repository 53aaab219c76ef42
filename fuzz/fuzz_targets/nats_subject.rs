//! The index finds exactly what the naive matcher finds, and tokens survive their encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nats_subject::{Cache, Index, decode_token, encode_token, is_subset, is_valid_subscription, matches};

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(decode_token(encode_token(bytes).as_bytes()).as_deref(), Some(bytes));
    let mut parts = bytes.split(|&byte| byte == 0);
    let literal = parts.next().unwrap_or_default();
    let patterns: Vec<&[u8]> = parts.collect();
    let mut index = Index::new(7);
    for (number, pattern) in patterns.iter().enumerate() {
        assert_eq!(index.insert(pattern, None, number).is_ok(), is_valid_subscription(pattern));
    }
    let mut found = Cache::new(4).find(&index, literal).plain().to_vec();
    found.sort_unstable();
    let expected: Vec<usize> = (0..patterns.len())
        .filter(|&number| is_valid_subscription(patterns[number]) && matches(patterns[number], literal))
        .collect();
    assert_eq!(found, expected);
    for pair in patterns.windows(2) {
        if is_subset(pair[0], pair[1]) && matches(pair[0], literal) {
            assert!(matches(pair[1], literal));
        }
    }
});
