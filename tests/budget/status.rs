//! What the kernel counts of a process: /proc/PID/status and smaps_rollup (man 5 proc).

use std::collections::BTreeMap;
use std::time::Duration;
use testkit::{Deadline, Error, Result};

/// The numbers of one process, by the kernel's names; memory in KiB.
pub(crate) struct Status(BTreeMap<String, u64>);

impl Status {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        Ok(Self(numbers(&format!("/proc/{pid}/status"))?))
    }

    pub(crate) fn get(&self, name: &str) -> Result<u64> {
        self.0.get(name).copied().ok_or_else(|| Error::unexpected(format!("the kernel tells no {name}")))
    }

    /// How often it has given up the processor.
    fn switches(&self) -> Result<u64> {
        Ok(self.get("voluntary_ctxt_switches")? + self.get("nonvoluntary_ctxt_switches")?)
    }
}

/// Its proportional share of memory in KiB.
pub(crate) fn pss_kib(pid: u32) -> Result<u64> {
    let all = numbers(&format!("/proc/{pid}/smaps_rollup"))?;
    all.get("Pss").copied().ok_or_else(|| Error::unexpected("the kernel tells no Pss"))
}

fn numbers(path: &str) -> Result<BTreeMap<String, u64>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(format!("read {path}")))?;
    let number = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.split_whitespace().next()?.parse().ok()?))
    };
    Ok(text.lines().filter_map(number).collect())
}

/// Waits until the process has not run for half a second.
pub(crate) fn until_quiet(pid: u32, deadline: Deadline) -> Result<()> {
    let mut before = Status::of(pid)?.switches()?;
    while deadline.left().is_some() {
        std::thread::sleep(Duration::from_millis(500));
        let now = Status::of(pid)?.switches()?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
    Err(Error::Timeout(format!("process {pid} at rest"), format!("{before} context switches")))
}
