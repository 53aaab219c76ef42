//! Any text in the place of the operator's word: what is understood is understood again when it was written anew.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_init::overrides::{read, write};

fuzz_target!(|content: &[u8]| {
    let all = read(content);
    assert!(all.len() <= content.len());
    // Names longer than a service may have are not written.
    let kept: Vec<_> = all.into_iter().filter(|one| one.name.len() <= 68).collect();
    assert_eq!(read(&write(&kept)), kept);
});
