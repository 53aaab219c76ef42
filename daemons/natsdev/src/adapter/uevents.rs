//! The kernel's uevent socket.

use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, sockopt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes the kernel may queue for us: some five thousand events. Memory is only used while they wait.
const QUEUE_BYTES: usize = 2 * 1024 * 1024;
/// Largest datagram: the kernel's are at most 2 KiB of properties, udevd's at most 8 KiB.
const DATAGRAM_BYTES: usize = 16 * 1024;

/// Whose events are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// The kernel's.
    Kernel,
    /// udevd's, which come when its rules have run.
    Udev,
}

impl Group {
    const fn mask(self) -> u32 {
        match self {
            Self::Kernel => 1,
            Self::Udev => 2,
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub(super) struct Uevents {
    socket: OwnedFd,
    group: Group,
    buffer: Vec<u8>,
}

/// What one read gave.
pub(super) enum Received<'a> {
    /// A datagram.
    Message(&'a [u8]),
    /// One from somebody else; dropped.
    Foreign,
    /// The kernel had to drop events.
    Overrun,
    Nothing,
}

impl Uevents {
    /// Listens. Needs no privilege, but for the full queue.
    pub(super) fn open(group: Group) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(KOBJECT_UEVENT))?;
        // Beyond the system's limit takes a capability; what we get without it must do.
        if sockopt::set_socket_recv_buffer_size_force(&socket, QUEUE_BYTES).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, QUEUE_BYTES)?;
        }
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, group.mask()))?;
        Ok(Self { socket, group, buffer: vec![0; DATAGRAM_BYTES] })
    }

    pub(super) fn group(&self) -> Group {
        self.group
    }

    /// Takes one datagram.
    pub(super) fn read(&mut self) -> io::Result<Received<'_>> {
        let (count, sender) = loop {
            match rustix::net::recvfrom(&self.socket, &mut self.buffer, RecvFlags::empty()) {
                Ok((_, count, sender)) => break (count, sender),
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::NOBUFS) => return Ok(Received::Overrun),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
        Ok(match sender {
            Some(sender) if self.is_trusted(sender) => Received::Message(self.buffer.get(..count).unwrap_or_default()),
            Some(_) | None => Received::Foreign,
        })
    }

    /// Port 0 is the kernel and nobody else can have it. To send to the other group, or to us, takes CAP_NET_ADMIN over this
    /// network namespace: the kernel vouches for udevd's messages by having let them through.
    fn is_trusted(&self, sender: SocketAddrNetlink) -> bool {
        let from_kernel = sender.pid() == 0;
        sender.groups() == self.group.mask() && from_kernel == (self.group == Group::Kernel)
    }
}

impl AsFd for Uevents {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
