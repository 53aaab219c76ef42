//! Whatever the bytes: no panic, and a cut never reads more than the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_proc::{Event, Stat, arguments, events};

fuzz_target!(|data: &[u8]| {
    let whole = events(data).filter(|event| *event != Event::Other).count();
    assert!(events(&data[..data.len() / 2]).filter(|event| *event != Event::Other).count() <= whole);
    if let Some(stat) = Stat::parse(data) {
        assert!(stat.comm.len() <= data.len());
    }
    assert!(arguments(data).map(<[u8]>::len).sum::<usize>() <= data.len());
});
