//! Whatever the bytes: no panic, and a cut is never taken for an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_sock_diag::answer;

fuzz_target!(|data: &[u8]| {
    let sequence = data.get(8..12).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes);
    let length = data.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    let whole = answer(data, sequence);
    if let Ok(length) = usize::try_from(length)
        && length > 0
        && length <= data.len()
    {
        assert_eq!(answer(&data[..length], sequence), whole);
        assert_eq!(answer(&data[..length - 1], sequence), None);
    } else {
        assert_eq!(whole, None);
    }
});
