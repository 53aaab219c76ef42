//! Listening sockets: TCP, unix by path, unix abstract.

use super::addresses;
use super::error::Error;
use crate::broker::Peer;
use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    fd: OwnedFd,
    /// What it is called in the log.
    pub(crate) name: String,
    /// The kernel tells whose the connections are.
    pub(crate) is_visible: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tcp,
    /// `everybody`: peers of any user, else only our own and root.
    Unix {
        everybody: bool,
    },
}

/// A unix socket's file, removed at the end if it is still ours.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|known| known.ino() == self.inode) {
            // Nothing can be done about it while ending.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Listener {
    /// Listens on TCP. Port 0 takes a free one; the second value says which.
    pub(crate) fn tcp(host: &str, port: u16) -> Result<(Self, u16), Error> {
        let named = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let failed = |error| Error::Listen(named.clone(), error);
        let socket = TcpListener::bind(&*addresses::of(host, port).map_err(failed)?).map_err(failed)?;
        let port = socket.local_addr().map_err(failed)?.port();
        socket.set_nonblocking(true).map_err(failed)?;
        let name = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Ok((Self { fd: socket.into(), name, is_visible: false, kind: Kind::Tcp }, port))
    }

    /// Listens on a unix socket: a path, or an abstract name after `@`.
    pub(crate) fn unix(name: &str, mode: u32) -> Result<(Self, Option<SocketFile>), Error> {
        let failed = |error: io::Error| Error::Listen(name.to_owned(), error);
        if let Some(hidden) = name.strip_prefix('@') {
            let address = SocketAddrUnix::new_abstract_name(hidden.as_bytes()).map_err(|error| failed(error.into()))?;
            let fd = bind(&address).map_err(|error| {
                let taken = error.kind() == io::ErrorKind::AddrInUse;
                if taken { Error::Taken(name.to_owned()) } else { failed(error) }
            })?;
            let kind = Kind::Unix { everybody: mode & 0o002 != 0 };
            return Ok((Self { fd, name: name.to_owned(), is_visible: false, kind }, None));
        }
        let path = Path::new(name);
        let address = SocketAddrUnix::new(path).map_err(|error| failed(error.into()))?;
        remove_stale(path, &address)?;
        // Nobody may connect between bind and chmod.
        let before = rustix::process::umask(Mode::from_raw_mode(0o777));
        let bound = bind(&address);
        rustix::process::umask(before);
        let fd = bound.map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed)?;
        let inode = fs::symlink_metadata(path).map_err(failed)?.ino();
        let listener = Self { fd, name: name.to_owned(), is_visible: false, kind: Kind::Unix { everybody: true } };
        Ok((listener, Some(SocketFile { path: path.to_owned(), inode })))
    }

    /// Serves a socket that the parent process listens on for us. `number`: its descriptor, for messages.
    pub(crate) fn from_parent(number: i32, fd: OwnedFd) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Listen(format!("descriptor {number}"), error);
        let wrong = |text: &str| failed(io::Error::new(io::ErrorKind::InvalidInput, text));
        if !sockopt::socket_acceptconn(&fd).map_err(|error| failed(error.into()))? {
            return Err(wrong("no socket that listens"));
        }
        rustix::io::ioctl_fionbio(&fd, true).map_err(|error| failed(error.into()))?;
        let address = rustix::net::getsockname(&fd).map_err(|error| failed(error.into()))?;
        let (name, kind) = if let Ok(address) = SocketAddr::try_from(address.clone()) {
            (address.to_string(), Kind::Tcp)
        } else {
            let address = SocketAddrUnix::try_from(address).map_err(|_| wrong("neither TCP nor a unix socket"))?;
            (name_of(&address), Kind::Unix { everybody: true })
        };
        Ok(Self { fd, name, is_visible: false, kind })
    }

    /// Its address, when it is a TCP socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        rustix::net::getsockname(&self.fd).ok().and_then(|address| SocketAddr::try_from(address).ok())
    }

    /// Whether it is a TCP socket.
    pub(crate) fn is_tcp(&self) -> bool {
        matches!(self.kind, Kind::Tcp)
    }

    /// Accepts one connection. `None` when no more waits; `Some(Err)` when this one failed.
    pub(crate) fn accept(&self) -> Option<Result<(OwnedFd, Peer), Refused>> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        match rustix::net::acceptfrom_with(&self.fd, flags) {
            Ok((fd, address)) => self.identify(&fd, address).map(|peer| Ok((fd, peer))).or(Some(Err(Refused::Peer))),
            Err(rustix::io::Errno::AGAIN) => None,
            Err(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => Some(Err(Refused::NoDescriptor)),
            Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::NOMEM) => None,
            Err(_) => Some(Err(Refused::Peer)),
        }
    }

    fn identify(&self, fd: &OwnedFd, address: Option<SocketAddrAny>) -> Option<Peer> {
        match self.kind {
            Kind::Tcp => {
                sockopt::set_tcp_nodelay(fd, true).ok()?;
                let address = address.and_then(|address| SocketAddr::try_from(address).ok());
                Some(Peer::Tcp(address.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)))))
            }
            Kind::Unix { everybody } => {
                // Not rustix's: that one has no value for a peer whose process has no number here.
                let uid = sys::peer::uid(fd).ok()?;
                let allowed = everybody || uid == 0 || uid == rustix::process::geteuid().as_raw();
                allowed.then_some(Peer::Unix { uid })
            }
        }
    }
}

/// Why a connection was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No descriptor is free.
    NoDescriptor,
    /// The peer went away, or may not connect.
    Peer,
}

/// The path, or the abstract name after `@`.
fn name_of(address: &SocketAddrUnix) -> String {
    let path = address.path().map(|path| path.to_string_lossy().into_owned());
    let hidden = address.abstract_name().map(|name| format!("@{}", name.escape_ascii()));
    path.or(hidden).unwrap_or_default()
}

fn bind(address: &SocketAddrUnix) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&fd, address)?;
    rustix::net::listen(&fd, BACKLOG)?;
    Ok(fd)
}

/// Removes the socket file of a server that is gone; one that answers is an error.
fn remove_stale(path: &Path, address: &SocketAddrUnix) -> Result<(), Error> {
    let Ok(known) = fs::symlink_metadata(path) else { return Ok(()) };
    let name = path.to_string_lossy();
    let failed = |error| Error::Listen(name.clone().into_owned(), error);
    if !known.file_type().is_socket() {
        return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is in the way")));
    }
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let probe = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
    match probe.and_then(|probe| rustix::net::connect(&probe, address)) {
        Err(rustix::io::Errno::CONNREFUSED) => fs::remove_file(path).map_err(failed),
        Err(rustix::io::Errno::NOENT) => Ok(()),
        Ok(()) | Err(rustix::io::Errno::AGAIN) => Err(Error::Taken(name.clone().into_owned())),
        Err(error) => Err(failed(error.into())),
    }
}
