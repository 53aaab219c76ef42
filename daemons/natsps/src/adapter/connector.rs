//! The process connector's socket.

use proto_proc::{Event, FILTER_OFFSETS, events, listen_request};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, sockopt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use sys::filter::{Instruction, attach};

/// Multicast group of the process connector (CN_IDX_PROC).
const GROUP: u32 = 1;

/// Bytes the kernel may queue for us.
const BUFFER: usize = 1024 * 1024;

/// Inode of the first namespace of processes: PROC_PID_INIT_INO of `include/linux/proc_ns.h`.
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// The parent of the kernel's own threads.
const KTHREADD: u32 = 2;

/// A subscribed connector.
#[derive(Debug)]
pub(super) struct Connector {
    socket: OwnedFd,
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
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let protocol = Some(netlink::CONNECTOR);
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, protocol)?;
        // Larger than the system's limit takes a capability; what we get without it must do.
        if sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, BUFFER)?;
        }
        attach(&socket, &processes_only())?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, GROUP))?;
        rustix::net::send(&socket, &listen_request(), SendFlags::empty())?;
        Ok(Self { socket })
    }

    /// The next event. The kernel sends each in a datagram of its own, so nothing is left over when the caller stops half way.
    pub(super) fn read(&mut self) -> io::Result<Received> {
        let mut buffer = [0; 512];
        loop {
            match rustix::net::recv(&self.socket, &mut buffer, RecvFlags::empty()) {
                Ok((_, count)) => {
                    if let Some(event) = events(buffer.get(..count).unwrap_or_default()).next() {
                        return Ok(Received::Event(event));
                    }
                }
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::NOBUFS) => return Ok(Received::Overrun),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Connector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
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
