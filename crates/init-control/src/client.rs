//! Talking to lunix-init: question and answer for a command line, a feed of events for a daemon.

use crate::{Error, REPLY_MAX, REQUEST_MAX, Reply, Request};
use rustix::io::retry_on_intr;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// A connection that waits for its answers.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    buffer: Box<[u8]>,
}

impl Client {
    /// Connects to the socket at `path`; answers that take longer than `patience` are an error.
    ///
    /// # Errors
    /// [`Error::Socket`]: nobody listens there, or the path is longer than 107 bytes.
    pub fn connect(path: &Path, patience: Duration) -> Result<Self, Error> {
        let socket = open(path, SocketFlags::CLOEXEC)?;
        net::sockopt::set_socket_timeout(&socket, net::sockopt::Timeout::Recv, Some(patience))?;
        net::sockopt::set_socket_timeout(&socket, net::sockopt::Timeout::Send, Some(patience))?;
        Ok(Self { socket, buffer: vec![0; REPLY_MAX].into_boxed_slice() })
    }

    /// Sends one request; read the answer with [`Client::reply`].
    ///
    /// # Errors
    /// [`Error::Socket`] or [`Error::Space`].
    pub fn send(&mut self, request: &Request<'_>) -> Result<(), Error> {
        send(&self.socket, request)
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Socket`] (patience ended: `EAGAIN`), or a reply that makes no sense.
    pub fn reply(&mut self) -> Result<Reply<'_>, Error> {
        // A wait with a limit is not taken up again by the kernel after a signal.
        match retry_on_intr(|| net::recv(&self.socket, &mut *self.buffer, RecvFlags::empty()))?.0 {
            0 => Err(Error::Closed),
            length => Reply::decode(self.buffer.get(..length).ok_or(Error::Space)?),
        }
    }

    /// Sends a request and hands each row of the answer to `each`, until it is complete.
    ///
    /// # Errors
    /// Those of [`Client::send`] and [`Client::reply`]. A refusal is a reply, not an error.
    pub fn ask(&mut self, request: &Request<'_>, mut each: impl FnMut(&Reply<'_>)) -> Result<(), Error> {
        self.send(request)?;
        loop {
            let reply = self.reply()?;
            each(&reply);
            match reply {
                Reply::Ok | Reply::Refused { .. } | Reply::End { .. } => return Ok(()),
                Reply::Service(_)
                | Reply::Usage(_)
                | Reply::Line(_)
                | Reply::Event(_)
                | Reply::Lost(_)
                | Reply::Unknown => {}
            }
        }
    }
}

/// A connection that never waits, for a program with an event loop of its own: all services and then every event, and answers between them.
#[derive(Debug)]
pub struct Watch {
    socket: OwnedFd,
    buffer: Box<[u8]>,
}

impl Watch {
    /// Connects and asks for the events. Wait until the descriptor is readable, then call [`Watch::reply`] until `None`.
    ///
    /// # Errors
    /// As of [`Client::connect`].
    pub fn connect(path: &Path) -> Result<Self, Error> {
        Self::open(path, &Request::Watch)
    }

    /// Connects and asks for something that goes on: [`Request::Watch`], or [`Request::Log`] that follows.
    ///
    /// # Errors
    /// As of [`Client::connect`].
    pub fn open(path: &Path, request: &Request<'_>) -> Result<Self, Error> {
        Self::begin(open(path, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?, request)
    }

    /// The same over a socket that leads to lunix-init already: the one that a companion is born with.
    ///
    /// # Errors
    /// [`Error::Socket`].
    pub fn over(socket: OwnedFd) -> Result<Self, Error> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        Self::begin(socket, &Request::Watch)
    }

    fn begin(socket: OwnedFd, request: &Request<'_>) -> Result<Self, Error> {
        send(&socket, request)?;
        Ok(Self { socket, buffer: vec![0; REPLY_MAX].into_boxed_slice() })
    }

    /// Asks for something else. Its answer comes between the events, in one piece; ask again when it is complete.
    ///
    /// # Errors
    /// [`Error::Socket`] or [`Error::Space`].
    pub fn ask(&self, request: &Request<'_>) -> Result<(), Error> {
        send(&self.socket, request)
    }

    /// The next reply; `None` when there is none now.
    ///
    /// # Errors
    /// [`Error::Closed`] when lunix-init is gone or cut this watcher off: connect again.
    pub fn reply(&mut self) -> Result<Option<Reply<'_>>, Error> {
        match net::recv(&self.socket, &mut *self.buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Err(Error::Closed),
            Ok((length, _)) => Reply::decode(self.buffer.get(..length).ok_or(Error::Space)?).map(Some),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open(path: &Path, flags: SocketFlags) -> Result<OwnedFd, Error> {
    let socket = net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

fn send(socket: &OwnedFd, request: &Request<'_>) -> Result<(), Error> {
    let mut buffer = [0; REQUEST_MAX];
    let packet = request.encode(&mut buffer)?;
    retry_on_intr(|| net::send(socket, packet, SendFlags::NOSIGNAL))?;
    Ok(())
}
