//! Stream sockets to a bus: the only system calls of this crate.

use crate::Endpoint;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// A non-blocking stream socket, connected or about to be.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

/// What a read gave.
pub(crate) enum Read {
    Bytes(usize),
    Nothing,
    End,
}

impl Socket {
    /// Starts to connect. The second value is true when the connection stands already.
    pub(crate) fn connect(endpoint: &Endpoint) -> io::Result<(Self, bool)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (fd, connected) = match endpoint {
            Endpoint::Unix(path) => {
                let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
                let connected = rustix::net::connect(&fd, &unix_address(path)?);
                (fd, connected)
            }
            Endpoint::Tcp(address) => {
                let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
                let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
                sockopt::set_tcp_nodelay(&fd, true)?;
                // The kernel notices a dead peer for us, so that nobody has to wake up for it.
                sockopt::set_socket_keepalive(&fd, true)?;
                let connected = rustix::net::connect(&fd, address);
                (fd, connected)
            }
        };
        match connected {
            Ok(()) => Ok((Self(fd), true)),
            Err(Errno::INPROGRESS) => Ok((Self(fd), false)),
            Err(errno) => Err(errno.into()),
        }
    }

    /// How a connection attempt that became writable ended.
    pub(crate) fn outcome(&self) -> io::Result<()> {
        Ok(sockopt::socket_error(&self.0)??)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Read> {
        match rustix::io::read(&self.0, buffer) {
            Ok(0) => Ok(Read::End),
            Ok(count) => Ok(Read::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Read::Nothing),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Writes what the kernel takes now; 0 when it takes nothing.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::net::send(&self.0, bytes, SendFlags::NOSIGNAL) {
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn unix_address(path: &Path) -> io::Result<SocketAddrUnix> {
    match path.to_str().and_then(|text| text.strip_prefix('@')) {
        Some(name) => Ok(SocketAddrUnix::new_abstract_name(name.as_bytes())?),
        None => Ok(SocketAddrUnix::new(path)?),
    }
}
