//! Everything around the adapter: reactor, bus link, outbox, service answers, recorder; and what comes from the bus.

use crate::context::{Context, Request, Route};
use crate::flags::{Given, Program};
use crate::outbox::Outbox;
use crate::record::Recorder;
use crate::run::Key;
use crate::service::Service;
use nats_client::{Address, Client, Identity, Incoming, Keys, Subscription};
use program::exit::{self, Fatal};
use program::log::{self, Level};
use reactor::{Instant, Reactor};
use std::path::Path;
use sys::signal;

/// Descriptors one daemon may watch.
const SOURCES_MAX: usize = 1024;

/// Bytes that may wait to be sent to the bus.
const OUTPUT_MAX: usize = 1024 * 1024;

/// Everything around the adapter.
pub(crate) struct Frame<S> {
    pub(crate) reactor: Reactor<Key<S>>,
    pub(crate) client: Client<Key<S>>,
    pub(crate) outbox: Outbox,
    pub(crate) service: Service,
    pub(crate) recorder: Recorder,
    pub(crate) routes: Vec<(Subscription, Route)>,
    pub(crate) scratch: Request,
    pub(crate) program: Program,
    pub(crate) ending: Option<Fatal>,
}

impl<S: Copy> Frame<S> {
    pub(crate) fn open(program: Program, given: &Given) -> Result<Self, Fatal> {
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

    pub(crate) fn context(&mut self, now: Instant, serving: Option<usize>) -> Context<'_, S> {
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

    pub(crate) fn log(&self, level: Level, text: impl std::fmt::Display) {
        log::line(self.program.name, level, text);
    }
}

/// What came from the bus, once its bytes are copied to the scratch request.
pub(crate) enum Told {
    Up,
    Pong,
    Refused(String),
    Message(Route),
    Stray,
}

/// Takes the next thing the bus said; a message's bytes go to the scratch request.
pub(crate) fn take<S: Copy>(frame: &mut Frame<S>) -> Option<Told> {
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
