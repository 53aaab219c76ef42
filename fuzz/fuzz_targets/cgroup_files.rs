//! Any bytes as a setting of a cgroup, as a `pressure`, and as what the kernel tells: never more is read than stands there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_init::cgroup::counters::{keyed, process, single, status, transferred, waited};
use lunix_init::cgroup::{name, oom_score, setting, trigger};

const FILES: [&str; 11] = [
    "memory.max",
    "pids.max",
    "cpu.weight",
    "cpu.weight.nice",
    "cpu.max",
    "cpu.uclamp.min",
    "cpuset.cpus",
    "io.max",
    "io.weight",
    "io.latency",
    "hugetlb.2MB.max",
];

fuzz_target!(|bytes: &[u8]| {
    for file in FILES {
        let verdict = setting::check(file, bytes);
        // Blanks around it and a line end say nothing.
        assert_eq!(verdict, setting::check(file, &[b"\n ", bytes, b"\n"].concat()), "{file}");
        // What is taken is text that the kernel is shown line by line.
        assert!(verdict.is_err() || bytes.is_ascii(), "{file}");
    }
    if let Ok(all) = trigger::parse(bytes) {
        for one in &all {
            let words = one.to_string().replace(" ms in ", " ").replace(" ms", "");
            assert_eq!(trigger::parse(words.as_bytes()).unwrap(), [*one]);
        }
    }
    if let Ok(score) = oom_score::parse(bytes) {
        assert_eq!(oom_score::parse(score.to_string().as_bytes()), Ok(score));
    }
    if let Some(number) = single(bytes) {
        assert_eq!(std::str::from_utf8(bytes).unwrap().trim().parse(), Ok(number));
    }
    let text = String::from_utf8_lossy(bytes);
    let by_words = text.split('\n').find_map(|line| match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        ["oom_kill", digits] if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    });
    assert!(keyed(bytes, "oom_kill").is_none_or(|number: u64| by_words == Some(number)));
    let _ = (transferred(bytes), waited(bytes), process(bytes), status(bytes, "VmRSS"));
    if let Ok(service) = std::str::from_utf8(bytes) {
        let group = name::of(service);
        assert!(!group.contains(['.', '/', '\n', '\0']) && (service.is_empty() || group.len() >= service.len()));
    }
});
