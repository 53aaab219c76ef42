//! Sockets that hear what the kernel tells everybody.

use crate::DATAGRAM_BYTES;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use sys::filter::Instruction;

/// What is to be listened to.
#[derive(Clone, Copy, Debug)]
pub struct Listen<'a> {
    /// The protocol; [`crate::ROUTE`] by default.
    pub protocol: Option<Protocol>,
    /// Groups 1 to 32, a bit each.
    pub mask: u32,
    /// Groups by number.
    pub groups: &'a [u32],
    /// What wakes nobody, decided in the kernel; empty: nothing is dropped.
    pub filter: &'a [Instruction],
    /// Bytes the kernel may queue; memory is used only while they wait. Beyond the system's limit (`net.core.rmem_max`) takes
    /// `CAP_NET_ADMIN`; without it the limit must do.
    pub queue_bytes: usize,
    /// Bytes of the largest datagram.
    pub datagram_bytes: usize,
}

impl Default for Listen<'_> {
    fn default() -> Self {
        Self {
            protocol: crate::ROUTE,
            mask: 0,
            groups: &[],
            filter: &[],
            queue_bytes: 2 * 1024 * 1024,
            datagram_bytes: DATAGRAM_BYTES,
        }
    }
}

impl Listen<'_> {
    /// Opens the socket; it never waits.
    ///
    /// # Errors
    /// Those of the system calls: a protocol or group that the kernel does not have, or that takes a capability.
    pub fn open(self) -> io::Result<Listener> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, self.protocol)?;
        if sockopt::set_socket_recv_buffer_size_force(&socket, self.queue_bytes).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, self.queue_bytes)?;
        }
        if !self.filter.is_empty() {
            sys::filter::attach(&socket, self.filter)?;
        }
        // Without a port of its own a socket counts as the kernel's and hears nothing of what the kernel tells everybody.
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, self.mask))?;
        for &group in self.groups {
            sys::netlink::join(&socket, group)?;
        }
        Ok(Listener { socket, buffer: vec![0; self.datagram_bytes] })
    }
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// One datagram, and who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// What was sent.
    pub bytes: &'a [u8],
    /// The sender's port: 0 is the kernel, and nobody else can have it.
    pub port: u32,
    /// The groups it was sent to, a bit each.
    pub groups: u32,
}

/// What one read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// A datagram of the kernel.
    Kernel(Datagram<'a>),
    /// One from somebody else; it is to be dropped unless its sender can be trusted.
    Foreign(Datagram<'a>),
    /// The kernel had to drop something.
    Overrun,
    /// No more.
    Nothing,
}

impl Listener {
    /// Takes one datagram.
    ///
    /// # Errors
    /// Those of `recvfrom`, but for the two that have a meaning of their own.
    pub fn read(&mut self) -> io::Result<Received<'_>> {
        let (count, sender) = loop {
            match rustix::net::recvfrom(&self.socket, &mut self.buffer, RecvFlags::empty()) {
                Ok((_, count, sender)) => break (count, sender),
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::NOBUFS) => return Ok(Received::Overrun),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        let bytes = self.buffer.get(..count).unwrap_or_default();
        let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
        // The kernel names the sender of every datagram; one without is nobody's.
        let (port, groups) = sender.map_or((u32::MAX, 0), |sender| (sender.pid(), sender.groups()));
        let datagram = Datagram { bytes, port, groups };
        Ok(if port == 0 { Received::Kernel(datagram) } else { Received::Foreign(datagram) })
    }

    /// Sends the kernel a request.
    ///
    /// # Errors
    /// Those of `sendto`.
    pub fn send(&self, request: &[u8]) -> io::Result<()> {
        rustix::net::sendto(&self.socket, request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        Ok(())
    }

    /// Drops from now on what the filter does not keep.
    ///
    /// # Errors
    /// See [`sys::filter::attach`].
    pub fn filter(&self, program: &[Instruction]) -> io::Result<()> {
        sys::filter::attach(&self.socket, program)
    }

    /// Throws away what waits: everything is about to be read anew.
    ///
    /// # Errors
    /// Those of [`Listener::read`].
    pub fn drain(&mut self) -> io::Result<()> {
        loop {
            match self.read()? {
                Received::Nothing => return Ok(()),
                Received::Kernel(_) | Received::Foreign(_) | Received::Overrun => {}
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
