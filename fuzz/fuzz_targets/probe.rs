//! Any medium: no panic, bounded ranges, bounded number of them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|image: &[u8]| {
    let mut probe = probe::Probe::new(image.len() as u64);
    let mut wants = 0;
    while let Some(range) = probe.want() {
        assert!(range.length <= probe::WANT_BYTES_MAX);
        let start = usize::try_from(range.offset).unwrap().min(image.len());
        probe.feed(&image[start..image.len().min(start + range.length)]);
        wants += 1;
        assert!(wants <= probe::WANTS_MAX);
    }
});
