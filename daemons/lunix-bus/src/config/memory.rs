//! How much memory the server may hold for its clients when nobody says so.

use std::fs;

/// Never less than this, or a message of the default size could not pass.
const LEAST: usize = 4 << 20;

/// One eighth of the machine's memory, or of the control group's limit if that is less.
pub(super) fn ceiling() -> usize {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_total(&text));
    let group = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| {
            let path = text.lines().find_map(|line| line.strip_prefix("0::"))?.trim_start_matches('/').to_owned();
            fs::read_to_string(format!("/sys/fs/cgroup/{path}/memory.max")).ok()
        })
        .and_then(|text| text.trim().parse::<usize>().ok());
    let total = machine.into_iter().chain(group).min().unwrap_or(64 << 20);
    (total / 8).max(LEAST)
}

/// MemTotal in bytes.
fn mem_total(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_s_memory_is_read() {
        assert_eq!(mem_total("MemFree: 1 kB\nMemTotal:       65536 kB\n"), Some(64 << 20));
        assert_eq!(mem_total("MemTotal: many\n"), None);
        assert!(ceiling() >= LEAST);
    }
}
