//! What a service uses of the machine, as cgroup v2 counts it.

use crate::Error;
use crate::record::{Record, Text, Writer};

/// The numbers of one service at one moment. What the kernel does not count is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage<'a> {
    /// The service.
    pub name: &'a str,
    /// Only its first process is counted, not those that it started: there is no cgroup.
    pub process_only: bool,
    /// Processor time since the service's cgroup was made, in microseconds (`cpu.stat`: `usage_usec`).
    pub cpu_us: Option<u64>,
    /// The part of it outside the kernel (`user_usec`).
    pub cpu_user_us: Option<u64>,
    /// The part of it in the kernel (`system_usec`).
    pub cpu_system_us: Option<u64>,
    /// Memory in use, in bytes (`memory.current`).
    pub memory: Option<u64>,
    /// The most there ever was (`memory.peak`).
    pub memory_peak: Option<u64>,
    /// Swap in use, in bytes (`memory.swap.current`).
    pub swap: Option<u64>,
    /// Bytes read from block devices (`io.stat`: the sum of `rbytes`).
    pub io_read: Option<u64>,
    /// Bytes written to block devices (`io.stat`: the sum of `wbytes`).
    pub io_write: Option<u64>,
    /// Processes and threads (`pids.current`).
    pub pids: Option<u64>,
    /// Share of the last 10 s in which something of it waited for a processor, in hundredths of a per cent (`cpu.pressure`: some avg10).
    pub cpu_pressure: Option<u32>,
    /// The same for memory (`memory.pressure`).
    pub memory_pressure: Option<u32>,
    /// The same for block devices (`io.pressure`).
    pub io_pressure: Option<u32>,
}

impl<'a> Usage<'a> {
    /// The usage a record tells of.
    pub(crate) fn read(record: &Record<'a>) -> Result<Self, Error> {
        let number = |key| record.get(key).and_then(Text::number);
        let share = |key| record.get(key).and_then(Text::number);
        Ok(Self {
            name: record.get("name").and_then(Text::word).ok_or(Error::Field("usage", "name"))?,
            process_only: record.get("process_only").is_some(),
            cpu_us: number("cpu_us"),
            cpu_user_us: number("cpu_user_us"),
            cpu_system_us: number("cpu_system_us"),
            memory: number("memory"),
            memory_peak: number("memory_peak"),
            swap: number("swap"),
            io_read: number("io_read"),
            io_write: number("io_write"),
            pids: number("pids"),
            cpu_pressure: share("cpu_pressure"),
            memory_pressure: share("memory_pressure"),
            io_pressure: share("io_pressure"),
        })
    }

    /// The record that tells of it.
    ///
    /// # Errors
    /// [`Error::Space`] when it does not fit into `buffer`.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], Error> {
        Writer::new(buffer, "usage")
            .field("name", self.name.as_bytes())
            .optional("process_only", self.process_only.then_some(b"yes"))
            .optional_number("cpu_us", self.cpu_us)
            .optional_number("cpu_user_us", self.cpu_user_us)
            .optional_number("cpu_system_us", self.cpu_system_us)
            .optional_number("memory", self.memory)
            .optional_number("memory_peak", self.memory_peak)
            .optional_number("swap", self.swap)
            .optional_number("io_read", self.io_read)
            .optional_number("io_write", self.io_write)
            .optional_number("pids", self.pids)
            .optional_number("cpu_pressure", self.cpu_pressure)
            .optional_number("memory_pressure", self.memory_pressure)
            .optional_number("io_pressure", self.io_pressure)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reply;

    #[test]
    fn numbers_survive_the_wire_and_absent_ones_stay_absent() {
        let usage = Usage {
            name: "a b",
            cpu_us: Some(u64::MAX),
            memory: Some(0),
            io_pressure: Some(10_000),
            ..Usage::default()
        };
        let mut buffer = [0; 512];
        let Reply::Usage(read) = Reply::decode(usage.encode(&mut buffer).unwrap()).unwrap() else { panic!("no usage") };
        assert_eq!(read, usage);
        assert!(matches!(Reply::decode(b"usage memory=1"), Err(Error::Field("usage", "name"))));
    }
}
