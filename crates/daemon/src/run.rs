//! The loop that every event daemon runs.

use crate::config;
use crate::confine::confine;
use crate::context::{Context, Request, Route};
use crate::flags::{Given, Program};
use crate::outbox::Outbox;
use crate::ready::Ready;
use crate::record::Recorder;
use crate::service::Service;
use nats_client::{Address, Client, Identity, Incoming, Keys, Subscription};
use program::exit::{self, Fatal};
use program::log::{self, Level};
use reactor::{Event, Instant, Interest, Reactor, Signals, Timer};
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use sys::seccomp::Call;
use sys::signal;

/// Descriptors one daemon may watch.
const SOURCES_MAX: usize = 1024;

/// Bytes that may wait to be sent to the bus.
const OUTPUT_MAX: usize = 1024 * 1024;

/// How long readiness waits for the bus. What depends on us must not wait for ever when only the bus is missing.
const BUS_WAIT: Duration = Duration::from_secs(5);

/// An event daemon: its table of flags, its configuration and its adapter.
pub trait Daemon: Sized {
    /// Name, summary and flags.
    const PROGRAM: Program;
    /// The system calls it makes once it runs, beside those that the loop makes for every daemon: any other one ends it. `None`: it is not
    /// confined.
    const CALLS: Option<&'static [Call]> = None;
    /// The configuration file's type. Its serde attributes should deny unknown fields and default absent ones.
    type Config: DeserializeOwned + Default;
    /// Names the daemon's own descriptors.
    type Source: Copy + std::fmt::Debug;

    /// Puts flags over the configuration, and checks its bounds.
    ///
    /// # Errors
    /// A sentence that names the key or flag and what was expected.
    fn configure(_config: &mut Self::Config, _given: &Given) -> Result<(), String> {
        Ok(())
    }

    /// Opens everything, reads the state of the world and subscribes. The daemon is ready when this has returned and the bus has
    /// taken the subscriptions (or did not come within 5 s).
    ///
    /// # Errors
    /// What the daemon cannot live without.
    fn start(config: Self::Config, context: &mut Context<'_, Self::Source>) -> Result<Self, Fatal>;

    /// One of its descriptors is ready.
    fn source(&mut self, event: Event<Self::Source>, context: &mut Context<'_, Self::Source>);

    /// A subscription received a message.
    fn request(&mut self, request: &Request, context: &mut Context<'_, Self::Source>);

    /// The configuration was read again and is well-formed.
    ///
    /// # Errors
    /// A sentence why it cannot be applied; the old one stays in force.
    fn reload(&mut self, _config: Self::Config, _context: &mut Context<'_, Self::Source>) -> Result<(), String> {
        Ok(())
    }

    /// The end of a turn, before what it published leaves.
    fn settle(&mut self, _context: &mut Context<'_, Self::Source>) {}
}

/// Reactor keys of a daemon.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key<S> {
    /// The bus socket.
    Bus,
    /// The bus's next attempt.
    Retry,
    /// The signal descriptor.
    Signals,
    /// Readiness waits no longer for the bus.
    BusWait,
    /// One of the daemon's own.
    Source(S),
}

/// Runs the daemon with the process's command line until a signal ends it.
#[must_use]
pub fn main<D: Daemon>() -> ExitCode {
    let words = std::env::args_os().skip(1);
    match D::PROGRAM.parse(words).and_then(|given| run::<D>(&given)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            log::line(D::PROGRAM.name, Level::Error, &fatal);
            ExitCode::from(fatal.code)
        }
    }
}

fn run<D: Daemon>(given: &Given) -> Result<(), Fatal> {
    if given.has("help") {
        return print(&D::PROGRAM.help());
    }
    if given.has("version") {
        return print(&format!("{} {}\n", D::PROGRAM.name, env!("CARGO_PKG_VERSION")));
    }
    let ready = match given.value("ready-fd") {
        Some(number) => match Ready::take(D::PROGRAM.name, number)? {
            Some(ready) => ready,
            None => {
                log::line(D::PROGRAM.name, Level::Info, format_args!("nobody waits on descriptor {number}"));
                Ready::nobody(D::PROGRAM.name)
            }
        },
        None => Ready::nobody(D::PROGRAM.name),
    };
    let config = read_config::<D>(given)?;
    if given.has("check-config") {
        return Ok(());
    }
    let started = Loop::<D>::start(given, config, ready)?;
    if let Some(own) = D::CALLS {
        confine(D::PROGRAM.name, own);
    }
    started.turn_until_stopped()
}

fn print(text: &str) -> Result<(), Fatal> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Fatal::system("cannot write to standard output", error))
}

fn read_config<D: Daemon>(given: &Given) -> Result<D::Config, Fatal> {
    let mut config = config::load(D::PROGRAM.name, given.value("config"))?;
    D::configure(&mut config, given).map_err(|text| Fatal::new(exit::CONFIG, text))?;
    Ok(config)
}

/// Everything around the adapter.
struct Frame<S> {
    reactor: Reactor<Key<S>>,
    client: Client<Key<S>>,
    outbox: Outbox,
    service: Service,
    recorder: Recorder,
    routes: Vec<(Subscription, Route)>,
    scratch: Request,
    program: Program,
    ending: Option<Fatal>,
}

impl<S: Copy> Frame<S> {
    fn open(program: Program, given: &Given) -> Result<Self, Fatal> {
        signal::ignore_sigpipe().map_err(|error| Fatal::system("cannot ignore SIGPIPE", error))?;
        let address =
            Address::choose(given.value("url")).map_err(|error| Fatal::new(exit::USAGE, error.to_string()))?;
        let mut reactor = Reactor::new(SOURCES_MAX).map_err(|error| Fatal::system("cannot open epoll", error))?;
        let keys = Keys { socket: Key::Bus, timer: Key::Retry };
        let client = Client::new(address, Identity::new(program.name), OUTPUT_MAX, keys, &mut reactor)
            .map_err(|error| Fatal::system("cannot open the bus client", error))?;
        let outbox = Outbox::new().map_err(|error| Fatal::system("cannot get random numbers", error))?;
        let recorder = match given.value("record") {
            Some(path) => Recorder::to(Path::new(path))
                .map_err(|error| Fatal::new(exit::CANNOT_CREATE, format!("cannot create {path}: {error}")))?,
            None => Recorder::off(),
        };
        let service = Service::new(program, outbox.epoch().to_owned());
        let (routes, scratch) = (Vec::new(), Request::default());
        let ending = None;
        let mut this = Self { reactor, client, outbox, service, recorder, routes, scratch, program, ending };
        for (verb, subject) in this.service.subjects() {
            let subscription = this.client.subscribe(&subject, None);
            this.routes.push((subscription, Route::Service(verb)));
        }
        Ok(this)
    }

    fn context(&mut self, now: Instant, serving: Option<usize>) -> Context<'_, S> {
        Context {
            now,
            program: self.program,
            reactor: &mut self.reactor,
            client: &mut self.client,
            outbox: &mut self.outbox,
            service: &mut self.service,
            recorder: &mut self.recorder,
            routes: &mut self.routes,
            serving,
            ending: &mut self.ending,
        }
    }

    fn log(&self, level: Level, text: impl std::fmt::Display) {
        log::line(self.program.name, level, text);
    }
}

/// What came from the bus, once its bytes are copied to the scratch request.
enum Told {
    Up,
    Pong,
    Refused(String),
    Message(Route),
    Stray,
}

struct Loop<D: Daemon> {
    daemon: D,
    frame: Frame<D::Source>,
    given: Given,
    signals: Signals,
    ready: Ready,
    bus_wait: Option<Timer>,
    /// True from the first link up until the bus has proved to have the subscriptions.
    subscribing: bool,
    /// What the bus said last, since it last accepted us.
    refusal: Option<String>,
    stopping: bool,
}

impl<D: Daemon> Loop<D> {
    fn start(given: &Given, config: D::Config, ready: Ready) -> Result<Self, Fatal> {
        let system = |what: &'static str| move |error| Fatal::system(what, error);
        let signals =
            Signals::new(&[signal::TERM, signal::INT, signal::HUP]).map_err(system("cannot open a signalfd"))?;
        let mut frame = Frame::open(D::PROGRAM, given)?;
        let bus_wait = Timer::new().map_err(system("cannot open a timer"))?;
        for inserted in [
            frame.reactor.insert(&signals, Interest::READ, Key::Signals),
            frame.reactor.insert(&bus_wait, Interest::READ, Key::BusWait),
        ] {
            inserted.map_err(|error| Fatal::system("cannot watch", error))?;
        }
        let daemon = D::start(config, &mut frame.context(Instant::now(), None))?;
        let now = Instant::now();
        bus_wait.arm(now + BUS_WAIT).map_err(system("cannot arm a timer"))?;
        frame.client.open(now, &mut frame.reactor);
        let mut this = Self {
            daemon,
            frame,
            given: given.clone(),
            signals,
            ready,
            bus_wait: Some(bus_wait),
            subscribing: false,
            refusal: None,
            stopping: false,
        };
        this.end_turn(now);
        Ok(this)
    }

    fn turn_until_stopped(mut self) -> Result<(), Fatal> {
        while !self.stopping {
            self.frame.reactor.wait(None).map_err(|error| Fatal::system("cannot wait", error))?;
            let now = Instant::now();
            while let Some(event) = self.frame.reactor.next() {
                self.serve(now, event)?;
            }
            self.end_turn(now);
            if let Some(why) = self.frame.ending.take() {
                return Err(why);
            }
        }
        Ok(())
    }

    fn serve(&mut self, now: Instant, event: Event<Key<D::Source>>) -> Result<(), Fatal> {
        match event.key {
            Key::Bus | Key::Retry => self.serve_bus(now, event),
            Key::Signals => self.serve_signals(now)?,
            Key::BusWait => self.now_ready(),
            Key::Source(key) => {
                let Event { token, readable, writable, closed, priority, .. } = event;
                let event = Event { token, key, readable, writable, closed, priority };
                self.daemon.source(event, &mut self.frame.context(now, None));
            }
        }
        Ok(())
    }

    fn serve_bus(&mut self, now: Instant, event: Event<Key<D::Source>>) {
        self.frame.client.handle(now, event, &mut self.frame.reactor);
        while let Some(told) = take(&mut self.frame) {
            match told {
                Told::Up => {
                    self.frame.log(Level::Info, format_args!("connected to {}", self.frame.client.address()));
                    self.frame.outbox.disconnected();
                    self.refusal = None;
                    // The subscriptions leave before this PING, so its PONG proves that they stand.
                    self.subscribing = self.frame.client.ping();
                }
                Told::Pong if self.subscribing => {
                    self.subscribing = false;
                    self.now_ready();
                }
                Told::Pong => self.frame.outbox.proved(),
                Told::Refused(text) => self.refused(text),
                Told::Message(route) => self.serve_message(now, route),
                Told::Stray => self.frame.log(Level::Debug, "a message for no subscription of ours"),
            }
        }
    }

    /// Says what the bus says, but not the same again at every attempt to connect.
    fn refused(&mut self, text: String) {
        if self.refusal.as_ref() != Some(&text) {
            self.frame.log(Level::Warn, format_args!("the bus says: {text}"));
            self.refusal = Some(text);
        }
    }

    fn serve_message(&mut self, now: Instant, route: Route) {
        let request = std::mem::take(&mut self.frame.scratch);
        match route {
            Route::Service(verb) => {
                let answer = self.frame.service.answer(verb);
                if let Some(reply) = &request.reply {
                    self.frame.context(now, None).reply(reply, &answer);
                }
            }
            Route::Command => self.daemon.request(&request, &mut self.frame.context(now, None)),
            Route::Endpoint(endpoint) => {
                let begun = Instant::now();
                self.daemon.request(&request, &mut self.frame.context(now, Some(endpoint)));
                self.frame.service.served(endpoint, Instant::now() - begun);
            }
        }
        self.frame.scratch = request;
    }

    fn serve_signals(&mut self, now: Instant) -> Result<(), Fatal> {
        while let Some(received) = self.signals.read().map_err(|error| Fatal::system("cannot read a signal", error))? {
            if received.signal == signal::HUP {
                self.tell(self.ready.reloading(now));
                self.reload(now);
                // Not before it is ready at all.
                if self.bus_wait.is_none() {
                    let told = self.ready.notify();
                    self.tell(told);
                }
            } else {
                self.stopping = true;
                self.tell(self.ready.stopping());
            }
        }
        Ok(())
    }

    fn reload(&mut self, now: Instant) {
        let applied = read_config::<D>(&self.given)
            .map_err(|fatal| fatal.reason)
            .and_then(|config| self.daemon.reload(config, &mut self.frame.context(now, None)));
        match applied {
            Ok(()) => self.frame.log(Level::Info, "configuration read again"),
            Err(text) => self.frame.log(Level::Error, format_args!("{text}; the old configuration stays")),
        }
    }

    fn end_turn(&mut self, now: Instant) {
        self.daemon.settle(&mut self.frame.context(now, None));
        let frame = &mut self.frame;
        frame.outbox.deliver(&mut frame.client);
        frame.client.flush(now, &mut frame.reactor);
        if let Some(reason) = frame.client.take_down_reason() {
            frame.outbox.disconnected();
            self.subscribing = false;
            frame.log(Level::Warn, format_args!("bus {} is away: {reason}", frame.client.address()));
        }
        match frame.outbox.take_lost() {
            0 => {}
            lost => frame.log(Level::Warn, format_args!("events given up while the bus was away (lost={lost})")),
        }
    }

    fn now_ready(&mut self) {
        let Some(timer) = self.bus_wait.take() else { return };
        if let Err(error) = timer.disarm() {
            self.frame.log(Level::Error, format_args!("cannot disarm a timer: {error}"));
        }
        let told = self.ready.notify();
        self.tell(told);
    }

    fn tell(&self, told: std::io::Result<()>) {
        if let Err(error) = told {
            self.frame.log(Level::Warn, format_args!("cannot tell the supervisor how we are: {error}"));
        }
    }
}

/// Takes the next thing the bus said; a message's bytes go to the scratch request.
fn take<S: Copy>(frame: &mut Frame<S>) -> Option<Told> {
    Some(match frame.client.next()? {
        Incoming::Up { .. } => Told::Up,
        Incoming::Pong => Told::Pong,
        Incoming::Refused(text) => Told::Refused(text.to_owned()),
        Incoming::Message(subscription, message) => {
            let scratch = &mut frame.scratch;
            let reply = message.reply.map(|reply| String::from_utf8_lossy(reply).into_owned());
            scratch.subject.clear();
            scratch.subject.push_str(&String::from_utf8_lossy(message.subject));
            scratch.reply = reply;
            scratch.headers.clear();
            scratch.headers.extend_from_slice(message.headers);
            scratch.payload.clear();
            scratch.payload.extend_from_slice(message.payload);
            scratch.payload.shrink_to(64 * 1024);
            scratch.headers.shrink_to(64 * 1024);
            match frame.routes.iter().find(|(of, _)| *of == subscription) {
                Some((_, route)) => Told::Message(*route),
                None => Told::Stray,
            }
        }
    })
}
