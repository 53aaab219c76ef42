//! The adapter: one epoll, sockets, signals, files. Everything that decides is in [`crate::broker`].

#[cfg_attr(not(feature = "dns"), path = "addresses_file.rs")]
mod addresses;
mod clients;
mod error;
mod files;
mod handed;
#[cfg(feature = "bcrypt")]
mod hashes;
mod kernel;
#[cfg(feature = "leaf")]
mod links;
mod listen;
mod log;
#[cfg_attr(not(feature = "monitoring"), path = "monitor_absent.rs")]
mod monitor;
mod opening;
mod orders;
mod signalling;
pub mod transport;

pub use error::Error;
pub use signalling::{Failure, Signalling};

use crate::broker::{Broker, Peer};
use crate::config::{self, Config};
use crate::flags::Flags;
use crate::local::{Facts, Origin};
use handed::Handed;
use kernel::Kernel;
use listen::{Listener, Refused, SocketFile};
use log::Log;
use monitor::Monitor;
use opening::Sockets;
use reactor::{Instant, Interest, Reactor, Signals, Timer, Token};
use rustix::process::{Resource, Rlimit};
use rustix::rand::{GetRandomFlags, getrandom};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};
use sys::signal;
use transport::{Doors, Transport};

/// Bytes read from one client per turn.
const READ_SIZE: usize = 64 * 1024;
/// Connections accepted per listener and turn.
const ACCEPT_MAX: usize = 64;
/// Descriptors that are not clients.
const OTHER_SOURCES: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Listener(u32),
    Client(u32),
    Signals,
    Timer,
    Monitor,
    #[cfg(feature = "monitoring")]
    Monitored(u32),
    #[cfg(feature = "bcrypt")]
    Hasher,
    #[cfg(feature = "leaf")]
    Dialling(u32),
    #[cfg(feature = "leaf")]
    Resolver,
}

#[derive(Debug)]
struct Socket {
    fd: OwnedFd,
    token: Token,
    interest: Interest,
    transport: Transport,
}

struct Server {
    reactor: Reactor<Source>,
    broker: Broker,
    sockets: Vec<Option<Socket>>,
    listeners: Vec<Listener>,
    /// Socket files of the listeners, removed when they are closed.
    socket_files: Vec<SocketFile>,
    monitor: Option<Monitor>,
    doors: Doors,
    kernel: Kernel,
    #[cfg_attr(not(feature = "monitoring"), expect(dead_code, reason = "only monitoring tells it"))]
    started: Instant,
    /// When the configuration was read.
    loaded: Instant,
    signals: Signals,
    timer: Timer,
    armed: Option<Instant>,
    /// The one read buffer.
    buffer: Vec<u8>,
    /// Slots to look at; kept for its memory.
    list: Vec<u32>,
    /// Closed to accept and refuse one more when no descriptor is free.
    reserve: Option<File>,
    #[cfg(feature = "bcrypt")]
    hashes: hashes::Hashes,
    #[cfg(feature = "leaf")]
    dials: links::Dials,
    log: Log,
    flags: Flags,
    ending: bool,
}

/// Serves until a signal ends it.
///
/// # Errors
/// What keeps it from starting, or a system call that must not fail.
pub fn serve(flags: Flags, mut config: Config) -> Result<(), Error> {
    let ready =
        flags.ready_fd.map(|number| sys::descriptor::inherited(i32::try_from(number).unwrap_or(-1))).transpose();
    let ready = ready.map_err(|error| Error::Inherited("the descriptor of --ready-fd", error))?;
    let handed = Handed::take()?;
    let log = Log::open(config.log_file.clone(), config.debug);
    let mut log = log.map_err(|error| {
        Error::Create(config.log_file.as_deref().unwrap_or_else(|| "log".as_ref()).display().to_string(), error)
    })?;
    raise_descriptor_limit();
    let opened = Sockets::open(&mut config, handed, &mut log)?;
    if opened.monitor.is_some() {
        config.broker.closed_kept = config::CLOSED_KEPT;
    }
    let mut files = Vec::new();
    if let Some(path) = &config.pid_file {
        files.push(files::process_number(path)?);
    }
    if let Some(directory) = &config.ports_directory {
        files.push(files::ports(directory, &opened.urls(&config))?);
    }
    name_server(&mut config)?;
    let is_open = config.broker.credentials == crate::broker::Credentials::Open && config.broker.local.is_none();
    if is_open && opened.listeners.iter().any(Listener::is_tcp) {
        log.info("no credentials are configured: whoever reaches the port may publish and subscribe to everything");
    }
    opened.tell(&mut log);
    if let Some(security) = &config.broker.security {
        let how = if security.required { "required" } else { "available" };
        log.info(format_args!("TLS {how} for client connections"));
    }
    let mut server = Server::new(flags, config, opened, log)?;
    server.ask_for_listeners();
    server.log.info("Server is ready");
    if let Some(fd) = ready {
        files::ready(fd);
    }
    let supervisor = sys::notify::Notify::from_environment().unwrap_or_else(|error| {
        server.log.warn(format_args!("no word to the supervisor: {error}"));
        sys::notify::Notify::default()
    });
    tell(&supervisor, "READY=1", &mut server.log);
    let ended = server.run();
    tell(&supervisor, "STOPPING=1", &mut server.log);
    ended
}

/// Tells the supervisor how we are, where it has a socket for that.
fn tell(supervisor: &sys::notify::Notify, text: &str, log: &mut Log) {
    if let Err(error) = supervisor.say(text) {
        log.warn(format_args!("cannot tell the supervisor how we are: {error}"));
    }
}

/// Draws what the configuration leaves open.
fn name_server(config: &mut Config) -> Result<(), Error> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut random = [0_u8; 55];
    fill_random(&mut random)?;
    let letter = |byte: u8| LETTERS.get(usize::from(byte & 31)).copied().map_or('A', char::from);
    config.broker.server_id = std::iter::once('N').chain(random.into_iter().map(letter)).collect();
    if config.broker.server_name.is_empty() {
        config.broker.server_name.clone_from(&config.broker.server_id);
    }
    Ok(())
}

/// The broker with what makes its nonces.
#[cfg(feature = "jwt")]
fn with_secret(mut broker: Broker) -> Result<Broker, Error> {
    let mut secret = [0_u8; 32];
    fill_random(&mut secret)?;
    broker.set_secret(secret);
    broker.share_by_tokens();
    Ok(broker)
}

fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom(bytes, GetRandomFlags::empty()).map_err(|error| Error::System("getrandom", error.into()))?;
    Ok(())
}

/// As many clients as the hard limit allows; when that fails the soft limit stays, and is enforced by the kernel.
fn raise_descriptor_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

fn system(call: &'static str) -> impl Fn(io::Error) -> Error {
    move |error| Error::System(call, error)
}

fn epoll(error: reactor::Error) -> Error {
    Error::System("epoll", error.into())
}

impl Server {
    fn new(flags: Flags, config: Config, sockets: Sockets, log: Log) -> Result<Self, Error> {
        let mut seed = [0_u8; 8];
        fill_random(&mut seed)?;
        let mut reactor =
            Reactor::new(config.broker.max_connections.saturating_add(OTHER_SOURCES * 2)).map_err(epoll)?;
        let signals = Signals::new(&[signal::TERM, signal::INT, signal::HUP, signal::USR1, signal::USR2]);
        let signals = signals.map_err(system("signalfd"))?;
        let timer = Timer::new().map_err(system("timerfd"))?;
        reactor.insert(&signals, Interest::READ, Source::Signals).map_err(epoll)?;
        reactor.insert(&timer, Interest::READ, Source::Timer).map_err(epoll)?;
        let Sockets { listeners, socket_files, monitor, web_listener } = sockets;
        let doors = Doors::new(&config, web_listener);
        if let Some(monitor) = &monitor {
            reactor.insert(monitor.listener(), Interest::READ, Source::Monitor).map_err(epoll)?;
        }
        let started = Instant::now();
        let mut broker = Broker::new(config.broker, u64::from_ne_bytes(seed));
        broker.set_calendar(started, SystemTime::now());
        for (listener, number) in listeners.iter().zip(0..) {
            reactor.insert(listener, Interest::READ, Source::Listener(number)).map_err(epoll)?;
        }
        #[cfg(feature = "jwt")]
        let broker = with_secret(broker)?;
        Ok(Self {
            reactor,
            broker,
            sockets: Vec::new(),
            listeners,
            socket_files,
            monitor,
            doors,
            kernel: Kernel::without_tcp(),
            started,
            loaded: started,
            signals,
            timer,
            armed: None,
            buffer: vec![0; READ_SIZE],
            list: Vec::new(),
            reserve: File::open("/dev/null").ok(),
            #[cfg(feature = "bcrypt")]
            hashes: hashes::Hashes::default(),
            #[cfg(feature = "leaf")]
            dials: links::Dials::default(),
            log,
            flags,
            ending: false,
        })
    }

    fn run(&mut self) -> Result<(), Error> {
        #[cfg(feature = "leaf")]
        {
            let now = Instant::now();
            self.broker.start_links(now);
            self.settle(now)?;
        }
        while !self.ending {
            let patience = self.doors.is_behind().then_some(Duration::ZERO);
            self.reactor.wait(patience).map_err(epoll)?;
            let now = Instant::now();
            #[cfg(feature = "jwt")]
            if self.broker.needs_calendar() {
                self.broker.set_calendar(now, SystemTime::now());
            }
            while let Some(event) = self.reactor.next() {
                match event.key {
                    Source::Client(slot) => {
                        if event.writable {
                            self.write(now, slot);
                        }
                        if event.readable {
                            self.read(now, slot);
                        }
                    }
                    Source::Listener(number) => self.accept(now, number),
                    Source::Signals => self.signals(now)?,
                    Source::Timer => self.tick(now)?,
                    Source::Monitor => self.monitor_accept(now),
                    #[cfg(feature = "monitoring")]
                    Source::Monitored(place) => self.monitor_ready(now, place),
                    #[cfg(feature = "bcrypt")]
                    Source::Hasher => self.hasher_ready(now),
                    #[cfg(feature = "leaf")]
                    Source::Dialling(remote) => self.dialled(now, remote),
                    #[cfg(feature = "leaf")]
                    Source::Resolver => self.resolver_ready(now),
                }
            }
            self.catch_up(now);
            self.settle(now)?;
        }
        self.farewell();
        Ok(())
    }

    /// After the events of a turn: writes, closes, sets the alarm.
    fn settle(&mut self, now: Instant) -> Result<(), Error> {
        self.answer_requests(now);
        #[cfg(feature = "bcrypt")]
        self.ask(now);
        #[cfg(feature = "leaf")]
        self.serve_links(now);
        self.flush(now);
        let mut list = std::mem::take(&mut self.list);
        self.broker.take_ending(&mut list);
        for &slot in &list {
            self.finish(now, slot);
        }
        self.list = list;
        // Those who are told that somebody is gone.
        self.flush(now);
        let mut list = std::mem::take(&mut self.list);
        // A receiver that was closed lets its publishers go on; what they say is read in the next turn.
        self.broker.take_resumed(&mut list);
        for &slot in &list {
            self.watch(slot);
        }
        self.list = list;
        if self.broker.has_notes() {
            self.log.notes(self.broker.take_notes());
        }
        if self.broker.is_over() {
            self.ending = true;
        }
        let deadline = self.broker.next_deadline();
        let monitor = self.monitor.as_ref().and_then(Monitor::next_due);
        let deadline = deadline.into_iter().chain(monitor).chain(self.doors.next_due()).min();
        #[cfg(feature = "bcrypt")]
        let deadline = deadline.into_iter().chain(self.hashes.next_due()).min();
        if deadline != self.armed && (self.armed.is_none_or(|armed| deadline.is_some_and(|deadline| deadline < armed)))
        {
            self.arm(deadline)?;
        }
        Ok(())
    }

    fn arm(&mut self, deadline: Option<Instant>) -> Result<(), Error> {
        self.armed = deadline;
        match deadline {
            Some(deadline) => self.timer.arm(deadline).map_err(system("timerfd_settime")),
            None => Ok(()),
        }
    }

    fn tick(&mut self, now: Instant) -> Result<(), Error> {
        if self.timer.fired().map_err(system("read timerfd"))? {
            self.armed = None;
            self.broker.tick(now);
            self.monitor_tick(now);
            self.doors_tick(now);
            #[cfg(feature = "bcrypt")]
            self.hasher_tick(now);
            self.flush(now);
        }
        Ok(())
    }

    fn accept(&mut self, now: Instant, number: u32) {
        for _ in 0..ACCEPT_MAX {
            let Some(listener) = self.listeners.get(number as usize) else { return };
            match listener.accept() {
                None => return,
                Some(Ok((fd, peer))) => {
                    let visible = listener.is_visible;
                    let facts = self.facts(number, visible, &fd, peer);
                    self.let_in(now, number, (fd, peer), facts);
                }
                Some(Err(Refused::Peer)) => {}
                Some(Err(Refused::NoDescriptor)) => {
                    self.refuse_one(number);
                    return;
                }
            }
        }
    }

    /// What the kernel says of a client, where there are rules about that.
    fn facts(&mut self, number: u32, visible: bool, fd: &OwnedFd, peer: Peer) -> Option<Facts> {
        let policy = self.broker.settings().local.as_ref()?;
        if self.doors.is_web(number) {
            // A page that anybody wrote speaks through a browser of the user's, so the browser's user says nothing.
            return Some(Facts::new(Origin::Websocket));
        }
        Some(match peer {
            Peer::Unix { .. } => Kernel::unix(fd),
            Peer::Tcp(address) if visible && policy.tcp => self.kernel.tcp(fd, address),
            Peer::Tcp(_) => Facts::new(Origin::Elsewhere),
        })
    }

    /// Finds out whose connections the kernel can tell, where there are rules about that.
    fn ask_for_listeners(&mut self) {
        let wanted = self.broker.settings().local.as_ref().is_some_and(|policy| policy.tcp);
        self.kernel = if wanted { Kernel::with_tcp() } else { Kernel::without_tcp() };
        for listener in self.listeners.iter_mut().filter(|listener| listener.is_tcp()) {
            listener.is_visible = wanted && self.kernel.sees(&*listener);
            if wanted && !listener.is_visible {
                let name = &listener.name;
                self.log
                    .warn(format_args!("the kernel does not tell whose connections to {name} are: all are anonymous"));
            }
        }
    }
}
