//! The kernel's uevent socket.

use netlink::{Datagram, Listen, Listener};
use rustix::net::netlink::KOBJECT_UEVENT;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// Largest datagram: the kernel's are at most 2 KiB of properties, udevd's at most 8 KiB. Some five thousand of the kernel's fit in the queue.
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
    listener: Listener,
    group: Group,
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
        let listen = Listen { protocol: Some(KOBJECT_UEVENT), mask: group.mask(), ..Listen::default() };
        Ok(Self { listener: Listen { datagram_bytes: DATAGRAM_BYTES, ..listen }.open()?, group })
    }

    pub(super) fn group(&self) -> Group {
        self.group
    }

    /// Takes one datagram.
    pub(super) fn read(&mut self) -> io::Result<Received<'_>> {
        let group = self.group;
        let trusted = |datagram: Datagram<'_>| datagram.groups == group.mask();
        Ok(match self.listener.read()? {
            netlink::Received::Kernel(datagram) if group == Group::Kernel && trusted(datagram) => {
                Received::Message(datagram.bytes)
            }
            // To send to this group takes CAP_NET_ADMIN over this network namespace: the kernel vouches for udevd's messages by having let
            // them through.
            netlink::Received::Foreign(datagram) if group == Group::Udev && trusted(datagram) => {
                Received::Message(datagram.bytes)
            }
            netlink::Received::Kernel(_) | netlink::Received::Foreign(_) => Received::Foreign,
            netlink::Received::Overrun => Received::Overrun,
            netlink::Received::Nothing => Received::Nothing,
        })
    }
}

impl AsFd for Uevents {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
