//! Descriptors held for services: the sockets that lunix-init listens on for them, and what they gave into its keeping.

use super::Host;
use super::launch::Failure;
use crate::directory::sockets::{Address, Kind, Socket};
use crate::scarcity::is_scarcity;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;
/// Most descriptors kept for one service.
pub(crate) const STORE_MAX: usize = 32;

/// A socket that is listened on.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) line: Socket,
    pub(crate) fd: OwnedFd,
}

impl Held {
    /// A socket as another lunix-init left it: what it is and where it listens, the kernel knows.
    pub(crate) fn handed_down(name: String, mode: u32, fd: OwnedFd) -> io::Result<Self> {
        let kind = match net::sockopt::socket_type(&fd)? {
            SocketType::STREAM => Kind::Stream,
            SocketType::DGRAM => Kind::Datagram,
            SocketType::SEQPACKET => Kind::Packets,
            _ => return Err(Errno::NOTSOCK.into()),
        };
        let address = net::getsockname(&fd)?;
        let address = match SocketAddr::try_from(address.clone()) {
            Ok(address) => Address::Internet(address),
            Err(_) => {
                let unix = SocketAddrUnix::try_from(address)?;
                let path = unix.path().map(|path| Address::Path(OsStr::from_bytes(path.to_bytes()).into()));
                let name =
                    unix.abstract_name().map(|name| Address::Abstract(String::from_utf8_lossy(name).into_owned()));
                path.or(name).ok_or(Errno::NOTSOCK)?
            }
        };
        Ok(Self { line: Socket { name, kind, address, mode }, fd })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Address::Path(path) = &self.line.address {
            // Somebody may have put something else there, or nothing.
            let _ = rustix::fs::unlink(path);
        }
    }
}

impl Host {
    /// Listens on what the service's `sockets` says and is not listened on yet, and gives up what it does not say any more.
    pub(crate) fn open_sockets(&mut self, id: usize) -> Result<(), Failure> {
        let Some(service) = self.supervisor.get(id) else { return Ok(()) };
        let Some(channels) = self.channels.get_mut(id) else { return Ok(()) };
        let wanted = &service.definition.rare().sockets;
        if wanted.is_empty() && channels.kept().is_none() {
            return Ok(());
        }
        let sockets = &mut channels.kept_mut().sockets;
        // What is not wanted any more goes first: the new may be in its place.
        sockets.retain(|held| wanted.contains(&held.line));
        for line in wanted {
            if sockets.iter().all(|held| held.line != *line) {
                let fd = listen(line).map_err(|error| failure(line, &error))?;
                sockets.push(Held { line: line.clone(), fd });
            }
        }
        // They are handed down in the order of the file.
        sockets.sort_by_key(|held| wanted.iter().position(|line| *line == held.line));
        Ok(())
    }

    /// All descriptors to hand down from 3 on, with their names: sockets first, then what the service gave into keeping.
    pub(crate) fn handed_down(&self, id: usize) -> (Vec<(BorrowedFd<'_>, i32)>, String) {
        let Some(kept) = self.channels.get(id).and_then(|channels| channels.kept()) else {
            return (Vec::new(), String::new());
        };
        let sockets = kept.sockets.iter().map(|held| (held.line.name.as_str(), held.fd.as_fd()));
        let stored = kept.store.iter().map(|(name, fd)| (name.as_str(), fd.as_fd()));
        let (names, fds): (Vec<&str>, Vec<BorrowedFd<'_>>) = sockets.chain(stored).unzip();
        (fds.into_iter().zip(3..).collect(), names.join(":"))
    }

    /// Takes descriptors into keeping; what is too much is closed, and told.
    pub(crate) fn store(&mut self, id: usize, name: &str, fds: Vec<OwnedFd>) {
        let Some(channels) = self.channels.get_mut(id) else { return };
        let store = &mut channels.kept_mut().store;
        for fd in fds {
            if store.len() >= STORE_MAX {
                let service = self.supervisor.get(id).map_or("", |service| &service.name);
                self.console.say(format_args!("warn: {service}: more than {STORE_MAX} descriptors are not kept"));
                return;
            }
            store.push((name.to_owned(), fd));
        }
    }
}

/// Somebody else may give up the address, or the network come up.
fn failure(line: &Socket, error: &io::Error) -> Failure {
    let absent = [Errno::ADDRINUSE, Errno::ADDRNOTAVAIL, Errno::NETDOWN].map(Errno::raw_os_error);
    let passing = is_scarcity(error) || error.raw_os_error().is_some_and(|errno| absent.contains(&errno));
    Failure { passing, sentence: format!("sockets: cannot listen as {}: {error}", line.name) }
}

fn listen(line: &Socket) -> io::Result<OwnedFd> {
    let kind = match line.kind {
        Kind::Stream => SocketType::STREAM,
        Kind::Datagram => SocketType::DGRAM,
        Kind::Packets => SocketType::SEQPACKET,
    };
    let family = match &line.address {
        Address::Path(_) | Address::Abstract(_) => AddressFamily::UNIX,
        Address::Internet(address) if address.is_ipv4() => AddressFamily::INET,
        Address::Internet(_) => AddressFamily::INET6,
    };
    let fd = net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    match &line.address {
        Address::Path(path) => {
            match rustix::fs::unlink(path) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
            net::bind(&fd, &SocketAddrUnix::new(path)?)?;
            rustix::fs::chmod(path, Mode::from_raw_mode(line.mode))?;
        }
        Address::Abstract(name) => net::bind(&fd, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?,
        Address::Internet(address) => {
            net::sockopt::set_socket_reuseaddr(&fd, true)?;
            net::bind(&fd, address)?;
        }
    }
    if line.kind != Kind::Datagram {
        net::listen(&fd, BACKLOG)?;
    }
    Ok(fd)
}
