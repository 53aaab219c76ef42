//! The process connector's socket.

use netlink::{Listen, Listener};
use proto_proc::{Event, FILTER_OFFSETS, events, listen_request};
use rustix::net::netlink::CONNECTOR;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use sys::filter::Instruction;

/// Multicast group of the process connector (CN_IDX_PROC).
const GROUP: u32 = 1;

/// Bytes the kernel may queue for us.
const QUEUE_BYTES: usize = 1024 * 1024;
/// Largest datagram: each holds one event.
const DATAGRAM_BYTES: usize = 512;

/// Inode of the first namespace of processes: PROC_PID_INIT_INO of `include/linux/proc_ns.h`.
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// The parent of the kernel's own threads.
const KTHREADD: u32 = 2;

/// A subscribed connector.
#[derive(Debug)]
pub(super) struct Connector {
    listener: Listener,
}

/// What one read gave.
pub(super) enum Received {
    Event(Event),
    /// The kernel had to drop events.
    Overrun,
    Nothing,
}

impl Connector {
    /// Subscribes. Takes `CAP_NET_ADMIN`, and the first namespace of processes: from any other the kernel ignores the request
    /// without an answer (`drivers/connector/cn_proc.c`, `cn_proc_mcast_ctl`).
    pub(super) fn open() -> io::Result<Self> {
        if !is_first_namespace() {
            return Err(io::Error::other("it serves only the first namespace of processes, and this is a container"));
        }
        let filter = processes_only();
        let listen = Listen { protocol: Some(CONNECTOR), mask: GROUP, filter: &filter, ..Listen::default() };
        let listener = Listen { queue_bytes: QUEUE_BYTES, datagram_bytes: DATAGRAM_BYTES, ..listen }.open()?;
        listener.send(&listen_request())?;
        Ok(Self { listener })
    }

    /// The next event. The kernel sends each in a datagram of its own, so nothing is left over when the caller stops half way.
    pub(super) fn read(&mut self) -> io::Result<Received> {
        loop {
            match self.listener.read()? {
                netlink::Received::Kernel(datagram) => {
                    if let Some(event) = events(datagram.bytes).next() {
                        return Ok(Received::Event(event));
                    }
                }
                netlink::Received::Foreign(_) => {}
                netlink::Received::Overrun => return Ok(Received::Overrun),
                netlink::Received::Nothing => return Ok(Received::Nothing),
            }
        }
    }
}

impl AsFd for Connector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// Whether this process is in the machine's first namespace of processes; yes when /proc does not tell.
fn is_first_namespace() -> bool {
    std::fs::metadata("/proc/self/ns/pid").map_or(true, |namespace| namespace.ino() == FIRST_PID_NAMESPACE)
}

/// Keeps what makes and ends processes; threads and the kernel's own workers wake nobody.
fn processes_only() -> [Instruction; 20] {
    use Instruction::{Drop, JumpIfEqual, JumpIfEqualIndex, Keep, Load, LoadIndex, Store};
    let at = FILTER_OFFSETS;
    // The filter loads words as big-endian, whatever the machine is.
    let constant = |word: u32| word.to_be();
    [
        /* 0 */ Load(at.what),
        /* 1 */ JumpIfEqual(constant(at.exec), 17, 0),
        /* 2 */ JumpIfEqual(constant(at.fork), 8, 0),
        /* 3 */ JumpIfEqual(constant(at.exit), 0, 14),
        /* 4 */ Load(at.exit_parent_tgid),
        /* 5 */ JumpIfEqual(constant(KTHREADD), 12, 0),
        /* 6 */ Load(at.exit_pid),
        /* 7 */ Store(0),
        /* 8 */ LoadIndex(0),
        /* 9 */ Load(at.exit_tgid),
        /* 10 */ JumpIfEqualIndex(8, 7),
        /* 11 */ Load(at.fork_parent_tgid),
        /* 12 */ JumpIfEqual(constant(KTHREADD), 5, 0),
        /* 13 */ Load(at.fork_pid),
        /* 14 */ Store(0),
        /* 15 */ LoadIndex(0),
        /* 16 */ Load(at.fork_tgid),
        /* 17 */ JumpIfEqualIndex(1, 0),
        /* 18 */ Drop,
        /* 19 */ Keep,
    ]
}
