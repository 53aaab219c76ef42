//! The control socket: who may do what, and answers that never make lunix-init wait or hold anything for a slow reader.
//!
//! A client has a place in what it is being told, not a queue: rows are made from the services, lines and events from the rings, each
//! when the socket has room for it.

use super::{Host, Key};
use crate::ring::{Cursor, Read};
use crate::shutdown::{Goal, Phase};
use crate::supervisor::Order;
use init_control::{Ended, Error, REPLY_MAX, REQUEST_MAX, Request, ServiceState, Writer};
use reactor::{Event, Instant, Interest, Reactor, Token};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use sys::signal;

/// Clients at once.
const CLIENTS_MAX: usize = 16;
/// Of those, how many may be neither root nor the owner.
const GUESTS_MAX: usize = 12;
/// Most bytes of the names a service depends on.
const AFTER_MAX: usize = 1000;
/// Most packets sent to one client per turn.
const PACKETS_MAX: usize = 64;

/// The listening socket and its clients.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) listener: OwnedFd,
    pub(crate) listening: Token,
    path: PathBuf,
    clients: Vec<Option<Client>>,
}

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    token: Token,
    may_command: bool,
    place: Place,
}

/// What a client is told next.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nothing.
    Idle,
    /// The rows from this number of service on, then events from the cursor on when it watches.
    Rows { next: usize, events: Cursor, watches: bool },
    /// The lines from the cursor to this number, the first that came after the question: a flood must not make the answer endless.
    Lines { cursor: Cursor, end: u64 },
    /// The events from the cursor on.
    Events(Cursor),
}

/// What one attempt to send came to.
enum Sent {
    Yes,
    NoRoom,
    Gone,
}

impl Control {
    /// Listens at `path`; anybody may connect. Where somebody listens already, only PID 1 takes the place over.
    pub(crate) fn open(path: &Path, is_pid1: bool, reactor: &mut Reactor<Key>) -> io::Result<Self> {
        let address = SocketAddrUnix::new(path)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let listener = net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        if is_pid1 && let Some(parent) = path.parent() {
            // Its absence shows in the next step.
            let _ = std::fs::create_dir_all(parent);
        }
        let taken = !is_pid1 && net::connect(&listener, &address).is_ok();
        if taken {
            return Err(Errno::ADDRINUSE.into());
        }
        match rustix::fs::unlink(path) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        net::bind(&listener, &address)?;
        rustix::fs::chmod(path, Mode::from_raw_mode(0o666))?;
        net::listen(&listener, 16)?;
        let listening = reactor.insert(&listener, Interest::READ, Key::Listener)?;
        let clients = std::iter::repeat_with(|| None).take(CLIENTS_MAX).collect();
        Ok(Self { listener, listening, path: path.to_path_buf(), clients })
    }
}

impl Host {
    pub(crate) fn remove_socket(&self) {
        if let Some(control) = &self.control {
            let _ = rustix::fs::unlink(&control.path);
        }
    }

    /// Lets one client in; the others come in the next turns.
    pub(crate) fn accept(&mut self) {
        let Some(socket) = self.next_connection() else { return };
        let Some(control) = &mut self.control else { return };
        let Ok(uid) = sys::peer::uid(&socket) else { return };
        let may_command = uid == 0 || uid == rustix::process::geteuid().as_raw();
        let guests = control.clients.iter().flatten().filter(|client| !client.may_command).count();
        let free = control.clients.iter().position(Option::is_none);
        let Some(index) = free.filter(|_| may_command || guests < GUESTS_MAX) else {
            let mut buffer = [0; 128];
            send(&socket, refusal(&mut buffer, 75, "too many clients: try again later"));
            return;
        };
        let Ok(token) = self.reactor.insert(&socket, Interest::READ, Key::Client(index)) else { return };
        if let Some(slot) = control.clients.get_mut(index) {
            *slot = Some(Client { socket, token, may_command, place: Place::Idle });
        }
    }

    /// Reads one request, or goes on with the answer to the last.
    pub(crate) fn serve_client(&mut self, index: usize, event: Event<Key>) {
        if event.readable {
            let Some(client) = self.client(index) else { return };
            let mut packet = [0; REQUEST_MAX + 1];
            match net::recv(&client.socket, &mut packet[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => return self.drop_client(index),
                Ok((length, _)) => self.take_request(index, packet.get(..length).unwrap_or_default()),
                Err(Errno::AGAIN) => {}
                Err(_) => return self.drop_client(index),
            }
        }
        self.go_on(index);
    }

    /// Sends watchers what is new to them.
    pub(crate) fn tell_watchers(&mut self) {
        for index in 0..CLIENTS_MAX {
            let newest = self.events.next();
            let behind = |client: &Client| matches!(client.place, Place::Events(cursor) if cursor != newest);
            if self.client(index).is_some_and(behind) {
                self.go_on(index);
            }
        }
    }

    fn client(&self, index: usize) -> Option<&Client> {
        self.control.as_ref()?.clients.get(index)?.as_ref()
    }

    fn drop_client(&mut self, index: usize) {
        let Some(control) = &mut self.control else { return };
        if let Some(client) = control.clients.get_mut(index).and_then(Option::take) {
            let _ = self.reactor.remove(client.token, &client.socket);
            drop(client);
            self.let_in_again();
        }
    }

    fn take_request(&mut self, index: usize, packet: &[u8]) {
        let Some(may_command) = self.client(index).map(|client| client.may_command) else { return };
        let events = self.events.next();
        let mut place = Place::Idle;
        let answer = match Request::decode(packet) {
            Err(error) => Err((64, error.to_string())),
            Ok(request) if !request.only_looks() && !may_command => {
                Err((77, format!("{} needs root or the user lunix-init runs as", request.verb())))
            }
            Ok(Request::List) => {
                place = Place::Rows { next: 0, events, watches: false };
                Ok(false)
            }
            Ok(Request::Watch) => {
                place = Place::Rows { next: 0, events, watches: true };
                Ok(false)
            }
            Ok(Request::Usage { .. }) => Err((69, "there are no cgroups to count by".to_owned())),
            Ok(Request::Log { name: Some(_), .. } | Request::Log { follow: true, .. }) => {
                Err((64, "log: only all lines kept can be asked for".to_owned()))
            }
            Ok(Request::Log { .. }) => {
                place = Place::Lines { cursor: self.log.oldest(), end: self.log.next().number() };
                Ok(false)
            }
            Ok(Request::Status { name }) => self.find(name).map(|id| {
                self.send_row(index, id);
                self.send_end(index, events.number() - 1, None);
                false
            }),
            Ok(Request::Start { name }) => self.order(name, Order::Start),
            Ok(Request::Stop { name }) => self.order(name, Order::Stop),
            Ok(Request::Restart { name }) => self.order(name, Order::Restart),
            Ok(Request::Once { name }) => self.order(name, Order::Once),
            Ok(Request::Reload { name }) => self.order(name, Order::Reload),
            Ok(Request::Signal { name, signal }) => self.send_signal(name, signal),
            Ok(Request::Rescan) => {
                self.rescan();
                Ok(true)
            }
            Ok(Request::Poweroff) => self.end_machine("poweroff", Goal::Poweroff),
            Ok(Request::Reboot) => self.end_machine("reboot", Goal::Reboot),
            Ok(Request::Kexec) => Err((69, "kexec: no kernel is loaded".to_owned())),
            Ok(Request::Reexec) => Err((69, "reexec: there is no other program".to_owned())),
            Ok(Request::Halt) => self.end_machine("halt", Goal::Halt),
        };
        if let Some(Some(client)) = self.control.as_mut().and_then(|control| control.clients.get_mut(index)) {
            client.place = place;
        }
        let mut buffer = [0; 1024];
        match answer {
            Ok(false) => {}
            Ok(true) => self.send_or_drop(index, Writer::new(&mut buffer, "ok").finish()),
            Err((code, sentence)) => self.send_or_drop(index, refusal(&mut buffer, code, &sentence)),
        }
    }

    fn find(&self, name: &str) -> Result<usize, (u8, String)> {
        self.supervisor.find(name).ok_or_else(|| (69, format!("there is no service {name}")))
    }

    fn order(&mut self, name: &str, order: Order) -> Result<bool, (u8, String)> {
        let id = self.find(name)?;
        let outcome = self.supervisor.order(Instant::now(), id, order, &mut self.acts);
        self.run_acts();
        outcome.map(|()| true).map_err(|sentence| (78, format!("{name}: {sentence}")))
    }

    fn send_signal(&mut self, name: &str, word: &str) -> Result<bool, (u8, String)> {
        let id = self.find(name)?;
        let number = signal::number_of(word).ok_or_else(|| (64, format!("there is no signal {word}")))?;
        let process = self.channels.get(id).and_then(|channels| channels.process.as_ref());
        let process = process.ok_or_else(|| (69, format!("{name} has no process")))?;
        let describe = |error| (71, format!("cannot signal process {}: {error}", process.pid()));
        process.signal(number).map(|()| true).map_err(describe)
    }

    fn end_machine(&mut self, verb: &str, goal: Goal) -> Result<bool, (u8, String)> {
        if !self.is_pid1 {
            return Err((64, format!("{verb}: this lunix-init is not PID 1; SIGTERM ends it")));
        }
        if self.shutdown.phase() != Phase::Over {
            self.ask(goal);
        }
        Ok(true)
    }

    /// Tells the client what it is to be told, as far as there is room.
    fn go_on(&mut self, index: usize) {
        for _ in 0..PACKETS_MAX {
            let Some(client) = self.client(index) else { return };
            let (outcome, place) = match client.place {
                Place::Idle => return self.wait_for(index, Interest::READ),
                Place::Rows { next, events, watches } => self.row(index, next, events, watches),
                Place::Lines { cursor, end } => self.log_line(index, cursor, end),
                Place::Events(cursor) if cursor == self.events.next() => return self.wait_for(index, Interest::READ),
                Place::Events(cursor) => self.event(index, cursor),
            };
            match outcome {
                Sent::NoRoom => return self.wait_for(index, Interest::BOTH),
                Sent::Gone => return self.drop_client(index),
                Sent::Yes => {
                    if let Some(Some(client)) = self.control.as_mut().and_then(|control| control.clients.get_mut(index))
                    {
                        client.place = place;
                    }
                }
            }
        }
        // Others first; there is room, so the next turn comes at once.
        self.wait_for(index, Interest::BOTH);
    }

    fn wait_for(&mut self, index: usize, interest: Interest) {
        let Some(client) = self.control.as_ref().and_then(|control| control.clients.get(index)?.as_ref()) else {
            return;
        };
        let _ = self.reactor.set_interest(client.token, &client.socket, interest);
    }

    fn row(&mut self, index: usize, next: usize, events: Cursor, watches: bool) -> (Sent, Place) {
        let id = (next..self.supervisor.numbers()).find(|&id| self.supervisor.get(id).is_some());
        match id {
            Some(id) => (self.send_row(index, id), Place::Rows { next: id + 1, events, watches }),
            None => {
                let place = if watches { Place::Events(events) } else { Place::Idle };
                (self.send_end(index, events.number() - 1, None), place)
            }
        }
    }

    fn log_line(&mut self, index: usize, mut cursor: Cursor, end: u64) -> (Sent, Place) {
        let mut line = [0; crate::ring::RECORD_MAX];
        let mut buffer = [0; REPLY_MAX];
        let read = if cursor.number() < end { self.log.read(&mut cursor, &mut line) } else { Read::End };
        match read {
            Read::Record(length) => {
                let text = line.get(..length).unwrap_or_default();
                let record = Writer::new(&mut buffer, "line").field("text", text).finish();
                (self.send_to(index, record), Place::Lines { cursor, end })
            }
            // Overwritten while it was being read: what is left is newer.
            Read::Lost => (Sent::Yes, Place::Lines { cursor: self.log.oldest(), end }),
            Read::End => {
                let dropped = self.log.oldest().number() - 1;
                (self.send_end(index, self.events.next().number() - 1, Some(dropped)), Place::Idle)
            }
        }
    }

    fn event(&mut self, index: usize, mut cursor: Cursor) -> (Sent, Place) {
        let mut record = [0; crate::ring::RECORD_MAX];
        match self.events.read(&mut cursor, &mut record) {
            Read::Record(length) => {
                (self.send_to(index, Ok(record.get(..length).unwrap_or_default())), Place::Events(cursor))
            }
            Read::End => (Sent::Yes, Place::Events(cursor)),
            Read::Lost => {
                let mut buffer = [0; 128];
                let sentence = "read too slowly: events were lost; connect again";
                // It may have no room even for this; the end of the connection says it as well.
                let _ = self.send_to(index, refusal(&mut buffer, 75, sentence));
                (Sent::Gone, Place::Idle)
            }
        }
    }

    fn send_row(&self, index: usize, id: usize) -> Sent {
        let Some(service) = self.supervisor.get(id) else { return Sent::Yes };
        let (code, number) = match service.ended {
            None => (None, None),
            Some(Ended::Code(code)) => (Some(code), None),
            Some(Ended::Signal(number)) => (None, Some(number)),
        };
        let now = Instant::now();
        let age = |moment: Instant| u64::try_from(now.since(moment).as_millis()).unwrap_or(u64::MAX);
        let is_ready = service.life.state() == ServiceState::Ready && service.definition.policy.announces;
        let kind: &[u8] = match service.newest() {
            definition if definition.is_bundle => b"bundle",
            definition if definition.policy.oneshot => b"oneshot",
            _ => b"longrun",
        };
        let wanted: &[u8] = if service.is_wanted() { b"up" } else { b"down" };
        let chosen: Option<&[u8]> = service.chosen.map(|started| if started { &b"started"[..] } else { b"stopped" });
        let reason = service.reason.as_bytes();
        let after = service.newest().after.join("\n");
        let after = after.as_bytes().get(..AFTER_MAX).unwrap_or(after.as_bytes());
        let mut buffer = [0; REPLY_MAX];
        let record = Writer::new(&mut buffer, "service")
            .field("name", service.name.as_bytes())
            .field("state", service.shown_state().word().as_bytes())
            .field("type", kind)
            .field("wanted", wanted)
            .optional("override", chosen)
            .optional("once", service.once.then_some(b"yes"))
            .optional_number("pid", service.pid)
            .number("since_ms", age(service.life.since()))
            .optional_number("process_ms", service.pid.map(|_| age(service.life.born())))
            .optional_number("ready_ms", is_ready.then(|| age(service.life.since())))
            .number("restarts", service.life.restarts())
            .optional_number("code", code)
            .optional_number("signal", number)
            .optional("after", (!after.is_empty()).then_some(after))
            .optional("status", service.status().map(str::as_bytes))
            .optional("reason", (!reason.is_empty()).then(|| reason.get(..400).unwrap_or(reason)))
            .finish();
        self.send_to(index, record)
    }

    fn send_end(&self, index: usize, seq: u64, dropped: Option<u64>) -> Sent {
        let mut buffer = [0; 128];
        let record = Writer::new(&mut buffer, "end").number("seq", seq).optional_number("dropped", dropped).finish();
        self.send_to(index, record)
    }

    fn send_to(&self, index: usize, record: Result<&[u8], Error>) -> Sent {
        self.client(index).map_or(Sent::Gone, |client| send(&client.socket, record))
    }

    fn send_or_drop(&mut self, index: usize, record: Result<&[u8], Error>) {
        match self.send_to(index, record) {
            Sent::Yes => {}
            // It asks without reading the answers.
            Sent::NoRoom | Sent::Gone => self.drop_client(index),
        }
    }
}

fn refusal<'b>(buffer: &'b mut [u8], code: u8, sentence: &str) -> Result<&'b [u8], Error> {
    let sentence = sentence.as_bytes();
    Writer::new(buffer, "error").number("code", code).field("reason", sentence.get(..200).unwrap_or(sentence)).finish()
}

fn send(socket: &OwnedFd, record: Result<&[u8], Error>) -> Sent {
    // The buffers are sized for the longest record, so an unfinished one cannot be; it would be told as the end.
    let Ok(record) = record else { return Sent::Gone };
    match net::send(socket, record, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
        Ok(_) => Sent::Yes,
        Err(Errno::AGAIN | Errno::NOBUFS) => Sent::NoRoom,
        Err(_) => Sent::Gone,
    }
}
