//! The control socket: who may do what, and answers that never make lunix-init wait or hold anything for a slow reader.
//!
//! A client has a place in what it is being told, not a queue: rows are made from the services, lines and events from the rings, each
//! when the socket has room for it. `requests` understands what is asked, `answers` tells it, `rows` writes a service's row, `companion`
//! opens the socket of a service that may ask by what its directory says.

mod answers;
mod companion;
mod requests;
mod rows;

pub(crate) use companion::COMPANION_NAME;

use super::{Host, Key};
use crate::rate::Rate;
use answers::{Answer, Feed, refusal, send};
use reactor::{Event, Instant, Interest, Reactor, Token};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Clients of the listening socket at once.
const CLIENTS_MAX: usize = 16;
/// Of those, how many may be neither root nor the owner.
const GUESTS_MAX: usize = 12;
/// Companions at once, beside the clients.
const COMPANIONS_MAX: usize = 4;

/// The listening socket, where there is one, and everybody who asks.
#[derive(Debug)]
pub(crate) struct Control {
    pub(super) listener: Option<Listener>,
    /// First those of the listening socket, then the companions.
    clients: Vec<Option<Client>>,
}

/// Where anybody may connect.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: OwnedFd,
    pub(super) token: Token,
    path: PathBuf,
}

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    token: Token,
    rights: Rights,
    /// What goes on for ever, between the answers.
    feed: Feed,
    /// What it asked for last, until it is complete.
    answer: Answer,
    /// A companion that asks too fast is not read until then.
    rests_until: Option<Instant>,
}

/// What a client may ask for.
#[derive(Debug)]
enum Rights {
    /// Everything that changes nothing.
    Look,
    /// Everything.
    Command,
    /// A companion: the service, what its directory names, and how often.
    Companion { id: usize, verbs: Box<[&'static str]>, rate: Rate },
}

impl Control {
    /// Nobody can reach it.
    pub(crate) fn new() -> Self {
        let clients = std::iter::repeat_with(|| None).take(CLIENTS_MAX + COMPANIONS_MAX).collect();
        Self { listener: None, clients }
    }

    /// Listens at `path`; anybody may connect. Where somebody listens already, only PID 1 takes the place over.
    pub(crate) fn listen(&mut self, path: &Path, is_pid1: bool, reactor: &mut Reactor<Key>) -> io::Result<()> {
        let address = SocketAddrUnix::new(path)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        if is_pid1 && let Some(parent) = path.parent() {
            // Its absence shows in the next step.
            let _ = std::fs::create_dir_all(parent);
        }
        let taken = !is_pid1 && net::connect(&socket, &address).is_ok();
        if taken {
            return Err(Errno::ADDRINUSE.into());
        }
        match rustix::fs::unlink(path) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        net::bind(&socket, &address)?;
        rustix::fs::chmod(path, Mode::from_raw_mode(0o666))?;
        net::listen(&socket, 16)?;
        self.handed_down(socket, path, reactor)
    }

    /// Listens on a socket that another lunix-init left, at `path`.
    pub(crate) fn handed_down(&mut self, socket: OwnedFd, path: &Path, reactor: &mut Reactor<Key>) -> io::Result<()> {
        let token = reactor.insert(&socket, Interest::READ, Key::Listener)?;
        if let Some(before) = self.listener.replace(Listener { socket, token, path: path.to_path_buf() }) {
            let _ = reactor.remove(before.token, &before.socket);
        }
        Ok(())
    }

    /// What it listens on.
    pub(crate) fn listener(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(|listener| listener.socket.as_fd())
    }

    fn client(&self, index: usize) -> Option<&Client> {
        self.clients.get(index)?.as_ref()
    }

    fn client_mut(&mut self, index: usize) -> Option<&mut Client> {
        self.clients.get_mut(index)?.as_mut()
    }
}

impl Host {
    pub(crate) fn remove_socket(&self) {
        if let Some(listener) = &self.control.listener {
            let _ = rustix::fs::unlink(&listener.path);
        }
    }

    /// Listens where nobody can come in any more: there was no room for the socket, or somebody removed it.
    pub(crate) fn listen_again(&mut self) {
        let Some(path) = self.control_path.clone() else { return };
        if self.control.listener.is_some() && path.exists() {
            return;
        }
        match self.control.listen(&path, self.is_pid1, &mut self.reactor) {
            Ok(()) => self.console.say(format_args!("info: listening on {}", path.display())),
            Err(error) => self.console.say(format_args!("error: cannot listen on {}: {error}", path.display())),
        }
    }

    /// Lets one client in; the others come in the next turns.
    pub(crate) fn accept(&mut self) {
        let Some(socket) = self.next_connection() else { return };
        let Ok(uid) = sys::peer::uid(&socket) else { return };
        let may_command = uid == 0 || uid == rustix::process::geteuid().as_raw();
        let seats = self.control.clients.get(..CLIENTS_MAX).unwrap_or_default();
        let guests = seats.iter().flatten().filter(|client| matches!(client.rights, Rights::Look)).count();
        let free = seats.iter().position(Option::is_none);
        let Some(index) = free.filter(|_| may_command || guests < GUESTS_MAX) else {
            let mut buffer = [0; 128];
            send(&socket, refusal(&mut buffer, 75, "too many clients: try again later"));
            return;
        };
        let rights = if may_command { Rights::Command } else { Rights::Look };
        // Without room in the reactor the client sees a closed connection.
        let _ = self.seat(index, socket, rights);
    }

    /// Gives a client its place.
    fn seat(&mut self, index: usize, socket: OwnedFd, rights: Rights) -> io::Result<()> {
        let token = self.reactor.insert(&socket, Interest::READ, Key::Client(index))?;
        if let Some(slot) = self.control.clients.get_mut(index) {
            *slot = Some(Client {
                socket,
                token,
                rights,
                feed: Feed::Nothing,
                answer: Answer::Complete,
                rests_until: None,
            });
        }
        Ok(())
    }

    /// Reads one request, or goes on with the answer to the last.
    pub(crate) fn serve_client(&mut self, index: usize, event: Event<Key>) {
        if event.readable && self.is_ready_to_ask(index) {
            let Some(client) = self.control.client(index) else { return };
            let mut packet = [0; init_control::REQUEST_MAX + 1];
            match net::recv(&client.socket, &mut packet[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => return self.drop_client(index),
                Ok((length, _)) => self.take_request(index, packet.get(..length).unwrap_or_default()),
                Err(Errno::AGAIN) => {}
                Err(_) => return self.drop_client(index),
            }
        } else if event.closed {
            return self.drop_client(index);
        }
        self.go_on(index);
    }

    /// True when the next request of a client may be read: the answer to the last is complete, and it does not ask too fast.
    fn is_ready_to_ask(&mut self, index: usize) -> bool {
        let Some(client) = self.control.client_mut(index) else { return false };
        if !matches!(client.answer, Answer::Complete) || client.rests_until.is_some() {
            return false;
        }
        if let Rights::Companion { rate, .. } = &mut client.rights
            && let Err(moment) = rate.take(Instant::now())
        {
            client.rests_until = Some(moment);
        }
        client.rests_until.is_none()
    }

    /// Sends those what is new to them who are to be told.
    pub(crate) fn tell_watchers(&mut self) {
        for index in 0..self.control.clients.len() {
            let (events, lines) = (self.events.next(), self.log.next());
            let behind = |client: &Client| match &client.feed {
                Feed::Nothing => false,
                Feed::Events(cursor) => *cursor != events,
                Feed::Lines(cursor, _) => *cursor != lines,
            };
            if self.control.client(index).is_some_and(behind) {
                self.go_on(index);
            }
        }
    }

    fn drop_client(&mut self, index: usize) {
        if let Some(client) = self.control.clients.get_mut(index).and_then(Option::take) {
            let _ = self.reactor.remove(client.token, &client.socket);
            drop(client);
            self.let_in_again();
        }
    }

    /// Watches a client for its next request, and for room when there is more to tell.
    fn wait_for(&mut self, index: usize, has_more: bool) {
        let Some(client) = self.control.client(index) else { return };
        let reads = matches!(client.answer, Answer::Complete) && client.rests_until.is_none();
        let interest = match (reads, has_more) {
            (true, true) => Interest::BOTH,
            (true, false) => Interest::READ,
            (false, true) => Interest::WRITE,
            (false, false) => Interest::NONE,
        };
        let _ = self.reactor.set_interest(client.token, &client.socket, interest);
    }
}
