//! Any bytes where PID 1 left what it knew: no record is made up, what is understood is understood again, and one changed byte always shows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_init::survival::copies::{CONTENT_BYTES, COPY_BYTES, Pair, choose, seal};
use lunix_init::survival::record::{HeldRecord, ServiceRecord, WholeRecord};

fuzz_target!(|bytes: &[u8]| {
    let _ = choose(bytes);
    let whole = bytes;
    let bytes = bytes.get(..CONTENT_BYTES).unwrap_or(bytes);
    if let Some(record) = ServiceRecord::decode(bytes) {
        let again = record.encode().unwrap();
        assert_eq!(ServiceRecord::decode(&again).unwrap(), record);
    }
    if let Some(record) = WholeRecord::decode(bytes) {
        assert_eq!(WholeRecord::decode(&record.encode()).unwrap(), record);
    }
    if let Some(record) = HeldRecord::decode(bytes) {
        assert_eq!(HeldRecord::decode(&record.encode().unwrap()).unwrap(), record);
    }
    // A copy with any byte changed is a bad one, and the other is taken.
    let Some((&[at, high, change], rest)) = whole.split_first_chunk::<3>() else { return };
    let mut content = [0; CONTENT_BYTES];
    content.iter_mut().zip(rest).for_each(|(slot, &byte)| *slot = byte);
    let mut pair = [seal(1, 2, &content), seal(2, 2, &content)].concat();
    let place = usize::from(at) * 256 + usize::from(high);
    if change != 0 && let Some(byte) = pair.get_mut(place) {
        *byte ^= change;
        let Pair::Good { sequence, content: read, .. } = choose(&pair) else { panic!("no copy is left") };
        assert_eq!(sequence, if place < COPY_BYTES { 2 } else { 1 });
        assert_eq!(read, content);
    }
});
