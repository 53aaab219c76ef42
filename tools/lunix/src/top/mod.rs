//! `lunix top`: the services and what they use, live.
//!
//! It is drawn again when something happens, and when lunix-init has answered what the services use. That is asked at an interval, and
//! only while this program runs: the share of a processor is a difference of two answers.

mod keys;
mod terminal;
mod view;

use crate::output::{Lines, Stop};
use crate::service::source::Source;
use crate::service::{self, socket};
use crate::time;
use init_control::{Error, Reply, Request, Watch};
use interfaces::init::{ServiceStatus, Usage};
use keys::Decoder;
use program::{Fatal, Given, exit};
use reactor::{Event, Instant, Interest, Reactor, Signals, Timer, Token};
use rustix::stdio::stdin;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use sys::signal;
use terminal::Terminal;
use view::{Size, Sort, View};

/// How often it is asked what services use.
const INTERVAL: Duration = Duration::from_secs(2);

/// What is ready.
#[derive(Clone, Copy, Debug)]
enum Ready {
    Init,
    Keyboard,
    Signals,
    Timer,
}

/// What an answer of lunix-init is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Services,
    Usage,
}

/// Shows it until somebody has seen enough.
pub(crate) fn run(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let sort = match given.value("sort") {
        None => Sort::Name,
        Some(name) => Sort::from_name(name).ok_or_else(|| {
            Fatal::new(exit::USAGE, format!("--sort '{name}': expected name, cpu, memory, pids, restarts or state"))
        })?,
    };
    let interval = match given.value("interval") {
        None => INTERVAL,
        Some(text) => time::span(text).ok_or_else(|| {
            Fatal::new(exit::USAGE, format!("--interval '{text}': expected a time above zero, as in 500ms, 2s, 1m"))
        })?,
    };
    if given.has("once") {
        return once(given, sort, lines);
    }
    let path = socket(given).to_path_buf();
    // What is wrong with the socket is told as for every other command.
    drop(service::open(&path)?);
    Screen::open(path, sort, interval)?.turn_until_left(lines)
}

/// One table, of one answer.
fn once(given: &Given, sort: Sort, lines: &mut Lines) -> Result<(), Stop> {
    let mut source = Source::open(given)?;
    let mut view = View::new(sort, Size { rows: 0, columns: 0 });
    view.take_services(source.services()?);
    // Without numbers the columns for them are empty.
    view.take_usage(Instant::now(), source.usage(None).unwrap_or_default());
    lines.text(&view.plain())
}

/// The screen, lunix-init, and what is between them.
struct Screen {
    view: View,
    path: PathBuf,
    watch: Option<(Watch, Token)>,
    expected: VecDeque<Expected>,
    services: Vec<ServiceStatus<'static>>,
    usage: Vec<Usage<'static>>,
    /// Something happened that the last rows did not tell.
    outdated: bool,
    /// There are no numbers to ask for.
    uncounted: bool,
    changed: bool,
    keys: Decoder,
    interval: Duration,
    timer: Timer,
    signals: Signals,
    reactor: Reactor<Ready>,
    _terminal: Terminal,
}

impl Screen {
    fn open(path: PathBuf, sort: Sort, interval: Duration) -> Result<Self, Fatal> {
        let system = |what: &'static str| move |error: std::io::Error| Fatal::system(what, error);
        let signals = Signals::new(&[signal::WINCH, signal::TERM, signal::INT, signal::HUP])
            .map_err(system("cannot open a signalfd"))?;
        let timer = Timer::new().map_err(system("cannot open a timer"))?;
        let mut reactor = Reactor::new(8).map_err(|error| Fatal::system("cannot open epoll", error))?;
        let terminal = Terminal::open()?;
        for inserted in [
            reactor.insert(&signals, Interest::READ, Ready::Signals),
            reactor.insert(&timer, Interest::READ, Ready::Timer),
            reactor.insert(stdin(), Interest::READ, Ready::Keyboard),
        ] {
            inserted.map_err(|error| Fatal::system("cannot watch", error))?;
        }
        let mut this = Self {
            view: View::new(sort, Terminal::size()),
            path,
            watch: None,
            expected: VecDeque::new(),
            services: Vec::new(),
            usage: Vec::new(),
            outdated: false,
            uncounted: false,
            changed: true,
            keys: Decoder::default(),
            interval,
            timer,
            signals,
            reactor,
            _terminal: terminal,
        };
        this.connect();
        this.ask(&Request::Usage { name: None }, Expected::Usage);
        this.set_timer()?;
        Ok(this)
    }

    fn turn_until_left(mut self, lines: &mut Lines) -> Result<(), Stop> {
        loop {
            if std::mem::take(&mut self.changed) {
                Terminal::draw(lines, &self.view)?;
            }
            self.reactor.wait(None).map_err(|error| Fatal::system("cannot wait", error))?;
            while let Some(event) = self.reactor.next() {
                if !self.serve(event)? {
                    return Ok(());
                }
            }
            if self.outdated && !self.expected.contains(&Expected::Services) {
                self.outdated = false;
                self.ask(&Request::List, Expected::Services);
            }
        }
    }

    /// Takes in what is ready; false at the end.
    fn serve(&mut self, event: Event<Ready>) -> Result<bool, Fatal> {
        match event.key {
            Ready::Init => self.listen(),
            Ready::Keyboard => return self.read_keys(),
            Ready::Timer => {
                self.timer.fired().map_err(|error| Fatal::system("cannot read a timer", error))?;
                self.tick()?;
            }
            Ready::Signals => {
                let read = || self.signals.read().map_err(|error| Fatal::system("cannot read a signal", error));
                while let Some(received) = read()? {
                    if received.signal != signal::WINCH {
                        return Ok(false);
                    }
                    self.view.resize(Terminal::size());
                    self.changed = true;
                }
            }
        }
        Ok(true)
    }

    fn read_keys(&mut self) -> Result<bool, Fatal> {
        let mut buffer = [0; 64];
        let length = match rustix::io::read(stdin(), &mut buffer) {
            // The terminal is gone.
            Ok(0) | Err(rustix::io::Errno::IO) => return Ok(false),
            Ok(length) => length,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => 0,
            Err(errno) => return Err(Fatal::system("cannot read the keyboard", errno)),
        };
        for &byte in buffer.iter().take(length) {
            if let Some(key) = self.keys.push(byte) {
                self.changed = true;
                if !self.view.press(key) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The interval is over: numbers and ages are asked for again, unless the last answers are not there yet.
    fn tick(&mut self) -> Result<(), Fatal> {
        if self.watch.is_none() {
            self.connect();
        }
        if self.expected.is_empty() {
            self.ask(&Request::List, Expected::Services);
            if !self.uncounted {
                self.ask(&Request::Usage { name: None }, Expected::Usage);
            }
        }
        self.set_timer()
    }

    fn set_timer(&self) -> Result<(), Fatal> {
        let armed = self.timer.arm(Instant::now() + self.interval);
        armed.map_err(|error| Fatal::system("cannot set a timer", error))
    }

    fn connect(&mut self) {
        let opened = Watch::connect(&self.path).map_err(|error| error.to_string()).and_then(|watch| {
            let token = self.reactor.insert(&watch, Interest::READ, Ready::Init).map_err(|error| error.to_string())?;
            Ok((watch, token))
        });
        match opened {
            Ok(watch) => {
                self.watch = Some(watch);
                self.expected = VecDeque::from([Expected::Services]);
                self.uncounted = false;
                self.note(String::new());
            }
            Err(why) => self.lose(&why),
        }
    }

    fn lose(&mut self, why: &str) {
        if let Some((watch, token)) = self.watch.take() {
            // One that cannot be left is closed here all the same.
            let _ = self.reactor.remove(token, &watch);
        }
        self.expected.clear();
        self.services.clear();
        self.usage.clear();
        self.note(format!("lunix-init does not answer: {why}"));
    }

    fn note(&mut self, note: String) {
        self.view.take_note(note);
        self.changed = true;
    }

    fn ask(&mut self, request: &Request<'_>, expected: Expected) {
        let Some((watch, _)) = &self.watch else { return };
        match watch.ask(request) {
            Ok(()) => self.expected.push_back(expected),
            Err(error) => self.lose(&error.to_string()),
        }
    }

    /// Takes everything that lunix-init has said.
    fn listen(&mut self) {
        while let Some((watch, _)) = &mut self.watch {
            match watch.reply() {
                Ok(None) => return,
                Ok(Some(Reply::Service(service))) => self.services.push((&service).into()),
                Ok(Some(Reply::Usage(usage))) => self.usage.push((&usage).into()),
                Ok(Some(Reply::Event(_))) => self.outdated = true,
                Ok(Some(Reply::Lost(_))) => self.expected.push_front(Expected::Services),
                Ok(Some(Reply::End { .. })) => self.complete(),
                Ok(Some(Reply::Refused { reason, .. })) => {
                    let reason = reason.to_string();
                    self.refused(reason);
                }
                Ok(Some(Reply::Ok | Reply::Line(_) | Reply::Unknown)) => {}
                Err(error @ (Error::Closed | Error::Socket(_))) => return self.lose(&error.to_string()),
                Err(error) => self.note(error.to_string()),
            }
        }
    }

    fn complete(&mut self) {
        match self.expected.pop_front() {
            Some(Expected::Services) => self.view.take_services(std::mem::take(&mut self.services)),
            Some(Expected::Usage) => self.view.take_usage(Instant::now(), std::mem::take(&mut self.usage)),
            None => {}
        }
        self.changed = true;
    }

    fn refused(&mut self, reason: String) {
        match self.expected.pop_front() {
            Some(Expected::Usage) => {
                self.uncounted = true;
                self.note(format!("no numbers: {}", crate::line::escaped(reason.as_bytes())));
            }
            Some(Expected::Services) | None => self.lose(&reason),
        }
    }
}
