//! The companion: a service that is born with a socket to us, and may ask on it for what its directory names (`companion`).
//!
//! It speaks for the bus and is trusted with nothing else: what it sends is read one packet at a time and only when the answer to the one
//! before is complete, at a bounded rate; what it does not read waits in the rings or is overwritten there.

use super::{CLIENTS_MAX, Host, Rights};
use crate::rate::Rate;
use init_control::What;
use reactor::Instant;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;

/// The name under which a companion finds its socket.
pub(crate) const COMPANION_NAME: &str = "init";
/// Bytes that may be on their way to it.
const SEND_BUFFER: usize = 64 * 1024;

impl Host {
    /// Opens the socket of a companion that is about to start; returns its end. `None`: the service is none.
    pub(crate) fn open_companion(&mut self, id: usize) -> io::Result<Option<OwnedFd>> {
        self.close_companion(id);
        let verbs = self.supervisor.get(id).and_then(|service| service.definition.rare().companion.clone());
        let Some(verbs) = verbs else { return Ok(None) };
        let free = (CLIENTS_MAX..self.control.clients.len()).find(|&index| self.control.client(index).is_none());
        let index = free.ok_or_else(|| io::Error::other("companion: there are too many of them"))?;
        let (ours, theirs) = net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        net::sockopt::set_socket_send_buffer_size(&ours, SEND_BUFFER)?;
        self.seat(index, ours, Rights::Companion { id, verbs, rate: Rate::default() })?;
        Ok(Some(theirs))
    }

    /// Something happened to a service: a companion's socket ends with its process, whoever else holds the other end.
    pub(crate) fn follow_companion(&mut self, id: usize, what: What) {
        if matches!(what, What::Exited | What::Broken | What::Removed) {
            self.close_companion(id);
        }
    }

    fn close_companion(&mut self, id: usize) {
        let is_its = |index: &usize| {
            let rights = self.control.client(*index).map(|client| &client.rights);
            matches!(rights, Some(Rights::Companion { id: of, .. }) if *of == id)
        };
        if let Some(index) = (CLIENTS_MAX..self.control.clients.len()).find(is_its) {
            self.drop_client(index);
        }
    }

    /// When the next companion that asked too fast may go on.
    pub(crate) fn companion_deadline(&self) -> Option<Instant> {
        self.control.clients.iter().flatten().filter_map(|client| client.rests_until).min()
    }

    /// Lets those go on whose rest is over.
    pub(crate) fn wake_companions(&mut self, now: Instant) {
        for index in CLIENTS_MAX..self.control.clients.len() {
            if let Some(client) = self.control.client_mut(index)
                && client.rests_until.is_some_and(|moment| moment <= now)
            {
                client.rests_until = None;
                self.go_on(index);
            }
        }
    }
}
