//! `lunix up`, host mode: a bus and the daemons on any Linux machine, as an ordinary user, until it is interrupted.
//!
//! | input | effect |
//! |---|---|
//! | start | a private folder with a service directory for each part; lunix-init supervises it |
//! | the bus answers | `NATS_URL=…`, once |
//! | an event of the hardware | a line: subject and payload |
//! | a toast, or a problem that a part tells | a line |
//! | SIGINT, SIGTERM, SIGHUP, standard output closed | everything ends, the folder goes |
//! | lunix-init ends by itself | the same, and exit code 71 |
//!
//! When it is killed, the kernel tells lunix-init, which ends the rest; when lunix-init is killed, the kernel tells the daemons.

mod folder;
mod host;
pub mod parts;
mod screen;
pub mod spoken;

use crate::line;
use crate::output::{Lines, Stop};
use folder::Folder;
use nats_client::{Address, AddressError, Client, Identity, Incoming, Keys};
use parts::Place;
use program::{Fatal, Given, Level, exit, log};
use reactor::{Event, Instant, Interest, Reactor, Signals, Timer, Token};
use rustix::process::Signal;
use screen::{Closed, Screen};
use spoken::{Shown, Spoken};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr};
use std::time::Duration;
use sys::signal;

/// Descriptors that are watched.
const SOURCES_MAX: usize = 16;

/// Bytes that may wait for the bus.
const OUTPUT_MAX: usize = 64 * 1024;

/// How long lunix-init may take to end everything before it is killed.
const END_LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
enum Key {
    Signals,
    Bus,
    Retry,
    Init,
    Spoken,
    Output,
    Deadline,
}

/// Everything around lunix-init. The folder is the last to go.
struct Up {
    reactor: Reactor<Key>,
    signals: Signals,
    client: Client<Key>,
    deadline: Timer,
    init: Child,
    /// Readable when lunix-init has ended.
    init_end: OwnedFd,
    output: Option<(ChildStderr, Token)>,
    spoken: Spoken,
    screen: Screen<OwnedFd>,
    screen_token: Option<Token>,
    /// To be printed when the bus answers.
    url: Option<String>,
    ending: bool,
    place: Place,
    _folder: Folder,
}

/// Runs until it is interrupted.
pub(crate) fn run(given: &Given, lines: Lines) -> Result<(), Stop> {
    let mut up = Up::start(given, &lines)?;
    let result = up.turn_until_ended();
    host::end_strays();
    Ok(result?)
}

/// Our own path; the parts are beside it.
fn own_path() -> Result<PathBuf, Fatal> {
    std::env::current_exe().map_err(|error| Fatal::system("cannot find out where lunix is", error))
}

/// Where everything is, and the address for the user.
fn place(given: &Given, folder: &Path) -> Result<(Place, String), Fatal> {
    let (folder, lunix) = (folder.to_path_buf(), own_path()?);
    if let Some(url) = given.value("bus") {
        let place = Place { folder, lunix, port: None, url: url.to_owned() };
        return Ok((place, url.to_owned()));
    }
    let port = host::free_port()?;
    let url = format!("unix://{}", parts::bus_socket(&folder).display());
    Ok((Place { folder, lunix, port: Some(port), url }, format!("nats://127.0.0.1:{port}")))
}

impl Up {
    fn start(given: &Given, lines: &Lines) -> Result<Self, Fatal> {
        let system = |what: &'static str| move |error: io::Error| Fatal::system(what, error);
        // Before anything is made that a signal could leave behind.
        let signals =
            Signals::new(&[signal::INT, signal::TERM, signal::HUP]).map_err(system("cannot catch signals"))?;
        let folder = Folder::create()?;
        let (place, url) = place(given, folder.path())?;
        let address: Address =
            place.url.parse().map_err(|error: AddressError| Fatal::new(exit::USAGE, error.to_string()))?;
        write_services(&folder, &place)?;
        let mut reactor = Reactor::new(SOURCES_MAX).map_err(|error| Fatal::system("cannot open epoll", error))?;
        let keys = Keys { socket: Key::Bus, timer: Key::Retry };
        let mut client = Client::new(address, Identity::new("lunix up"), OUTPUT_MAX, keys, &mut reactor)
            .map_err(system("cannot open the bus client"))?;
        if !given.has("quiet") {
            client.subscribe("hardware.*.*", None);
        }
        let deadline = Timer::new().map_err(system("cannot open a timer"))?;
        let screen = lines.as_fd().try_clone_to_owned().map_err(system("cannot use standard output"))?;
        let mut init = host::start_init(&place)?;
        let init_end = i32::try_from(init.id()).map_err(io::Error::other).and_then(reactor::pidfd);
        let init_end = init_end.map_err(system("cannot watch lunix-init"))?;
        let stderr = init.stderr.take();
        let mut up = Self {
            reactor,
            signals,
            client,
            deadline,
            init,
            init_end,
            output: None,
            spoken: Spoken::default(),
            screen: Screen::new(screen),
            screen_token: None,
            url: Some(url),
            ending: false,
            place,
            _folder: folder,
        };
        up.watch(stderr).map_err(system("cannot watch what is to be watched"))?;
        up.client.open(Instant::now(), &mut up.reactor);
        Ok(up)
    }

    fn watch(&mut self, stderr: Option<ChildStderr>) -> io::Result<()> {
        self.reactor.insert(&self.signals, Interest::READ, Key::Signals)?;
        self.reactor.insert(&self.deadline, Interest::READ, Key::Deadline)?;
        self.reactor.insert(&self.init_end, Interest::READ, Key::Init)?;
        if let Some(stderr) = stderr {
            let token = self.reactor.insert(&stderr, Interest::READ, Key::Spoken)?;
            self.output = Some((stderr, token));
        }
        match self.reactor.insert(&self.screen, Interest::NONE, Key::Output).map_err(io::Error::from) {
            Ok(token) => self.screen_token = Some(token),
            // A plain file, which always has room and is closed by nobody.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn turn_until_ended(&mut self) -> Result<(), Fatal> {
        loop {
            self.end_turn()?;
            self.reactor.wait(None).map_err(|error| Fatal::system("cannot wait", error))?;
            let now = Instant::now();
            while let Some(event) = self.reactor.next() {
                if let Key::Init = event.key {
                    return self.init_ended();
                }
                self.serve(now, event)?;
            }
        }
    }

    fn serve(&mut self, now: Instant, event: Event<Key>) -> Result<(), Fatal> {
        match event.key {
            Key::Bus | Key::Retry => {
                self.client.handle(now, event, &mut self.reactor);
                self.take_incoming();
            }
            Key::Spoken => self.listen(),
            Key::Output if event.closed => self.end(),
            Key::Output => self.show(None),
            Key::Signals => {
                while let Ok(Some(_)) = self.signals.read() {
                    self.end();
                }
            }
            Key::Deadline => {
                log::line("lunix", Level::Warn, "lunix-init does not end: killing it");
                host::signal(&self.init, Signal::KILL);
            }
            // The loop takes this one itself.
            Key::Init => {}
        }
        Ok(())
    }

    /// Asks lunix-init for the end of everything, once.
    fn end(&mut self) {
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        host::signal(&self.init, Signal::TERM);
        // A closed output would wake us until the end.
        if let Some(token) = self.screen_token.take() {
            drop(self.reactor.remove(token, &self.screen));
        }
        if let Err(error) = self.deadline.arm(Instant::now() + END_LIMIT) {
            log::line("lunix", Level::Error, format_args!("cannot set a timer: {error}"));
            host::signal(&self.init, Signal::KILL);
        }
    }

    fn init_ended(&mut self) -> Result<(), Fatal> {
        self.listen();
        let status = self.init.wait().map_err(|error| Fatal::system("cannot wait for lunix-init", error))?;
        if self.ending {
            return Ok(());
        }
        Err(Fatal::new(exit::SYSTEM, format!("lunix-init has ended: {status}")))
    }

    fn take_incoming(&mut self) {
        let mut lines = Vec::new();
        while let Some(incoming) = self.client.next() {
            match incoming {
                Incoming::Up { .. } => lines.extend(self.url.take().map(|url| format!("NATS_URL={url}"))),
                Incoming::Message(_, message) => {
                    lines.push(format!("{} {}", line::escaped(message.subject), line::shown(message.payload)));
                }
                Incoming::Refused(text) => log::line("lunix", Level::Warn, format_args!("the bus says: {text}")),
                Incoming::Pong => {}
            }
        }
        lines.iter().for_each(|line| self.show(Some(line)));
    }

    /// Takes what lunix-init and its services print.
    fn listen(&mut self) {
        let Some((stderr, token)) = &mut self.output else { return };
        let mut buffer = [0; 16 * 1024];
        let count = match stderr.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(_) => 0,
        };
        if count == 0 {
            // The descriptor is closed right here, so nothing is left to forget.
            drop(self.reactor.remove(*token, &*stderr));
            self.output = None;
            return;
        }
        let mut shown = Vec::new();
        self.spoken.feed(buffer.get(..count).unwrap_or_default(), |item| shown.push(item));
        for item in shown {
            match item {
                // What fails because everything ends is no problem.
                Shown::Problem(_) if self.ending => {}
                Shown::Problem(text) => problem(&text),
                Shown::Text(text) => self.show(Some(&text)),
            }
        }
    }

    /// Prints a line, or what waits; who closed our output wants the end.
    fn show(&mut self, line: Option<&str>) {
        let written = match line {
            Some(line) => self.screen.line(line),
            None => self.screen.write(),
        };
        if written == Err(Closed) {
            return self.end();
        }
        let Some(token) = self.screen_token else { return };
        let interest = if self.screen.is_empty() { Interest::NONE } else { Interest::WRITE };
        if let Err(error) = self.reactor.set_interest(token, &self.screen, interest) {
            log::line("lunix", Level::Error, format_args!("cannot watch standard output: {error}"));
        }
    }

    fn end_turn(&mut self) -> Result<(), Fatal> {
        self.client.flush(Instant::now(), &mut self.reactor);
        let reason = self.client.take_down_reason();
        // Our own bus needs its time to start, and says itself what is wrong; it cannot be elsewhere.
        if let Some(reason) = reason.filter(|_| self.place.port.is_none() && !self.ending) {
            let address = self.client.address();
            log::line("lunix", Level::Warn, format_args!("the bus at {address} is away: {reason}; waiting for it"));
        }
        Ok(())
    }
}

/// A line that a service wrote to its log, as it is.
fn problem(text: &str) {
    drop(io::stderr().write_all(format!("{text}\n").as_bytes()));
}

fn write_services(folder: &Folder, place: &Place) -> Result<(), Fatal> {
    for (part, program) in host::programs(parts::parts(place), &place.lunix)? {
        for (path, content, executable) in parts::files(&part, &program, place) {
            folder.write(&Path::new("services").join(part.name).join(path), &content, executable)?;
        }
    }
    Ok(())
}
