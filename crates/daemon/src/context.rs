//! What an adapter can do in a turn: watch descriptors, subscribe, publish, answer, log, record.

use crate::flags::Program;
use crate::outbox::Outbox;
use crate::record::Recorder;
use crate::run::Key;
use crate::service::{QUEUE, Service};
use interfaces::error;
use interfaces::time::rfc3339;
use nats_client::{Client, PublishError, Subscription};
use nats_proto::headers::{Builder, Headers};
use program::Fatal;
use program::log::{self, Level};
use reactor::{Instant, Interest, Reactor, Token};
use serde::Serialize;
use std::io;
use std::os::fd::AsFd;
use std::time::SystemTime;

/// A message that a subscription of ours received, with the memory of the turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The subject it was sent to.
    pub subject: String,
    /// Where the answer goes; a command has none.
    pub reply: Option<String>,
    /// The header block; empty without headers.
    pub headers: Vec<u8>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Request {
    /// The line that tells who asks ([`interfaces::request`]), where the bus has written one.
    #[must_use]
    pub fn asker(&self) -> Option<String> {
        let headers = Headers::parse(&self.headers).ok()?;
        Some(String::from_utf8_lossy(headers.get(interfaces::request::HEADER)?).into_owned())
    }
}

/// The world of one turn.
#[derive(Debug)]
pub struct Context<'a, S> {
    pub(crate) now: Instant,
    pub(crate) program: Program,
    pub(crate) reactor: &'a mut Reactor<Key<S>>,
    pub(crate) client: &'a mut Client<Key<S>>,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) service: &'a mut Service,
    pub(crate) recorder: &'a mut Recorder,
    pub(crate) routes: &'a mut Vec<(Subscription, Route)>,
    /// The endpoint whose request is being served.
    pub(crate) serving: Option<usize>,
    /// Why the daemon ends at the end of this turn.
    pub(crate) ending: &'a mut Option<Fatal>,
}

/// What a subscription is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Endpoint(usize),
    Command,
    Service(crate::service::Verb),
}

impl<S: Copy> Context<'_, S> {
    /// The moment this turn began.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Watches a descriptor; [`Daemon::source`](crate::Daemon::source) is called with `source` when it is ready.
    ///
    /// # Errors
    /// The kernel's.
    pub fn watch(&mut self, fd: impl AsFd, interest: Interest, source: S) -> io::Result<Token> {
        Ok(self.reactor.insert(fd, interest, Key::Source(source))?)
    }

    /// Watches the descriptor for something else from now on.
    ///
    /// # Errors
    /// The kernel's; a token that was given back already.
    pub fn set_interest(&mut self, token: Token, fd: impl AsFd, interest: Interest) -> io::Result<()> {
        Ok(self.reactor.set_interest(token, fd, interest)?)
    }

    /// Watches the descriptor no longer; do it before closing it.
    ///
    /// # Errors
    /// The kernel's; a token that was given back already.
    pub fn unwatch(&mut self, token: Token, fd: impl AsFd) -> io::Result<()> {
        Ok(self.reactor.remove(token, fd)?)
    }

    /// Serves requests on a subject (wildcards allowed) as the endpoint `name` of the service protocol.
    pub fn serve(&mut self, name: &str, subject: &str) {
        let endpoint = self.service.add(name, subject);
        let subscription = self.client.subscribe(subject, Some(QUEUE));
        self.routes.push((subscription, Route::Endpoint(endpoint)));
    }

    /// Takes commands, which have no answer, on a subject.
    pub fn listen(&mut self, subject: &str) {
        let subscription = self.client.subscribe(subject, None);
        self.routes.push((subscription, Route::Command));
    }

    /// Publishes a numbered event; it is kept until the bus has proved that it took it.
    pub fn publish(&mut self, subject: String, body: &impl Serialize) {
        let time = rfc3339(SystemTime::now());
        if let Err(error) = self.outbox.stage(subject, &time, body) {
            self.log(Level::Error, format_args!("an event cannot be written as JSON: {error}"));
        }
    }

    /// Publishes a message once, without number and proof; it is lost when the bus is away.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub fn send(&mut self, subject: &str, payload: &[u8]) -> Result<(), PublishError> {
        self.client.publish(subject, None, b"", payload)
    }

    /// Publishes a JSON value once, without number and proof: for what changes no state.
    pub fn announce(&mut self, subject: &str, body: &impl Serialize) {
        let sent = serde_json::to_vec(body).map_err(|error| error.to_string());
        let sent = sent.and_then(|payload| self.send(subject, &payload).map_err(|error| error.to_string()));
        if let Err(why) = sent {
            self.log(Level::Warn, format_args!("{subject} was not published: {why}"));
        }
    }

    /// Answers with a JSON value.
    pub fn reply(&mut self, to: &str, body: &impl Serialize) {
        match serde_json::to_vec(body) {
            Ok(payload) => self.reply_bytes(to, &payload),
            Err(error) => self.reply_error(to, error::INTERNAL, &error.to_string()),
        }
    }

    /// Answers with bytes as they are.
    pub fn reply_bytes(&mut self, to: &str, payload: &[u8]) {
        match self.client.publish(to, None, b"", payload) {
            Ok(()) => {}
            Err(PublishError::TooLarge { max_payload }) => {
                let text = format!("the answer is larger than the bus takes ({max_payload} bytes): ask for less");
                self.reply_error(to, error::TOO_LARGE, &text);
            }
            Err(error @ (PublishError::Down | PublishError::Full)) => self.unanswered(&error),
        }
    }

    /// Answers with an error in the headers of the service protocol, and an empty payload.
    pub fn reply_error(&mut self, to: &str, code: u16, text: &str) {
        if let Some(endpoint) = self.serving {
            self.service.failed(endpoint, code, text);
        }
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let headers = Builder::new()
            .add("Nats-Service-Error-Code", &code.to_string())
            .and_then(|headers| headers.add("Nats-Service-Error", &line));
        match headers {
            Ok(headers) => self.reply_headers(to, &headers.finish()),
            Err(error) => self.log(Level::Error, format_args!("an error answer cannot be written: {error}")),
        }
    }

    /// Answers that nobody can serve this: status 503 and nothing else, which clients report as "no responders" at once.
    pub fn reply_nobody(&mut self, to: &str) {
        match Builder::with_status(503, "") {
            Ok(headers) => self.reply_headers(to, &headers.finish()),
            Err(error) => self.log(Level::Error, format_args!("a status cannot be written: {error}")),
        }
    }

    /// Ends the daemon when this turn is over, for a reason that it cannot live with.
    pub fn end(&mut self, why: Fatal) {
        self.ending.get_or_insert(why);
    }

    /// The numbers and the unproven events, for a daemon that keeps them over a restart.
    pub fn outbox(&mut self) -> &mut Outbox {
        self.outbox
    }

    /// Records an input, where recording was asked for. Call it with every input before the step.
    pub fn record(&mut self, input: &impl Serialize) {
        if let Err(error) = self.recorder.write(self.now, input) {
            self.log(Level::Error, format_args!("recording ended: {error}"));
        }
    }

    /// Writes a log line.
    pub fn log(&self, level: Level, text: impl std::fmt::Display) {
        log::line(self.program.name, level, text);
    }

    fn reply_headers(&mut self, to: &str, headers: &[u8]) {
        if let Err(error) = self.client.publish(to, None, headers, b"") {
            self.unanswered(&error);
        }
    }

    fn unanswered(&self, error: &PublishError) {
        self.log(Level::Warn, format_args!("a request stays without answer: {error}"));
    }
}
