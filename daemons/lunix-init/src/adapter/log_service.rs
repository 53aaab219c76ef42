//! Handing the output of services to the one that keeps it (`type` is log), and taking it back when that stays away.
//!
//! Both ends of every output pipe stay open here, so nothing is lost while the log service starts anew: what it has not read is in the pipes.

use super::{Host, Key};
use crate::survival::record::LinkRecord;
use init_control::{What, Writer};
use reactor::{Event, Instant, Interest, Token};
use rustix::io::{Errno, IoSlice};
use rustix::net::{self, AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType};
use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// The name under which the log service finds its socket.
pub(crate) const SOCKET_NAME: &str = "lunix-log";
/// How long the log service may be away before its work is done here.
const AWAY_MAX: Duration = Duration::from_secs(5);

/// What leads to the log service.
#[derive(Debug)]
pub(crate) struct LogLink {
    id: usize,
    socket: OwnedFd,
    token: Token,
    /// It is ready: output goes there and is not read here.
    pub(crate) has_output: bool,
    /// Services whose output it has not been given yet.
    ahead: VecDeque<usize>,
}

impl LogLink {
    /// A link as another lunix-init left it; `ahead` are the services whose output it has not been given yet.
    pub(crate) fn handed_down(
        record: LinkRecord,
        socket: OwnedFd,
        token: Token,
        ahead: VecDeque<usize>,
    ) -> Option<Self> {
        let id = usize::try_from(record.id).ok()?;
        Some(Self { id, socket, token, has_output: record.has_output, ahead })
    }

    /// As it is written down.
    pub(crate) fn record(&self) -> LinkRecord {
        let id = u32::try_from(self.id).unwrap_or(u32::MAX);
        LinkRecord { id, socket: self.socket.as_raw_fd(), has_output: self.has_output }
    }

    /// Our end.
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The output of this service has not been given to it yet.
    pub(crate) fn is_ahead(&self, id: usize) -> bool {
        self.ahead.contains(&id)
    }
}

impl Host {
    /// Opens the link to the log service that is about to start; returns its end.
    pub(crate) fn open_log_link(&mut self, id: usize) -> io::Result<OwnedFd> {
        self.close_log_link();
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        let token = self.reactor.insert(&ours, Interest::NONE, Key::LogLink)?;
        self.log_link = Some(LogLink { id, socket: ours, token, has_output: false, ahead: VecDeque::new() });
        Ok(theirs)
    }

    fn close_log_link(&mut self) {
        if let Some(link) = self.log_link.take() {
            let _ = self.reactor.remove(link.token, &link.socket);
        }
    }

    /// Something happened to a service: when it is the log service, output goes there, or comes back after a while.
    pub(crate) fn follow_log_service(&mut self, id: usize, what: What) {
        let Some(link) = self.log_link.as_mut().filter(|link| link.id == id) else { return };
        match what {
            What::Ready => {
                link.has_output = true;
                link.ahead = (0..self.channels.len()).filter(|&other| other != id).collect();
                self.drain_at = None;
                for other in 0..self.channels.len() {
                    if other != id {
                        self.leave_output(other);
                    }
                }
                self.hand_over();
            }
            What::Exited | What::Broken | What::Removed => {
                if link.has_output {
                    self.drain_at = Some(Instant::now() + AWAY_MAX);
                }
                self.close_log_link();
            }
            What::Added
            | What::Changed
            | What::Waiting
            | What::Started
            | What::Stopping
            | What::Backoff
            | What::Stopped
            | What::Reloaded
            | What::Oom
            | What::Pressure
            | What::GenerationBegun
            | What::GenerationDone
            | What::GenerationRejected
            | What::Poweroff
            | What::Reboot
            | What::Halt
            | What::Kexec
            | What::Shutdown => {}
        }
    }

    /// The socket of the log service has room again, or its other end is closed.
    pub(crate) fn serve_log_link(&mut self, event: Event<Key>) {
        match &self.log_link {
            Some(link) if event.closed => {
                // Its end shows as a death, too; a service that only closes its socket gets nothing more.
                let _ = self.reactor.set_interest(link.token, &link.socket, Interest::NONE);
                self.close_log_link();
                self.drain_at.get_or_insert(Instant::now() + AWAY_MAX);
            }
            Some(_) => self.hand_over(),
            None => {}
        }
    }

    /// A service has an output now.
    pub(crate) fn hand_over_one(&mut self, id: usize) {
        if let Some(link) = self.log_link.as_mut().filter(|link| link.has_output && link.id != id) {
            link.ahead.push_back(id);
            self.hand_over();
        }
    }

    /// Sends what there is room for.
    pub(crate) fn hand_over(&mut self) {
        let Some(link) = &mut self.log_link else { return };
        while let Some(&id) = link.ahead.front() {
            let name = self.supervisor.get(id).map(|service| &*service.name);
            let reader = self.channels.get(id).and_then(|channels| channels.reader());
            let sent = name.zip(reader).map_or(Ok(()), |(name, reader)| send(&link.socket, name, reader));
            if matches!(sent, Err(Errno::AGAIN | Errno::NOBUFS)) {
                let _ = self.reactor.set_interest(link.token, &link.socket, Interest::WRITE);
                return;
            }
            link.ahead.pop_front();
            self.supervisor.touch(id);
            // Too many descriptors are on their way to be taken: this one stays here. A closed socket is told by the reactor.
            if sent == Err(Errno::TOOMANYREFS) {
                let _ = self.watch_output(id);
                return self.hand_over();
            }
        }
        let _ = self.reactor.set_interest(link.token, &link.socket, Interest::NONE);
    }

    /// The log service has been away for too long: output is read here until it is back.
    pub(crate) fn take_output_back(&mut self, now: Instant) {
        if self.drain_at.is_none_or(|moment| moment > now) {
            return;
        }
        self.drain_at = None;
        for id in 0..self.channels.len() {
            if let Err(error) = self.watch_output(id) {
                self.console.say(format_args!("error: cannot read the output of a service: {error}"));
            }
        }
        self.console.say(format_args!("warn: the log service is away: its lines are kept here"));
    }
}

/// One packet: the name, and the end to read from.
fn send(socket: &OwnedFd, name: &str, reader: impl AsFd) -> Result<(), Errno> {
    let mut buffer = [0; 256];
    let record =
        Writer::new(&mut buffer, "output").field("name", name.as_bytes()).finish().map_err(|_| Errno::MSGSIZE)?;
    let fds = [reader.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    net::sendmsg(socket, &[IoSlice::new(record)], &mut control, flags).map(|_| ())
}
