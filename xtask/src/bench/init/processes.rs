//! What the kernel tells of processes (`man 5 proc`).

use crate::failure::{Context, Result};
use std::collections::BTreeMap;

/// All processes below `root`, with it, by the program each executes.
pub fn tree(root: u32) -> BTreeMap<u32, String> {
    let mut all = BTreeMap::new();
    let mut ahead = vec![root];
    while let Some(pid) = ahead.pop() {
        let Ok(program) = std::fs::read_link(format!("/proc/{pid}/exe")) else { continue };
        all.insert(pid, program.display().to_string());
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        ahead.extend(children.split_ascii_whitespace().filter_map(|word| word.parse::<u32>().ok()));
    }
    all
}

/// True until the process has been buried.
pub fn exists(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// Its proportional share of memory in KiB.
pub fn pss_kib(pid: u32) -> Result<u64> {
    number(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// How often it gave up the processor of its own will: that is, how often it was woken up.
pub fn wakeups(pid: u32) -> Result<u64> {
    number(&format!("/proc/{pid}/status"), "voluntary_ctxt_switches:")
}

fn number(path: &str, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(path).context(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().unwrap_or_default().parse().context(format!("{path}: {name}"))
}
