//! Any datagram of sd_notify: what is kept of it is bounded and fit to be shown, and the order of unlike lines does not matter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_init::notice::parse;

fuzz_target!(|datagram: &[u8]| {
    let notice = parse(datagram);
    assert!(notice.main_pid.is_none_or(|pid| pid > 1));
    for text in [&notice.status, &notice.name].into_iter().flatten() {
        assert!(text.len() <= 3 * 160 && !text.chars().any(char::is_control), "{text:?}");
    }
    assert!(notice.name.as_ref().is_none_or(|name| !name.is_empty() && name.is_ascii() && !name.contains(':')));
    // Said twice is said once.
    assert_eq!(parse(&[datagram, b"\n", datagram].concat()), notice);
});
