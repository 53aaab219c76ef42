//! The end of a process.

use proto_genetlink::HEADER_LEN;
use proto_rtnetlink::{Attribute, Attributes};

/// TASKSTATS_CMD_NEW.
const NEW: u8 = 2;
/// TASKSTATS_TYPE_STATS.
const STATS: u16 = 3;
/// TASKSTATS_TYPE_AGGR_PID: of one thread.
const THREAD: u16 = 4;
/// TASKSTATS_TYPE_AGGR_TGID: of all threads of a process, sent with its last when it had several.
const PROCESS: u16 = 5;

/// First version that says which thread is the last.
const VERSION_MIN: u16 = 12;
/// This one had new fields in the middle.
const VERSION_SHIFTED: u16 = 15;
/// AGROUP: the last thread of its process (`include/uapi/linux/acct.h`).
const LAST: u8 = 0x20;

/// Where in the structure things are, by `include/uapi/linux/taskstats.h`.
mod at {
    pub(super) const FLAG: usize = 8;
    pub(super) const USER_TIME: usize = 152;
    pub(super) const SYSTEM_TIME: usize = 160;
    pub(super) const MEMORY_PEAK: usize = 200;
    pub(super) const PROCESS: usize = 368;
}

/// What a process used until it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Process id.
    pub pid: u32,
    /// Processor time of all its threads outside the kernel, in microseconds.
    pub user_us: u64,
    /// Processor time of all its threads in the kernel, in microseconds.
    pub system_us: u64,
    /// The most memory it ever held at once, in KiB; 0 for threads of the kernel.
    pub memory_peak_kib: u64,
}

/// Reads the payload of one message; `None` when it is not about the end of a whole process.
#[must_use]
pub fn exit(payload: &[u8]) -> Option<Exit> {
    if payload.first() != Some(&NEW) {
        return None;
    }
    let attributes = Attributes::new(payload.get(HEADER_LEN..)?);
    let thread = stats(attributes.find(THREAD)?)?;
    if thread.get(at::FLAG)? & LAST == 0 {
        return None;
    }
    // Of a process with one thread there is only that thread's.
    let times = attributes.find(PROCESS).map_or(Some(thread), stats)?;
    Some(Exit {
        pid: u32::from_ne_bytes(field(thread, at::PROCESS)?),
        user_us: u64::from_ne_bytes(field(times, at::USER_TIME)?),
        system_us: u64::from_ne_bytes(field(times, at::SYSTEM_TIME)?),
        memory_peak_kib: u64::from_ne_bytes(field(thread, at::MEMORY_PEAK)?),
    })
}

/// The structure in an attribute, when it is of a version whose fields are known.
fn stats(attribute: Attribute<'_>) -> Option<&[u8]> {
    let stats = attribute.nested().find(STATS)?.value;
    let version = u16::from_ne_bytes(field(stats, 0)?);
    (version >= VERSION_MIN && version != VERSION_SHIFTED).then_some(stats)
}

fn field<const N: usize>(stats: &[u8], at: usize) -> Option<[u8; N]> {
    stats.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Where a filter in the kernel finds the words that tell the end of a process from that of a thread, as byte offsets into the datagram.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// The header of the attribute that holds the structure: its length and its kind.
    pub attribute: u32,
    /// The kind's bits in that word, and what they are there.
    pub kind: (u32, u32),
    /// The word that begins with the flags.
    pub flags: u32,
    /// The bit of the last thread in that word.
    pub last: u32,
    /// The parent's process id.
    pub parent: u32,
}

/// For messages without padding before the structure. A filter loads words as big-endian, whatever the machine is.
pub const FILTER: Filter = Filter {
    attribute: 32,
    kind: (0xffff, (u16::from_ne_bytes(STATS.to_be_bytes())) as u32),
    flags: 44,
    last: (LAST as u32) << 24,
    parent: 168,
};

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// A structure of version `version` as of kernel 6.1.
    fn structure(version: u16, flags: u8, pid: u32, times: (u64, u64), memory: u64) -> Vec<u8> {
        let mut stats = std::vec![0; 416];
        let mut put = |at: usize, bytes: &[u8]| stats[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &version.to_ne_bytes());
        put(at::FLAG, &[flags]);
        put(at::USER_TIME, &times.0.to_ne_bytes());
        put(at::SYSTEM_TIME, &times.1.to_ne_bytes());
        put(at::MEMORY_PEAK, &memory.to_ne_bytes());
        put(at::PROCESS, &pid.to_ne_bytes());
        stats
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(value.len() + 4).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn part(kind: u16, pid: u32, stats: &[u8]) -> Vec<u8> {
        attribute(
            kind,
            &[attribute(if kind == THREAD { 1 } else { 2 }, &pid.to_ne_bytes()), attribute(STATS, stats)].concat(),
        )
    }

    fn message(parts: &[Vec<u8>]) -> Vec<u8> {
        [std::vec![NEW, 1, 0, 0], parts.concat()].concat()
    }

    #[test]
    fn a_process_with_one_thread_is_that_thread() {
        let payload = message(&[part(THREAD, 7, &structure(13, LAST, 7, (5, 6), 100))]);
        assert_eq!(exit(&payload), Some(Exit { pid: 7, user_us: 5, system_us: 6, memory_peak_kib: 100 }));
    }

    #[test]
    fn of_several_threads_the_last_tells_the_sum() {
        let payload = message(&[
            part(THREAD, 9, &structure(16, LAST, 7, (5, 6), 100)),
            part(PROCESS, 7, &structure(16, 0, 0, (50, 60), 0)),
        ]);
        assert_eq!(exit(&payload), Some(Exit { pid: 7, user_us: 50, system_us: 60, memory_peak_kib: 100 }));
        assert_eq!(exit(&message(&[part(THREAD, 9, &structure(16, 0, 7, (5, 6), 100))])), None, "not the last");
    }

    #[test]
    fn versions_that_lie_otherwise_and_cut_messages_are_passed_over() {
        for version in [0, 11, 15] {
            assert_eq!(exit(&message(&[part(THREAD, 7, &structure(version, LAST, 7, (5, 6), 1))])), None, "{version}");
        }
        let whole = message(&[part(THREAD, 7, &structure(13, LAST, 7, (5, 6), 100))]);
        for cut in 0..whole.len() {
            assert_eq!(exit(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(exit(&attribute(1, b"error")), None);
    }

    #[test]
    fn the_filter_finds_what_the_reader_finds() {
        let payload = message(&[part(THREAD, 7, &structure(13, LAST, 7, (5, 6), 100))]);
        let datagram = [std::vec![0; 16], payload].concat();
        let word = |at: u32| {
            let at = usize::try_from(at).unwrap();
            u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap())
        };
        assert_eq!(word(FILTER.attribute) & FILTER.kind.0, FILTER.kind.1);
        assert_eq!(word(FILTER.flags) & FILTER.last, FILTER.last);
        assert_eq!(usize::try_from(FILTER.parent).unwrap(), 36 + 132, "ac_ppid");
    }
}
