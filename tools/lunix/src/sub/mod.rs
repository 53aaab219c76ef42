//! `lunix sub`: messages as lines, over every absence of the bus.

mod printer;
mod state;

use crate::output::{Lines, Stop};
use crate::{bus, line};
use nats_client::{Client, Identity, Incoming, Keys, Subscription};
use printer::Printer;
use program::{Fatal, Given, Level, exit, log};
use reactor::{Event, Instant, Interest, Reactor};
use state::States;
use std::io;

/// Bytes that may wait for the bus.
const OUTPUT_MAX: usize = 1024 * 1024;

/// Descriptors that are watched: the bus, two timers, standard output.
const SOURCES_MAX: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Key {
    Bus,
    Retry,
    Deadline,
    Output,
}

/// What the subscriptions are for.
enum Mode {
    /// Every message is printed.
    Plain,
    /// Domains are followed.
    State(States),
}

struct Sub {
    reactor: Reactor<Key>,
    client: Client<Key>,
    mode: Mode,
    printer: Printer,
}

/// Runs until the count is reached or nobody reads the output.
pub(crate) fn run(given: &Given, lines: Lines) -> Result<(), Stop> {
    let patterns = patterns(given)?;
    let printer = Printer::new(given, lines)?;
    if printer.is_done() {
        return Ok(());
    }
    let mut reactor = Reactor::new(SOURCES_MAX).map_err(|error| Fatal::system("cannot open epoll", error))?;
    let keys = Keys { socket: Key::Bus, timer: Key::Retry };
    let mut client = Client::new(bus::address(given)?, Identity::new("lunix"), OUTPUT_MAX, keys, &mut reactor)
        .map_err(|error| Fatal::system("cannot open the bus client", error))?;
    let mode = match given.has("state") {
        true => Mode::State(
            States::new(patterns, &mut client, &mut reactor, Key::Deadline)
                .map_err(|error| Fatal::system("cannot open a timer", error))?,
        ),
        false => {
            for pattern in &patterns {
                client.subscribe(pattern, given.value("queue"));
            }
            Mode::Plain
        }
    };
    // Where standard output is a plain file, nobody can close it.
    match reactor.insert(&printer, Interest::NONE, Key::Output).map_err(io::Error::from) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        Err(error) => return Err(Fatal::system("cannot watch standard output", error).into()),
    }
    client.open(Instant::now(), &mut reactor);
    Sub { reactor, client, mode, printer }.turn_until_done()
}

fn patterns(given: &Given) -> Result<Vec<String>, Fatal> {
    let wrong = |text: String| Err(Fatal::new(exit::USAGE, text));
    for pattern in given.arguments() {
        let shown = line::escaped(pattern.as_bytes());
        if !nats_subject::is_valid_subscription(pattern.as_bytes()) {
            return wrong(format!("subject '{shown}': expected tokens joined by dots; * for a token, > for the rest"));
        }
        if given.has("state") && follow::domain(pattern).is_none() {
            return wrong(format!("subject '{shown}': --state needs the domain first, as in hardware.usb.add"));
        }
    }
    if given.has("state") && given.has("queue") {
        return wrong(
            "--state and --queue exclude each other: who shares messages does not see all of them".to_owned(),
        );
    }
    Ok(given.arguments().to_vec())
}

impl Sub {
    fn turn_until_done(mut self) -> Result<(), Stop> {
        loop {
            self.end_turn();
            if self.printer.is_done() {
                return Ok(());
            }
            self.reactor.wait(None).map_err(|error| Fatal::system("cannot wait", error))?;
            let now = Instant::now();
            while let Some(event) = self.reactor.next() {
                self.serve(now, event)?;
            }
        }
    }

    fn serve(&mut self, now: Instant, event: Event<Key>) -> Result<(), Stop> {
        match event.key {
            Key::Output if event.closed => Err(Stop::OutputClosed),
            Key::Output => Ok(()),
            Key::Deadline => match &mut self.mode {
                Mode::State(states) => states.deadline(now, &mut self.client, &mut self.printer),
                Mode::Plain => Ok(()),
            },
            Key::Bus | Key::Retry => {
                self.client.handle(now, event, &mut self.reactor);
                self.take_incoming(now)
            }
        }
    }

    fn take_incoming(&mut self, now: Instant) -> Result<(), Stop> {
        while let Some(incoming) = self.client.next() {
            match (incoming, &mut self.mode) {
                (Incoming::Up { .. }, Mode::State(states)) => {
                    states.connected(now, &mut self.client, &mut self.printer)?
                }
                (Incoming::Up { .. } | Incoming::Pong, _) => {}
                (Incoming::Refused(text), _) => refused(text)?,
                (Incoming::Message(_, message), Mode::Plain) => {
                    self.printer.message(&String::from_utf8_lossy(message.subject), message.payload)?;
                }
                (Incoming::Message(subscription, message), Mode::State(states)) => {
                    let message = Message::from(subscription, message);
                    states.message(now, &message, &mut self.client, &mut self.printer)?;
                }
            }
            if self.printer.is_done() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn end_turn(&mut self) {
        let now = Instant::now();
        self.client.flush(now, &mut self.reactor);
        if let Some(reason) = self.client.take_down_reason() {
            let address = self.client.address();
            log::line("lunix", Level::Warn, format_args!("the bus at {address} is away: {reason}; waiting for it"));
            if let Mode::State(states) = &mut self.mode {
                states.disconnected();
            }
        }
    }
}

/// A permission that is missing stays missing; anything else the bus says is only told.
fn refused(text: &str) -> Result<(), Stop> {
    let fatal = bus::refused(text);
    if fatal.code == exit::NOT_PERMITTED {
        return Err(fatal.into());
    }
    log::line("lunix", Level::Warn, &fatal);
    Ok(())
}

/// A message with memory of its own.
struct Message {
    subscription: Subscription,
    subject: String,
    headers: Vec<u8>,
    payload: Vec<u8>,
    nobody: bool,
}

impl Message {
    fn from(subscription: Subscription, message: nats_client::Message<'_>) -> Self {
        Self {
            subscription,
            subject: String::from_utf8_lossy(message.subject).into_owned(),
            headers: message.headers.to_vec(),
            payload: message.payload.to_vec(),
            nobody: message.is_no_responders(),
        }
    }
}
