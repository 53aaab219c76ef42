//! sd_notify: datagrams, with the sender's process vouched for by the kernel.

use super::sockets::STORE_MAX;
use super::{Host, Key};
use crate::notice::{self, Notice};
use reactor::{Instant, Interest};
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use rustix::process::Pid;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use sys::spawn::Process;

/// Most datagrams taken per turn.
const DATAGRAMS_MAX: usize = 16;

/// The socket, under an abstract name the kernel chose: nothing to clean up, nothing to write to.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    pub(crate) socket: OwnedFd,
    address: Vec<u8>,
}

impl Host {
    /// The value of NOTIFY_SOCKET; opens the socket for the first service that wants it.
    pub(crate) fn notify_address(&mut self) -> io::Result<Vec<u8>> {
        if let Some(open) = &self.notify {
            return Ok(open.address.clone());
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        net::bind(&socket, &SocketAddrUnix::new_unnamed())?;
        net::sockopt::set_socket_passcred(&socket, true)?;
        self.listen_for_notices(socket)
    }

    /// Reads the socket from now on; returns its address.
    pub(crate) fn listen_for_notices(&mut self, socket: OwnedFd) -> io::Result<Vec<u8>> {
        let name = SocketAddrUnix::try_from(net::getsockname(&socket)?)?;
        let address = [b"@", name.abstract_name().unwrap_or_default()].concat();
        self.reactor.insert(&socket, Interest::READ, Key::NotifySocket)?;
        self.notify = Some(NotifySocket { socket, address: address.clone() });
        Ok(address)
    }

    pub(crate) fn read_notify_socket(&mut self) {
        for _ in 0..DATAGRAMS_MAX {
            let Some(NotifySocket { socket, .. }) = &self.notify else { return };
            // A barrier (`BARRIER=1`) is the descriptor that comes along: it is closed once all before it was seen, which is now.
            let Ok((mut notice, sender, fds)) = receive(socket) else { return };
            let Some(id) = sender.and_then(|sender| self.service_of(sender)) else { continue };
            notice.main_pid = notice.main_pid.filter(|&pid| self.hold_heir(id, pid));
            let name = notice.name.as_deref().unwrap_or("stored");
            if notice.forgets
                && let Some(channels) = self.channels.get_mut(id)
            {
                channels.kept_mut().store.retain(|(one, _)| one != name);
            }
            if notice.stores {
                self.store(id, name, fds);
            }
            self.supervisor.noticed(Instant::now(), id, &notice, &mut self.acts);
        }
    }

    /// Holds on to the process that the service names as its main one; true when it is one of the service's.
    pub(crate) fn hold_heir(&mut self, id: usize, pid: i32) -> bool {
        // First held, then looked at: so it is this one that was looked at, whoever has the number later.
        let Ok(heir) = Process::of(pid) else { return false };
        let is_its_own = self.is_of(id, pid) && heir.signal(0).is_ok();
        if let Some(channels) = self.channels.get_mut(id).filter(|_| is_its_own) {
            channels.heir = Some(heir);
        }
        is_its_own
    }

    /// True for a process in the service's session, or a child of its process.
    fn is_of(&self, id: usize, pid: i32) -> bool {
        let own = self.supervisor.get(id).and_then(|service| service.pid);
        let session = Pid::from_raw(pid).and_then(|pid| rustix::process::getsid(Some(pid)).ok());
        let parent = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // `man 5 proc_pid_stat`: after the name in parentheses come the state and the parent.
            stat.rsplit(')').next()?.split_ascii_whitespace().nth(1)?.parse::<i32>().ok()
        };
        own.is_some() && (session.map(|leader| leader.as_raw_nonzero().get()) == own || parent() == own)
    }

    /// The service a process belongs to: it is the service's own, or one in its session.
    fn service_of(&self, sender: Pid) -> Option<usize> {
        let by_pid = self.supervisor.find_pid(sender.as_raw_nonzero().get());
        let by_session = || {
            let leader = rustix::process::getsid(Some(sender)).ok()?;
            self.supervisor.find_pid(leader.as_raw_nonzero().get())
        };
        let by_group = || self.service_by_group(sender.as_raw_nonzero().get());
        let id = by_pid.or_else(by_session).or_else(by_group)?;
        self.supervisor.get(id).filter(|service| service.definition.notify_socket)?;
        Some(id)
    }
}

/// One datagram: what it says, who sent it, and what came along.
fn receive(socket: &OwnedFd) -> io::Result<(Notice, Option<Pid>, Vec<OwnedFd>)> {
    let mut bytes = [0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1), ScmRights(STORE_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let message = net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)?;
    let (mut sender, mut fds) = (None, Vec::new());
    for part in control.drain() {
        match part {
            RecvAncillaryMessage::ScmCredentials(credentials) => sender = Some(credentials.pid),
            RecvAncillaryMessage::ScmRights(rights) => fds.extend(rights),
            _ => {}
        }
    }
    Ok((notice::parse(bytes.get(..message.bytes).unwrap_or_default()), sender, fds))
}
