//! Any pattern and text: no panic, and `*pattern*` matches wherever the pattern does. Any modprobe.d and command line: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (pattern, text) = input;
    if modules::matches(pattern, text) && !pattern.ends_with('\\') && !pattern.contains('[') {
        assert!(modules::matches(&format!("*{pattern}*"), &format!("a{text}b")));
    }
    let mut policy = modules::Policy::default();
    policy.add_file(pattern, "fuzz");
    policy.add_command_line(text);
});
