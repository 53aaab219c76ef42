//! sd_notify: datagrams that say `READY=1`, with the sender's process vouched for by the kernel.

use super::{Host, Key};
use reactor::{Instant, Interest};
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use rustix::process::Pid;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// Most datagrams taken per turn.
const DATAGRAMS_MAX: usize = 16;

/// The socket, under an abstract name the kernel chose: nothing to clean up, nothing to write to.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: OwnedFd,
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
        let name = SocketAddrUnix::try_from(net::getsockname(&socket)?)?;
        let address = [b"@", name.abstract_name().unwrap_or_default()].concat();
        self.reactor.insert(&socket, Interest::READ, Key::NotifySocket)?;
        self.notify = Some(NotifySocket { socket, address: address.clone() });
        Ok(address)
    }

    pub(crate) fn read_notify_socket(&mut self) {
        for _ in 0..DATAGRAMS_MAX {
            let Some(NotifySocket { socket, .. }) = &self.notify else { return };
            let Ok((ready, sender)) = receive(socket) else { return };
            let Some(sender) = sender.filter(|_| ready) else { continue };
            if let Some(id) = self.service_of(sender) {
                self.supervisor.announced(Instant::now(), id, &mut self.acts);
            }
        }
    }

    /// The service a process belongs to: it is the service's own, or one in its session.
    fn service_of(&self, sender: Pid) -> Option<usize> {
        let by_pid = self.supervisor.find_pid(sender.as_raw_nonzero().get());
        let by_session = || {
            let leader = rustix::process::getsid(Some(sender)).ok()?;
            self.supervisor.find_pid(leader.as_raw_nonzero().get())
        };
        let id = by_pid.or_else(by_session)?;
        self.supervisor.get(id).filter(|service| service.definition.notify_socket)?;
        Some(id)
    }
}

/// One datagram: whether it says ready, and who sent it.
fn receive(socket: &OwnedFd) -> io::Result<(bool, Option<Pid>)> {
    let mut bytes = [0; 1024];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::DONTWAIT)?;
    let mut sender = None;
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmCredentials(credentials) = part {
            sender = Some(credentials.pid);
        }
    }
    let lines = bytes.get(..message.bytes).unwrap_or_default();
    Ok((lines.split(|&byte| byte == b'\n').any(|line| line == b"READY=1"), sender))
}
