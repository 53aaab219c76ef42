//! Sockets that messages arrive at: those that lunix-init (or systemd) holds for us, and those we open.

use crate::config::unix_address;
use rustix::fs::{Mode, OFlags};
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// The name under which lunix-init passes the socket for the output of services.
const LINK: &str = "lunix-log";
/// Number of the first descriptor that is handed over.
const FIRST: i32 = 3;
/// More are not taken.
const COUNT_MAX: i32 = 64;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 64;
/// Bytes that the kernel keeps for us of UDP, which nobody waits with.
const UDP_BYTES: usize = 1024 * 1024;

/// What the parent process holds for us (`man 3 sd_listen_fds`).
#[derive(Debug, Default)]
pub(super) struct Handed {
    /// Where the output of services comes from.
    pub(super) link: Option<OwnedFd>,
    sockets: Vec<(String, OwnedFd)>,
}

impl Handed {
    /// Takes it. Call it before anything else is opened.
    ///
    /// # Errors
    /// More than 64 descriptors, or some that are not open.
    pub(super) fn take() -> io::Result<Self> {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<i32>().ok());
        let is_for_us = number("LISTEN_PID").and_then(|pid| u32::try_from(pid).ok()) == Some(std::process::id());
        let count = number("LISTEN_FDS").filter(|_| is_for_us).unwrap_or(0);
        if count > COUNT_MAX {
            return Err(io::Error::other(format!("more than {COUNT_MAX} descriptors are handed over")));
        }
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut handed = Self::default();
        for number in FIRST..FIRST + count.max(0) {
            let fd = sys::descriptor::inherited(number)?;
            rustix::io::ioctl_fionbio(&fd, true)?;
            match names.next() {
                Some(LINK) => handed.link = Some(fd),
                Some(_) | None => handed.sockets.push((path(&fd).unwrap_or_default(), fd)),
            }
        }
        Ok(handed)
    }

    /// The unix socket of this path.
    fn unix(&mut self, path: &str) -> Option<OwnedFd> {
        let place = self.sockets.iter().position(|(known, _)| known == path)?;
        Some(self.sockets.swap_remove(place).1)
    }

    /// How many were handed over that nothing in the configuration is about.
    pub(super) fn unused(&self) -> usize {
        self.sockets.len()
    }
}

fn path(socket: &OwnedFd) -> Option<String> {
    let address = SocketAddrUnix::try_from(net::getsockname(socket).ok()?).ok()?;
    Some(address.path()?.to_str().ok()?.to_owned())
}

/// A socket of the configuration, and whether it is of type stream.
///
/// # Errors
/// The kernel's, with the address in front.
pub(super) fn unix(address: &str, handed: &mut Handed) -> io::Result<(bool, OwnedFd)> {
    let (is_stream, path) = unix_address(address).map_err(io::Error::other)?;
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let socket = match handed.unix(path) {
        Some(socket) => socket,
        None => bind_unix(is_stream, path).map_err(named)?,
    };
    sockopt::set_socket_passcred(&socket, true).map_err(|errno| named(errno.into()))?;
    Ok((is_stream, socket))
}

/// Whatever socket was there before is taken away: it is that of one that has ended.
fn bind_unix(is_stream: bool, path: &str) -> io::Result<OwnedFd> {
    let kind = if is_stream { SocketType::STREAM } else { SocketType::DGRAM };
    let socket = net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    let is_socket = |path: &str| {
        use std::os::unix::fs::FileTypeExt;
        std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
    };
    if is_socket(path) {
        std::fs::remove_file(path)?;
    }
    net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    rustix::fs::chmod(path, Mode::from_raw_mode(0o666))?;
    if is_stream {
        net::listen(&socket, BACKLOG)?;
    }
    Ok(socket)
}

/// A UDP socket, or a TCP socket that listens.
///
/// # Errors
/// The kernel's, with the address in front.
pub(super) fn network(address: &SocketAddr, is_stream: bool) -> io::Result<OwnedFd> {
    bind_network(address, is_stream).map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}

fn bind_network(address: &SocketAddr, is_stream: bool) -> io::Result<OwnedFd> {
    let kind = if is_stream { SocketType::STREAM } else { SocketType::DGRAM };
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if is_stream {
        sockopt::set_socket_reuseaddr(&socket, true)?;
    } else {
        sockopt::set_socket_recv_buffer_size(&socket, UDP_BYTES)?;
    }
    if !address.is_ipv4() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    net::bind(&socket, address)?;
    if is_stream {
        net::listen(&socket, BACKLOG)?;
    }
    Ok(socket)
}

/// The kernel's log.
///
/// # Errors
/// The kernel's.
pub(super) fn kmsg(path: &str) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?)
}
