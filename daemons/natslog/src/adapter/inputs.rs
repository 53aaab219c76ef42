//! Reading: every descriptor that lines come from, a bounded number of bytes each turn.

use super::open::{self, Handed};
use super::pipes::{self, Given, Pipe};
use super::{Natslog, Source, World};
use crate::config::Config;
use crate::machine::{Cut, Origin};
use crate::stream::Messages;
use daemon::{Fatal, Interest, Level, exit};
use reactor::Token;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SocketFlags};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

/// Datagrams and records that are taken from one descriptor in one turn.
const MESSAGES_PER_TURN: usize = 128;

/// One connection.
#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    token: Token,
    /// Who sends, as the kernel says.
    from: Origin<'static>,
    messages: Messages,
}

/// What lines come from.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Datagram sockets: unix (true) and UDP.
    datagrams: Vec<(bool, OwnedFd)>,
    /// Sockets that listen: unix (true) and TCP.
    listeners: Vec<(bool, OwnedFd)>,
    connections: Vec<Option<Connection>>,
    kmsg: Option<OwnedFd>,
    link: Option<OwnedFd>,
    pipes: Vec<Option<Pipe>>,
    /// What is read goes here.
    buffer: Vec<u8>,
    line_max: usize,
    connections_max: usize,
}

impl Inputs {
    /// Opens everything. What the machine does not have, or does not let us have, is told and does without; what the configuration asks
    /// for by address must be there.
    pub(super) fn open(config: &Config, context: &mut World<'_>) -> Result<Self, Fatal> {
        let mut handed = Handed::take().map_err(|error| Fatal::system("cannot take what is handed over", error))?;
        let fatal = |error: io::Error| Fatal::new(exit::SYSTEM, format!("cannot listen: {error}"));
        let mut this = Self { buffer: vec![0; config.line_max + 1], line_max: config.line_max, ..Self::default() };
        this.connections_max = config.connections_max;
        for address in &config.unix {
            let (is_stream, socket) = open::unix(address, &mut handed).map_err(fatal)?;
            this.add(true, is_stream, socket, context).map_err(fatal)?;
        }
        for (addresses, is_stream) in [(&config.udp, false), (&config.tcp, true)] {
            for address in addresses {
                let socket = open::network(address, is_stream).map_err(fatal)?;
                this.add(false, is_stream, socket, context).map_err(fatal)?;
            }
        }
        if handed.unused() > 0 {
            context.log(Level::Warn, format_args!("{} sockets are handed over for nothing", handed.unused()));
        }
        if let Some(link) = handed.link {
            context.watch(&link, Interest::READ, Source::Link).map_err(fatal)?;
            this.link = Some(link);
        }
        this.open_kmsg(&config.kmsg, context);
        Ok(this)
    }

    fn add(&mut self, is_unix: bool, is_stream: bool, socket: OwnedFd, context: &mut World<'_>) -> io::Result<()> {
        if is_stream {
            context.watch(&socket, Interest::READ, Source::Listener(self.listeners.len()))?;
            self.listeners.push((is_unix, socket));
        } else {
            context.watch(&socket, Interest::READ, Source::Datagrams(self.datagrams.len()))?;
            self.datagrams.push((is_unix, socket));
        }
        Ok(())
    }

    fn open_kmsg(&mut self, path: &str, context: &mut World<'_>) {
        if path.is_empty() {
            return;
        }
        let opened = open::kmsg(path).and_then(|kmsg| {
            context.watch(&kmsg, Interest::READ, Source::Kmsg)?;
            Ok(kmsg)
        });
        match opened {
            Ok(kmsg) => self.kmsg = Some(kmsg),
            Err(error) => context.log(Level::Warn, format_args!("no lines of the kernel: {path}: {error}")),
        }
    }

    /// The path of nothing: the sockets stay as they are when the configuration is read again.
    pub(super) fn configure(&mut self, config: &Config) {
        self.connections_max = config.connections_max;
    }
}

impl Natslog {
    pub(super) fn read(&mut self, source: Source, context: &mut World<'_>) {
        let mut buffer = std::mem::take(&mut self.inputs.buffer);
        let read = match source {
            Source::Datagrams(index) => self.read_datagrams(index, &mut buffer, context),
            Source::Listener(index) => self.accept(index, context),
            Source::Connection(slot) => self.read_connection(slot, &mut buffer, context),
            Source::Kmsg => self.read_kmsg(&mut buffer, context),
            Source::Link => self.read_link(context),
            Source::Pipe(slot) => self.read_pipe(slot, &mut buffer, context),
            Source::Timer | Source::Flush | Source::Target(_) | Source::Retry(_) => Ok(()),
        };
        self.inputs.buffer = buffer;
        if let Err(error) = read {
            context.log(Level::Error, format_args!("cannot read {source:?}: {error}"));
        }
    }

    fn read_datagrams(&mut self, index: usize, buffer: &mut [u8], context: &mut World<'_>) -> io::Result<()> {
        for _ in 0..MESSAGES_PER_TURN {
            let Some((is_unix, socket)) = self.inputs.datagrams.get(index) else { return Ok(()) };
            let received = if *is_unix { from_user(socket, buffer) } else { from_remote(socket, buffer) };
            let (from, len) = match received {
                Ok(Some(received)) => received,
                Ok(None) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.arrive_whole(from, buffer, len, context);
        }
        Ok(())
    }

    /// One message of at most `len` bytes of the buffer; it has room for one byte more than a message may have.
    fn arrive_whole(&mut self, from: Origin<'_>, buffer: &[u8], len: usize, context: &mut World<'_>) {
        let cut = if len > self.inputs.line_max { Cut::Cut } else { Cut::No };
        let bytes = buffer.get(..len.min(self.inputs.line_max)).unwrap_or_default();
        self.arrive(from, cut, bytes, context);
    }

    fn accept(&mut self, index: usize, context: &mut World<'_>) -> io::Result<()> {
        let Some((is_unix, listener)) = self.inputs.listeners.get(index) else { return Ok(()) };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (socket, address) = match net::acceptfrom_with(listener, flags) {
            Ok(accepted) => accepted,
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        let from = if *is_unix {
            let peer = sys::peer::credentials(&socket)?;
            Origin::User { uid: peer.uid, pid: peer.pid.unwrap_or_default() }
        } else {
            match address.and_then(|address| SocketAddr::try_from(address).ok()) {
                Some(address) => Origin::Remote(address.ip().to_canonical()),
                None => return Ok(()),
            }
        };
        let open = self.inputs.connections.iter().flatten().count();
        if open >= self.inputs.connections_max {
            // Closed at once: whoever sends is told, and may try again.
            context.log(Level::Warn, format_args!("a connection was refused: {open} are open"));
            return Ok(());
        }
        let slot = free_slot(&mut self.inputs.connections);
        let token = context.watch(&socket, Interest::READ, Source::Connection(slot))?;
        let connection = Connection { socket, token, from, messages: Messages::new(self.inputs.line_max) };
        if let Some(place) = self.inputs.connections.get_mut(slot) {
            *place = Some(connection);
        }
        Ok(())
    }

    fn read_connection(&mut self, slot: usize, buffer: &mut [u8], context: &mut World<'_>) -> io::Result<()> {
        let Some(mut connection) = self.inputs.connections.get_mut(slot).and_then(Option::take) else { return Ok(()) };
        let read = rustix::io::read(&connection.socket, &mut *buffer);
        let from = connection.from.clone();
        let mut each = |bytes: &[u8], cut| self.arrive(from.clone(), cut, bytes, context);
        let ended = match read {
            Err(Errno::AGAIN | Errno::INTR) => false,
            // However it ended, what there is of a message is all of it.
            Ok(0) | Err(_) => {
                connection.messages.finish(&mut each);
                true
            }
            Ok(count) => {
                connection.messages.feed(buffer.get(..count).unwrap_or_default(), &mut each);
                false
            }
        };
        if ended {
            return context.unwatch(connection.token, &connection.socket);
        }
        if let Some(place) = self.inputs.connections.get_mut(slot) {
            *place = Some(connection);
        }
        Ok(())
    }

    fn read_kmsg(&mut self, buffer: &mut [u8], context: &mut World<'_>) -> io::Result<()> {
        for _ in 0..MESSAGES_PER_TURN {
            let Some(kmsg) = &self.inputs.kmsg else { return Ok(()) };
            match rustix::io::read(kmsg, &mut *buffer) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(len) => self.arrive_whole(Origin::Kernel, buffer, len, context),
                // EPIPE: the next records were overwritten; the number of the one after them says how many.
                Err(Errno::INTR | Errno::PIPE) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn read_link(&mut self, context: &mut World<'_>) -> io::Result<()> {
        for _ in 0..MESSAGES_PER_TURN {
            let Some(link) = &self.inputs.link else { return Ok(()) };
            match pipes::take(link)? {
                Given::Output(service, fd) => {
                    if let Err(error) = self.add_pipe(service.clone(), fd, context) {
                        context.log(Level::Error, format_args!("the output of {service} is not read: {error}"));
                    }
                }
                Given::Odd => context.log(Level::Warn, "lunix-init sent a packet that is not understood"),
                Given::Nothing => return Ok(()),
                Given::Closed => return self.close_link(context),
            }
        }
        Ok(())
    }

    fn close_link(&mut self, context: &mut World<'_>) -> io::Result<()> {
        self.inputs.link = None;
        context.log(Level::Warn, "lunix-init hands over no more output");
        Ok(())
    }

    fn add_pipe(&mut self, service: String, fd: OwnedFd, context: &mut World<'_>) -> io::Result<()> {
        let slot = free_slot(&mut self.inputs.pipes);
        let token = context.watch(&fd, Interest::READ, Source::Pipe(slot))?;
        if let Some(place) = self.inputs.pipes.get_mut(slot) {
            *place = Some(Pipe { fd, token, service, lines: Default::default() });
        }
        Ok(())
    }

    /// One read: it is known that there is something, and the pipe is lunix-init's, too, so it may be one that waits.
    fn read_pipe(&mut self, slot: usize, buffer: &mut [u8], context: &mut World<'_>) -> io::Result<()> {
        let Some(mut pipe) = self.inputs.pipes.get_mut(slot).and_then(Option::take) else { return Ok(()) };
        let (line_max, mut ended) = (self.inputs.line_max, false);
        let mut each =
            |line: &[u8], cut| self.arrive(Origin::Service(pipe.service.as_str().into()), cut, line, context);
        match rustix::io::read(&pipe.fd, &mut *buffer) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(0) | Err(_) => {
                pipe.lines.finish(&mut each);
                ended = true;
            }
            Ok(count) => pipe.lines.feed(buffer.get(..count).unwrap_or_default(), line_max, &mut each),
        }
        if ended {
            return context.unwatch(pipe.token, &pipe.fd);
        }
        if let Some(place) = self.inputs.pipes.get_mut(slot) {
            *place = Some(pipe);
        }
        Ok(())
    }
}

/// The index of an empty slot, made where there is none.
fn free_slot<T>(slots: &mut Vec<Option<T>>) -> usize {
    slots.iter().position(Option::is_none).unwrap_or_else(|| {
        slots.push(None);
        slots.len() - 1
    })
}

/// The user of processes that the kernel does not know, as it says itself.
const OVERFLOW: u32 = 65_534;

fn from_user(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<Option<(Origin<'static>, usize)>> {
    let received = sys::datagram::receive(socket, buffer)?;
    let (uid, pid) = received.sender.map_or((OVERFLOW, 0), |sender| (sender.uid, sender.pid.unwrap_or_default()));
    Ok(Some((Origin::User { uid, pid }, received.len)))
}

fn from_remote(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<Option<(Origin<'static>, usize)>> {
    let (_, len, address) = net::recvfrom(socket, &mut *buffer, RecvFlags::DONTWAIT)?;
    let family = address.as_ref().map(net::SocketAddrAny::address_family);
    let known = matches!(family, Some(AddressFamily::INET | AddressFamily::INET6));
    let address = address.filter(|_| known).and_then(|address| SocketAddr::try_from(address).ok());
    let ip: Option<IpAddr> = address.map(|address| address.ip().to_canonical());
    Ok(ip.map(|ip| (Origin::Remote(ip), len)))
}
