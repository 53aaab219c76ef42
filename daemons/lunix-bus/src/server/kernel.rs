//! What the kernel says about who is at the other end of a connection.
//!
//! Of a unix socket it knows everything. Of TCP on this machine it tells whose the socket at the other end is, when asked for exactly that
//! connection. The question is put in one system call, which does not return before the answer lies ready (sock_diag answers in the
//! sender's context), so nothing waits for it and nothing is asked twice.
//!
//! The answer counts only while the connection is open, seen from both ends: a peer that closed is reported as user 0, and the port of
//! one that was reset may belong to somebody else's connection by now. Our own end is looked at last: if it is still open then, the
//! other end was the same one all the time.

use crate::local::{Facts, Origin};
use proto_sock_diag::{ANSWER_LEN_MAX, Answer};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

/// Answers to questions that were given up, which are thrown away before one's own.
const STALE_MAX: usize = 8;

/// Asks the kernel.
#[derive(Debug)]
pub(super) struct Kernel {
    /// `None` where the kernel cannot be asked about TCP.
    socket: Option<OwnedFd>,
    sequence: u32,
}

impl Kernel {
    /// One that is asked about unix sockets only.
    pub(super) fn without_tcp() -> Self {
        Self { socket: None, sequence: 0 }
    }

    /// One that is asked about TCP, too, where the kernel has it.
    pub(super) fn with_tcp() -> Self {
        Self { socket: open().ok(), sequence: 0 }
    }

    /// Whether it knows the connections of this listening socket: proved by asking for the socket itself. One of another network namespace
    /// is not known. The question also makes the kernel load its modules now, rather than while the first client waits.
    pub(super) fn sees(&mut self, listener: impl AsFd) -> bool {
        let address = rustix::net::getsockname(&listener).ok().and_then(|address| SocketAddr::try_from(address).ok());
        let (Some(address), Ok(status)) = (address, rustix::fs::fstat(&listener)) else { return false };
        let nobody = match address.ip() {
            IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        match self.ask(address, nobody) {
            Some(Answer::Socket { inode, .. }) => u64::from(inode) == status.st_ino,
            Some(Answer::Refused { .. }) | None => false,
        }
    }

    /// Of a connection over a unix socket.
    pub(super) fn unix(socket: impl AsFd) -> Facts {
        let mut facts = Facts::new(Origin::Unix);
        let Ok(credentials) = sys::peer::credentials(&socket) else { return facts };
        facts.uid = Some(credentials.uid);
        facts.gid = Some(credentials.gid);
        facts.groups = sys::peer::groups(&socket).unwrap_or_default();
        facts.pid = credentials.pid.filter(|_| is_running(&socket));
        facts
    }

    /// Of a connection over TCP that was accepted on `socket`, from `peer`.
    pub(super) fn tcp(&mut self, socket: impl AsFd, peer: SocketAddr) -> Facts {
        let ours = rustix::net::getsockname(&socket).ok().and_then(|address| SocketAddr::try_from(address).ok());
        let is_loopback = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        let Some(ours) = ours.filter(|ours| is_loopback(ours) && is_loopback(&peer)) else {
            return Facts::new(Origin::Elsewhere);
        };
        let uid = match self.ask(peer, ours) {
            Some(Answer::Socket { is_established: true, uid, inode: 1.. }) => Some(uid),
            Some(Answer::Socket { .. } | Answer::Refused { .. }) | None => None,
        };
        let uid = uid.filter(|_| sys::tcp::is_established(&socket).unwrap_or(false));
        Facts { uid, ..Facts::new(Origin::Loopback) }
    }

    fn ask(&mut self, peer: SocketAddr, ours: SocketAddr) -> Option<Answer> {
        let socket = self.socket.as_ref()?;
        self.sequence = self.sequence.wrapping_add(1);
        let request = proto_sock_diag::request(self.sequence, peer, ours)?;
        rustix::net::send(socket, &request, SendFlags::DONTWAIT).ok()?;
        let mut buffer = [0_u8; ANSWER_LEN_MAX];
        for _ in 0..STALE_MAX {
            let (len, _) = rustix::net::recv(socket, &mut buffer, RecvFlags::DONTWAIT).ok()?;
            let answer = proto_sock_diag::answer(buffer.get(..len).unwrap_or_default(), self.sequence);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }
}

/// A socket that hears the kernel alone: it is connected, so nobody else can send to it.
fn open() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(SOCK_DIAG))?;
    rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0))?;
    Ok(socket)
}

/// Whether the process that connected still runs, so that its number is not another one's. Where the kernel cannot tell, it does.
fn is_running(socket: impl AsFd) -> bool {
    let Ok(Some(process)) = sys::peer::pidfd(socket) else { return true };
    let mut ended = [PollFd::new(&process, PollFlags::IN)];
    matches!(rustix::event::poll(&mut ended, Some(&Timespec::default())), Ok(0))
}

#[cfg(test)]
mod tests;
