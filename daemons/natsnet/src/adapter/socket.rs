//! Netlink sockets: one that listens, and one that asks and waits for the answer.

use proto_rtnetlink::{Message, Messages, Outcome};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// `NETLINK_ROUTE` is protocol 0, which sockets take for none.
pub(super) const ROUTE: Option<Protocol> = None;
/// Bytes the kernel may queue for us; memory is only used while they wait.
const QUEUE_BYTES: usize = 2 * 1024 * 1024;
/// Largest datagram: the kernel fills at most this much of a dump into one.
const DATAGRAM_BYTES: usize = 32 * 1024;
/// The kernel answers while the request is made; this is for a kernel that does not.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How often a dump that was disturbed is asked for again.
const TRIES: u32 = 10;

/// A listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// What one read gave.
pub(super) enum Received<'a> {
    /// A datagram of the kernel.
    Datagram(&'a [u8]),
    /// One from somebody else; dropped.
    Foreign,
    /// The kernel had to drop events.
    Overrun,
    /// No more.
    Nothing,
}

impl Listener {
    /// Listens to multicast groups.
    pub(super) fn open(protocol: Option<Protocol>, groups: impl IntoIterator<Item = u32>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        // Beyond the system's limit takes a capability; what we get without it must do.
        if sockopt::set_socket_recv_buffer_size_force(&socket, QUEUE_BYTES).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, QUEUE_BYTES)?;
        }
        // Without a port of its own a socket counts as the kernel's and hears nothing of what the kernel tells everybody.
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        for group in groups {
            sys::netlink::join(&socket, group)?;
        }
        Ok(Self { socket, buffer: vec![0; DATAGRAM_BYTES] })
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
        // Port 0 is the kernel, and nobody else can have it.
        let from_kernel = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
        let from_kernel = from_kernel.is_some_and(|sender| sender.pid() == 0);
        let datagram = self.buffer.get(..count).unwrap_or_default();
        Ok(if from_kernel { Received::Datagram(datagram) } else { Received::Foreign })
    }

    /// Throws away what waits: everything is about to be read anew.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        loop {
            match self.read()? {
                Received::Nothing => return Ok(()),
                Received::Datagram(_) | Received::Foreign | Received::Overrun => {}
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A socket for questions.
#[derive(Debug)]
pub(super) struct Asker {
    socket: OwnedFd,
    sequence: u32,
}

impl Asker {
    pub(super) fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_WAIT))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Asks, and hands each message of the answer to `read`, which makes something of it. A dump that was disturbed is asked for again.
    pub(super) fn ask<T>(
        &mut self,
        request: impl Fn(u32) -> Vec<u8>,
        mut read: impl FnMut(&Message<'_>) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        for _ in 0..TRIES {
            self.sequence = self.sequence.wrapping_add(1).max(1);
            rustix::net::send(&self.socket, &request(self.sequence), SendFlags::empty())?;
            if let Some(answer) = self.answer(&mut read)? {
                return Ok(answer);
            }
        }
        Err(io::Error::other("it changes faster than the kernel can list it"))
    }

    /// Reads one answer to its end; `None` when it was disturbed.
    fn answer<T>(&self, read: &mut impl FnMut(&Message<'_>) -> Option<T>) -> io::Result<Option<Vec<T>>> {
        let (mut all, mut disturbed) = (Vec::new(), false);
        let mut buffer = vec![0; DATAGRAM_BYTES];
        loop {
            let (_, count) = rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty())?;
            let messages = Messages::new(buffer.get(..count).unwrap_or_default());
            for message in messages {
                let message = message.map_err(|fault| io::Error::other(fault.to_string()))?;
                if message.sequence != self.sequence {
                    continue;
                }
                disturbed |= message.is_interrupted();
                match message.outcome() {
                    Some(Outcome::Done | Outcome::Refused(0)) => return Ok((!disturbed).then_some(all)),
                    Some(Outcome::Refused(errno)) => return Err(io::Error::from_raw_os_error(errno)),
                    Some(Outcome::Overrun) => return Ok(None),
                    None => all.extend(read(&message)),
                }
                if !message.is_one_of_many() {
                    return Ok(Some(all));
                }
            }
        }
    }
}
