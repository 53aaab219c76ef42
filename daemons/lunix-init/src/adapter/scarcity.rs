//! When descriptors, memory or the kernel's tables run out: what could not be done is done a little later, nothing spins, and a client
//! can still ask.

use super::Host;
use crate::scarcity::is_scarce;
use reactor::{Instant, Interest};
use rustix::io::Errno;
use rustix::net::{self, SocketFlags};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// How long to wait before what could not be done is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How often it looks around when the kernel does not wait for it.
const BLIND: Duration = Duration::from_millis(100);

/// As many clients are let in when all descriptors are in use: one that watches and one that asks.
const SPARES: usize = 2;

/// What is kept for such times, and what is to be done when they are over.
#[derive(Debug, Default)]
pub(crate) struct Scarcity {
    /// Descriptors that are given up for clients when there are no others.
    spares: Vec<OwnedFd>,
    /// The next attempt.
    pub(crate) again_at: Option<Instant>,
    /// The directory could not be read.
    pub(crate) unread: bool,
    /// Nobody is let in until the next attempt, or until a client leaves.
    closed: bool,
    /// The timer could not be set: wait no longer than this.
    pub(crate) wait_max: Option<Duration>,
    /// The kernel did not wait, which was told.
    blind: bool,
}

impl Scarcity {
    pub(crate) fn new(null: &OwnedFd) -> Self {
        Self { spares: (0..SPARES).filter_map(|_| spare(null)).collect(), ..Self::default() }
    }
}

fn spare(null: impl AsFd) -> Option<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(null, 3).ok()
}

impl Host {
    /// Tries again in a moment to read the directory.
    pub(crate) fn read_again_later(&mut self) {
        self.scarcity.unread = true;
        self.scarcity.again_at.get_or_insert(Instant::now() + AGAIN);
    }

    /// Does what could not be done before.
    pub(crate) fn try_again(&mut self, now: Instant) {
        if self.scarcity.again_at.is_none_or(|moment| moment > now) {
            return;
        }
        self.scarcity.again_at = None;
        self.let_in_again();
        if self.scarcity.unread {
            self.rescan();
        }
    }

    /// Takes the next connection. Without a free descriptor a spare one makes room; without one nobody is let in for a while, for a
    /// connection that waits would wake us for ever.
    pub(crate) fn next_connection(&mut self) -> Option<OwnedFd> {
        let listener = &self.control.listener.as_ref()?.socket;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let accepted = match net::accept_with(listener, flags) {
            Err(Errno::MFILE | Errno::NFILE) if self.scarcity.spares.pop().is_some() => {
                net::accept_with(listener, flags)
            }
            accepted => accepted,
        };
        match accepted {
            Ok(socket) => return Some(socket),
            Err(errno) if is_scarce(errno) && !matches!(errno, Errno::AGAIN | Errno::INTR) => self.let_nobody_in(errno),
            // It went away before we came.
            Err(_) => {}
        }
        None
    }

    fn let_nobody_in(&mut self, errno: Errno) {
        self.watch_listener(Interest::NONE);
        self.scarcity.closed = true;
        self.scarcity.again_at.get_or_insert(Instant::now() + AGAIN);
        self.console.say(format_args!("warn: no client is let in for now: {errno}"));
    }

    /// A client has left, or some time has passed.
    pub(crate) fn let_in_again(&mut self) {
        if self.scarcity.spares.len() < SPARES {
            self.scarcity.spares.extend(spare(&self.null));
        }
        if std::mem::take(&mut self.scarcity.closed) {
            self.watch_listener(Interest::READ);
        }
    }

    fn watch_listener(&mut self, interest: Interest) {
        if let Some(listener) = &self.control.listener {
            let _ = self.reactor.set_interest(listener.token, &listener.socket, interest);
        }
    }

    /// The kernel did not wait for something to happen: what may have happened is looked for, at a slow pace.
    pub(crate) fn go_on_blindly(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.scarcity.blind, true) {
            self.console.say(format_args!("error: cannot wait for events, looking for them instead: {error}"));
        }
        std::thread::sleep(BLIND);
        self.take_signals();
        self.reap();
        self.directory_changed();
        self.accept();
    }

    /// The kernel waits for us again.
    pub(crate) fn waits_again(&mut self) {
        self.scarcity.blind = false;
    }
}
