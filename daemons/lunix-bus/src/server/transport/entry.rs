//! How clients come in: which way a listener's connections take, and what happens until they are served.

use super::web::Shared;
use super::{Acceptor, Layered, Stage, Transport, Web};
use crate::broker::{Door, Peer, Reason, TlsFacts, Way, WebFacts};
use crate::config::{Config, HandshakeFirst};
use crate::local::Facts;
use crate::server::Server;
use reactor::Instant;
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

/// What the listeners need, and the connections that are on their way in.
#[derive(Debug, Default)]
pub(in crate::server) struct Doors {
    pub(super) acceptor: Option<Acceptor>,
    /// Clients may go without TLS.
    optional: bool,
    pub(super) web_acceptor: Option<Acceptor>,
    web: Option<Rc<Shared>>,
    /// Which of the listeners is the WebSocket's.
    web_listener: Option<u32>,
    /// When something is due for a connection, and its slot.
    waiting: BTreeSet<(Instant, u32)>,
    /// Handshakes begun since a moment.
    begun: Option<(Instant, usize)>,
    /// Connections whose input is not all taken in.
    pub(super) behind: Vec<u32>,
    /// Decrypted input, and frames to answer with; kept for their memory.
    pub(super) plain: Vec<u8>,
    pub(super) frame: Vec<u8>,
}

impl Doors {
    /// `web_listener`: which of the listeners is the WebSocket's.
    pub(in crate::server) fn new(config: &Config, web_listener: Option<u32>) -> Self {
        let mut doors = Self { web_listener, ..Self::default() };
        doors.configure(config);
        doors
    }

    /// Takes a configuration, the first or a new one. Connections that are there keep what they began with.
    pub(in crate::server) fn configure(&mut self, config: &Config) {
        self.acceptor.clone_from(&config.acceptor);
        self.optional = config.allow_non_tls;
        if let Some(web) = &config.websocket {
            self.web = Shared::new(web);
            self.web_acceptor.clone_from(&config.web_acceptor);
        }
    }

    /// When the next connection has to be looked at.
    pub(in crate::server) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// True while connections wait to be read from memory.
    pub(in crate::server) fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    /// Forgets that something is due for a connection.
    pub(super) fn forget(&mut self, slot: u32, layered: &mut Layered) {
        if let Some(due) = layered.due.take() {
            self.waiting.remove(&(due, slot));
        }
    }

    /// The connection is closed.
    pub(in crate::server) fn remove(&mut self, slot: u32, transport: Transport) {
        if let Transport::Layered(mut layered) = transport {
            self.forget(slot, &mut layered);
        }
    }

    fn wait(&mut self, slot: u32, layered: &mut Layered, due: Instant) {
        self.forget(slot, layered);
        layered.due = Some(due);
        self.waiting.insert((due, slot));
    }

    /// The way of a new connection, and how long something may take.
    fn route(&self, is_web: bool) -> Option<(Door, Layered, Duration)> {
        if is_web {
            let shared = self.web.as_ref()?;
            let tls = self.web_acceptor.as_ref().map(Acceptor::accept).transpose().ok()?;
            let stage = if tls.is_some() { Stage::Handshake } else { Stage::Request };
            let web = Web::new(shared, tls.is_some());
            return Some((Door::Silent, Layered::new(stage, tls, web, true), shared.patience()));
        }
        let acceptor = self.acceptor.as_ref()?;
        let timeout = acceptor.timeout();
        let undecided = |greeted| Layered::new(Stage::Undecided, None, None, greeted);
        let decided = |greeted| Some(Layered::new(Stage::Handshake, Some(acceptor.accept().ok()?), None, greeted));
        match (acceptor.first(), self.optional) {
            (HandshakeFirst::No, false) => Some((Door::Greeted, decided(true)?, timeout)),
            (HandshakeFirst::No, true) => Some((Door::Greeted, undecided(true), timeout)),
            (HandshakeFirst::Yes, _) => Some((Door::Silent, decided(false)?, timeout)),
            (HandshakeFirst::Within(delay), _) => Some((Door::Silent, undecided(false), delay)),
        }
    }

    /// Whether the listener of this number is for WebSockets.
    pub(in crate::server) fn is_web(&self, number: u32) -> bool {
        self.web_listener == Some(number)
    }

    /// Whether one more handshake may begin in this second.
    fn may_begin(&mut self, now: Instant) -> bool {
        let Some(limit) = self.acceptor.as_ref().and_then(Acceptor::rate_limit) else { return true };
        let (since, count) = self.begun.filter(|(since, _)| now - *since < Duration::from_secs(1)).unwrap_or((now, 0));
        self.begun = Some((since, count + 1));
        count < limit
    }
}

impl Server {
    /// Lets a new connection in by the way of its listener. Returns its slot; `None` when it is not let in.
    pub(in crate::server) fn let_in(
        &mut self,
        now: Instant,
        number: u32,
        (fd, peer): (OwnedFd, Peer),
        facts: Option<Facts>,
    ) -> Option<u32> {
        let is_web = self.doors.is_web(number);
        let needs = is_web || (self.doors.acceptor.is_some() && matches!(peer, Peer::Tcp(_)));
        if !needs {
            let slot = self.broker.accept_at(now, peer, Door::Open, None, facts)?;
            return self.attach(slot, fd, Transport::Plain).map(|()| slot);
        }
        let (door, mut layered, patience) = self.doors.route(is_web)?;
        let way = is_web.then(|| Box::new(Way { web: Some(WebFacts::default()), ..Way::default() }));
        let slot = self.broker.accept_at(now, peer, door, way, facts)?;
        let throttled = !is_web && layered.stage == Stage::Handshake && !self.doors.may_begin(now);
        self.doors.wait(slot, &mut layered, now + patience);
        self.broker.charge(slot, layered.held());
        self.attach(slot, fd, Transport::Layered(Box::new(layered)))?;
        if throttled {
            self.broker.throttle(slot);
        }
        Some(slot)
    }

    /// Looks at the connections for which something is due.
    pub(in crate::server) fn doors_tick(&mut self, now: Instant) {
        while let Some((due, slot)) = self.doors.waiting.first().copied().filter(|(due, _)| *due <= now) {
            self.doors.waiting.remove(&(due, slot));
            let Some(layered) = self.layered(slot) else { continue };
            layered.due = None;
            match layered.stage {
                Stage::Undecided => self.decide(now, slot, false),
                Stage::Handshake => self.turn_away(slot, Reason::TlsHandshake, "TLS handshake timeout"),
                Stage::Request => self.turn_away(slot, Reason::Protocol, "websocket handshake timeout"),
                Stage::Open => {}
            }
        }
    }

    /// Decides whether a connection speaks TLS: it does if it begins so, and if it must. Without bytes of it, time has passed.
    pub(super) fn decide(&mut self, now: Instant, slot: u32, begins: bool) {
        let optional = self.doors.optional;
        let timeout = self.doors.acceptor.as_ref().map(Acceptor::timeout);
        let heard = begins || self.layered(slot).is_some_and(|layered| layered.is_heard);
        let Some(layered) = self.layered(slot) else { return };
        let told = layered.greeted;
        layered.greeted |= !begins;
        if !begins && !told {
            self.broker.greet(slot);
        }
        let Some(timeout) = timeout else { return self.turn_away(slot, Reason::TlsHandshake, "TLS was switched off") };
        if !begins && optional {
            if told || heard {
                return self.go_plain(now, slot);
            }
            return self.wait_for(slot, now + timeout);
        }
        if !self.doors.may_begin(now) {
            return self.broker.throttle(slot);
        }
        let Some(Ok(tls)) = self.doors.acceptor.as_ref().map(Acceptor::accept) else { return };
        let Some(layered) = self.layered(slot) else { return };
        layered.tls = Some(tls);
        layered.stage = Stage::Handshake;
        self.wait_for(slot, now + timeout);
    }

    fn wait_for(&mut self, slot: u32, due: Instant) {
        let Self { sockets, doors, .. } = self;
        let socket = sockets.get_mut(slot as usize).and_then(Option::as_mut);
        if let Some(Transport::Layered(layered)) = socket.map(|socket| &mut socket.transport) {
            doors.wait(slot, layered, due);
        }
    }

    fn go_plain(&mut self, now: Instant, slot: u32) {
        if let Some(socket) = self.sockets.get_mut(slot as usize).and_then(Option::as_mut) {
            if let Transport::Layered(layered) = &mut socket.transport {
                self.doors.forget(slot, layered);
            }
            socket.transport = Transport::Plain;
        }
        self.broker.charge(slot, 0);
        self.broker.enter(now, slot, None);
    }

    /// The TLS handshake is done. False when the client is not let in.
    pub(super) fn shaken(&mut self, now: Instant, slot: u32, facts: TlsFacts) -> bool {
        #[cfg(feature = "leaf")]
        if self.link_shaken(now, slot) {
            return true;
        }
        let Some(layered) = self.layered(slot) else { return false };
        let is_web = layered.web.is_some();
        let acceptor = if is_web { self.doors.web_acceptor.as_ref() } else { self.doors.acceptor.as_ref() };
        let (good, maps) = acceptor.map_or((true, false), |acceptor| (acceptor.lets_in(&facts), acceptor.maps()));
        if !good {
            self.turn_away(slot, Reason::Pinned, "certificate is not pinned");
            return false;
        }
        let way = Box::new(Way { tls: Some(facts), maps, web: None });
        let Some(layered) = self.layered(slot) else { return false };
        if is_web {
            layered.stage = Stage::Request;
            layered.way = Some(way);
        } else {
            self.enter(now, slot, way);
        }
        true
    }

    /// The request for a WebSocket is granted.
    pub(super) fn upgraded(&mut self, now: Instant, slot: u32, facts: WebFacts) {
        let Some(layered) = self.layered(slot) else { return };
        let mut way = layered.way.take().unwrap_or_default();
        way.web = Some(facts);
        self.enter(now, slot, way);
    }

    fn enter(&mut self, now: Instant, slot: u32, way: Box<Way>) {
        let Self { sockets, doors, .. } = self;
        let socket = sockets.get_mut(slot as usize).and_then(Option::as_mut);
        if let Some(Transport::Layered(layered)) = socket.map(|socket| &mut socket.transport) {
            doors.forget(slot, layered);
            layered.stage = Stage::Open;
        }
        self.broker.enter(now, slot, Some(way));
    }

    /// Ends a connection that did not get in, and logs why.
    pub(super) fn turn_away(&mut self, slot: u32, reason: Reason, why: &str) {
        #[cfg(feature = "leaf")]
        if self.link_refused(slot, why) {
            return;
        }
        self.broker.turn_away(slot, reason, why);
    }

    pub(super) fn layered(&mut self, slot: u32) -> Option<&mut Layered> {
        match &mut self.sockets.get_mut(slot as usize)?.as_mut()?.transport {
            Transport::Plain => None,
            Transport::Layered(layered) => Some(layered),
        }
    }
}

/// The client's side: connections to hubs.
#[cfg(feature = "leaf")]
impl Server {
    /// Begins TLS with the hub called `name`.
    ///
    /// # Errors
    /// A sentence about why it cannot begin.
    pub(in crate::server) fn secure(
        &mut self,
        now: Instant,
        remote: usize,
        slot: u32,
        name: &str,
    ) -> Result<(), String> {
        let block = self.broker.remote(remote).and_then(|remote| remote.tls.clone()).unwrap_or_default();
        let tls = super::connect(&block, name).map_err(|error| error.to_string())?;
        let layered = Layered::new(Stage::Handshake, Some(tls), None, true);
        self.broker.charge(slot, layered.held());
        if let Some(socket) = self.sockets.get_mut(slot as usize).and_then(Option::as_mut) {
            socket.transport = Transport::Layered(Box::new(layered));
        }
        self.write(now, slot);
        Ok(())
    }

    /// The handshake with a hub is done. False when this is no link.
    fn link_shaken(&mut self, now: Instant, slot: u32) -> bool {
        let Some(remote) = self.broker.link_in(slot) else { return false };
        if let Some(layered) = self.layered(slot) {
            layered.stage = Stage::Open;
        }
        self.broker.link_secured(now, remote);
        true
    }

    /// There is no TLS with a hub, and why. False when this is no link, or one that had TLS already.
    fn link_refused(&mut self, slot: u32, why: &str) -> bool {
        let Some(remote) = self.broker.link_in(slot) else { return false };
        self.broker.link_failed(Instant::now(), remote, why);
        self.broker.is_ending(slot)
    }
}
