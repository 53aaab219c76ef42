//! What services use of the machine: read from the kernel when somebody asks, and at no other time.

use super::Host;
use super::cgroup::Base;
use crate::cgroup::counters::{keyed, process, single, status, transferred, waited};
use init_control::Usage;

/// Ticks per second of the times in /proc (USER_HZ): 100 on every processor that Rust has a Linux for.
const TICKS_PER_SECOND: u64 = 100;

impl Host {
    /// The numbers of a service; `None` when nothing of it runs.
    pub(crate) fn usage(&self, id: usize) -> Option<Usage<'_>> {
        let service = self.supervisor.get(id)?;
        let group = self.channels.get(id).and_then(|channels| channels.group.as_ref());
        match (&self.groups.base, group) {
            (Some(base), Some(group)) if base.is_populated(group.name()) => {
                Some(of_group(base, group.name(), &service.name))
            }
            (Some(_) | None, _) => of_process(service.pid?, &service.name),
        }
    }
}

/// What is counted of a cgroup. What the kernel has no file for is absent.
fn of_group<'a>(base: &Base, group: &str, name: &'a str) -> Usage<'a> {
    let read = |file: &str| base.read(group, file);
    let number = |file: &str| single(&read(file)?);
    let pressure = |file: &str| waited(&read(file)?);
    let cpu = read("cpu.stat").unwrap_or_default();
    let io = read("io.stat").map(|content| transferred(&content));
    Usage {
        name,
        process_only: false,
        cpu_us: keyed(&cpu, "usage_usec"),
        cpu_user_us: keyed(&cpu, "user_usec"),
        cpu_system_us: keyed(&cpu, "system_usec"),
        memory: number("memory.current"),
        memory_peak: number("memory.peak"),
        swap: number("memory.swap.current"),
        io_read: io.map(|(read, _)| read),
        io_write: io.map(|(_, written)| written),
        pids: number("pids.current"),
        cpu_pressure: pressure("cpu.pressure"),
        memory_pressure: pressure("memory.pressure"),
        io_pressure: pressure("io.pressure"),
    }
}

/// What is counted of the service's own process, where there is no cgroup; `None` when it is gone.
fn of_process(pid: i32, name: &str) -> Option<Usage<'_>> {
    let read = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).ok();
    let (user, system, threads) = process(&read("stat")?)?;
    let micros = |ticks: u64| ticks.saturating_mul(1_000_000 / TICKS_PER_SECOND);
    let memory = read("status").unwrap_or_default();
    // Another user's is not to be read.
    let io = read("io").unwrap_or_default();
    Some(Usage {
        name,
        process_only: true,
        cpu_us: Some(micros(user.saturating_add(system))),
        cpu_user_us: Some(micros(user)),
        cpu_system_us: Some(micros(system)),
        memory: status(&memory, "VmRSS"),
        memory_peak: status(&memory, "VmHWM"),
        swap: status(&memory, "VmSwap"),
        io_read: keyed(&io, "read_bytes:"),
        io_write: keyed(&io, "write_bytes:"),
        pids: Some(threads),
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_cgroup_is_counted_alone() {
        let own = of_process(std::process::id().cast_signed(), "self").unwrap();
        assert!(own.process_only && own.memory.is_some_and(|bytes| bytes > 100_000), "{own:?}");
        assert!(own.memory_peak >= own.memory && own.pids >= Some(1) && own.cpu_us.is_some(), "{own:?}");
        assert_eq!(own.cpu_pressure, None);
        assert!(of_process(i32::MAX, "nobody").is_none());
    }
}
