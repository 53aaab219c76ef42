//! What services use of the machine.

use crate::Text;
use serde::{Deserialize, Serialize};

/// What a service uses of the machine, as cgroup v2 counts it (`Documentation/admin-guide/cgroup-v2.rst`) at the moment of the answer. A number that
/// the kernel does not count is absent. The share of a processor takes two answers: the difference of `cpu_us` over the time between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage<'a> {
    /// The service.
    pub name: Text<'a>,
    /// True when only its first process is counted, not those that it started: there is no cgroup; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub process_only: bool,
    /// Processor time of all its processes in microseconds. Source: `cpu.stat`, `usage_usec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_us: Option<u64>,
    /// The part of it outside the kernel, in microseconds. Source: `cpu.stat`, `user_usec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_user_us: Option<u64>,
    /// The part of it in the kernel, in microseconds. Source: `cpu.stat`, `system_usec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_system_us: Option<u64>,
    /// Memory in use, in bytes. Source: `memory.current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The most memory there ever was in use, in bytes. Source: `memory.peak`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Swap in use, in bytes. Source: `memory.swap.current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_bytes: Option<u64>,
    /// Bytes read from block devices. Source: `io.stat`, the sum of `rbytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_read_bytes: Option<u64>,
    /// Bytes written to block devices. Source: `io.stat`, the sum of `wbytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_write_bytes: Option<u64>,
    /// Processes and threads. Source: `pids.current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// Share of the last 10 s in which something of it waited for a processor, in ten-thousandths. Source: `cpu.pressure`, `some avg10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_pressure_per_10000: Option<u32>,
    /// The same for memory. Source: `memory.pressure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_pressure_per_10000: Option<u32>,
    /// The same for block devices. Source: `io.pressure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_pressure_per_10000: Option<u32>,
}

/// What all services use that have processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageList<'a> {
    /// One for each service.
    pub items: Vec<Usage<'a>>,
}
