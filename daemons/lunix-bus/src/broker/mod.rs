//! The broker: a pure machine. Bytes of clients and moments in, bytes for clients and a few lists out; no descriptor, no clock.
//!
//! | input | what it does |
//! |---|---|
//! | [`Broker::accept`] | a new client: INFO waits for it |
//! | [`Broker::accept_at`], [`Broker::enter`] | the same for one that has to get through TLS or a WebSocket's handshake first |
//! | [`Broker::receive`] | bytes of a client: parsed, executed, routed straight into the receivers' output |
//! | [`Broker::sent`], [`Broker::blocked`] | how writing goes |
//! | [`Broker::remove`] | the connection is closed |
//! | [`Broker::tick`] | a deadline has passed: PING, timeouts |
//!
//! | output | what the adapter does with it |
//! |---|---|
//! | [`Broker::take_dirty`] | write these clients' [`Broker::pieces`] |
//! | [`Broker::take_ending`] | write what waits, then close and [`Broker::remove`] |
//! | [`Broker::is_stalled`], [`Broker::take_resumed`] | stop and start reading from a publisher |
//! | [`Broker::next_deadline`] | when to call [`Broker::tick`] |
//! | [`Broker::take_notes`] | log |

mod account;
mod authenticate;
mod budget;
#[cfg(feature = "jwt")]
mod callout;
#[cfg(not(feature = "jwt"))]
#[path = "callout_absent.rs"]
mod callout;
#[cfg(all(feature = "jwt", not(feature = "seal")))]
mod callout_plain;
#[cfg(feature = "seal")]
mod callout_seal;
mod ceiling;
mod client;
mod clock;
mod closed;
mod compact;
mod connect;
mod door;
mod events;
mod execute;
mod info;
mod json;
mod kinds;
mod lame_duck;
#[cfg(feature = "leaf")]
mod link;
#[cfg(not(feature = "leaf"))]
#[path = "no_link.rs"]
mod link;
mod local_clients;
#[cfg(feature = "jwt")]
mod nonce;
mod outbox;
mod output;
mod permissions;
mod publish;
mod reload;
mod replies;
mod report;
mod request_info;
mod services;
mod settings;
mod shadows;
mod sharing;
mod subscriptions;
mod system;
#[cfg(test)]
mod tests;
#[cfg_attr(not(feature = "jwt"), path = "tokens_absent.rs")]
mod tokens;
#[cfg_attr(not(feature = "leaf"), expect(dead_code, reason = "only links to hubs need it"))]
mod wants;
mod wiring;

pub use account::GLOBAL;
pub(crate) use authenticate::is_hash;
pub use authenticate::{Identity, Question, Ticket};
pub use client::{Peer, Reason};
pub use door::{Cookies, Door, PeerCertificate, TlsFacts, Way, WebFacts};
pub use info::REFERENCE_VERSION;
pub use kinds::{ConnectionKind, ConnectionKinds};
#[cfg(feature = "leaf")]
pub use link::{LinkOrder, Proof};
pub use outbox::Note;
pub use permissions::{Clause, Permissions, Responses, Rule, User};
pub use report::{Facts, Report};
pub use settings::{Callout, Credentials, Security, Settings, Web};
pub use sharing::{AccountSettings, Export, ExportKind, Import, ImportError, ResponseType, Sharing, check_imports};

use crate::local;
use account::Accounts;
use budget::Payer;
use client::{Client, Options, Traffic};
use closed::Closed;
use lame_duck::LameDuck;
use nats_proto::client::Parser;
use outbox::Outbox;
use reactor::Instant;
use replies::Replies;
use std::collections::VecDeque;
use std::time::SystemTime;
use subscriptions::{NONE, Subscriptions};

/// How far [`Broker::receive`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything is taken.
    Done,
    /// So many bytes are taken; write what waits, then give the rest.
    Paused(usize),
    /// The client is ending; the rest is of no interest.
    Ending,
}

/// The machine.
#[derive(Debug)]
pub struct Broker {
    settings: Settings,
    clients: Vec<Option<Box<Client>>>,
    free: Vec<u32>,
    count: usize,
    next_id: u64,
    subscriptions: Subscriptions,
    accounts: Accounts,
    /// Answers that services in other accounts owe.
    replies: Replies,
    outbox: Outbox,
    random: u64,
    /// Parts of the frame under way, kept for their memory.
    scratch: publish::Scratch,
    /// An empty buffer for the next unfinished operation.
    spare: Vec<u8>,
    next_due: Option<Instant>,
    /// When memory kept for use again is given back.
    relax_due: Option<Instant>,
    slow_consumers: u64,
    stale: u64,
    /// Of the clients that are gone.
    traffic: Traffic,
    closed: VecDeque<Closed>,
    lame_duck: Option<LameDuck>,
    links: link::Links,
    #[cfg(feature = "jwt")]
    nonces: nonce::Nonces,
    #[cfg(feature = "jwt")]
    secrets: callout::Secrets,
    /// Clients that the authorization service is asked about; some may be decided already.
    #[cfg(feature = "jwt")]
    asked: Vec<u32>,
    /// When what accounts share changes because a token expires.
    #[cfg(feature = "jwt")]
    next_share: Option<Instant>,
    /// Requests to the server that wait for facts, and how many were answered.
    requests: VecDeque<system::Request>,
    answered: u64,
    /// A moment, and the same on the calendar.
    calendar: (Instant, SystemTime),
}

impl Broker {
    /// A broker without clients. `seed`: random, not zero; it keeps clients from aiming at our tables.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let outbox = Outbox::new(&settings, seed);
        let mut subscriptions = Subscriptions::new(seed);
        let accounts = Accounts::new(&mut subscriptions);
        let mut broker = Self {
            settings,
            clients: Vec::new(),
            free: Vec::new(),
            count: 0,
            next_id: 1,
            subscriptions,
            accounts,
            replies: Replies::new(seed),
            outbox,
            random: seed | 1,
            scratch: publish::Scratch::default(),
            spare: Vec::new(),
            next_due: None,
            relax_due: None,
            slow_consumers: 0,
            stale: 0,
            traffic: Traffic::default(),
            closed: VecDeque::new(),
            lame_duck: None,
            links: link::Links::default(),
            #[cfg(feature = "jwt")]
            nonces: nonce::Nonces::new([0; 32]),
            #[cfg(feature = "jwt")]
            secrets: callout::Secrets::new([0; 32]),
            #[cfg(feature = "jwt")]
            asked: Vec::new(),
            #[cfg(feature = "jwt")]
            next_share: None,
            requests: VecDeque::new(),
            answered: 0,
            calendar: (Instant::from_nanos(0), SystemTime::UNIX_EPOCH),
        };
        broker.open_accounts();
        broker.wire();
        broker
    }

    /// Sets the secret that makes what clients have to sign impossible to foretell, and that the server's own key comes from, whose public
    /// half becomes the server's identifier: random bytes, before the first client.
    #[cfg(feature = "jwt")]
    pub fn set_secret(&mut self, secret: [u8; 32]) {
        self.nonces = nonce::Nonces::new(secret);
        self.secrets = callout::Secrets::new(secret);
        let settings = &mut self.settings;
        let named_by_key = settings.server_name == settings.server_id;
        settings.server_id = self.secrets.server();
        if named_by_key {
            settings.server_name.clone_from(&settings.server_id);
        }
        self.unwire();
        self.wire();
    }

    /// Number of clients.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.count - self.links.seated()
    }

    /// Number of connections: clients, and links to hubs.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.count
    }

    /// Number of subscriptions of all clients.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.len()
    }

    /// Bytes held for all clients: themselves, waiting output, unfinished input and subscriptions.
    #[must_use]
    pub fn held(&self) -> usize {
        self.outbox.ledger.held()
    }

    /// Clients cut because they did not read, since start.
    #[must_use]
    pub fn slow_consumers(&self) -> u64 {
        self.slow_consumers
    }

    /// What it was told.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A new connection. Returns its slot: the name of the connection until [`Broker::remove`]. `None` when even a refusal cannot
    /// be told.
    pub fn accept(&mut self, now: Instant, peer: Peer) -> Option<u32> {
        self.accept_at(now, peer, Door::Open, None, None)
    }

    /// A new connection that comes in through `door`; what is known of its `way` already, and what the kernel says of the peer.
    /// Returns as [`Broker::accept`].
    pub fn accept_at(
        &mut self,
        now: Instant,
        peer: Peer,
        door: Door,
        way: Option<Box<Way>>,
        facts: Option<local::Facts>,
    ) -> Option<u32> {
        let clients = self.clients();
        let crowded = clients >= self.settings.max_connections;
        if clients > self.settings.max_connections.saturating_add(64) {
            return None;
        }
        let slot = self.seat(now, peer)?;
        if let Some(client) = self.client_mut(slot) {
            client.local = facts.map(Box::new);
            client.way = way;
            client.told = door != Door::Silent;
            client.entered = door == Door::Open;
        }
        self.outbox.note(self.next_id - 1, Note::Opened(peer));
        if door == Door::Open {
            self.recognise(slot);
        }
        if door != Door::Silent {
            self.send_info(slot, info::Kind::First);
        }
        if door == Door::Open {
            self.start_clock(now, slot);
        }
        if crowded {
            self.refuse(slot, "maximum connections exceeded", Reason::MaxConnections);
        }
        Some(slot)
    }

    /// A place for a connection, and the connection in it: nobody yet.
    fn seat(&mut self, now: Instant, peer: Peer) -> Option<u32> {
        let slot = self.free_slot()?;
        let id = self.next_id;
        self.next_id += 1;
        self.count += 1;
        let payer = self.outbox.ledger.join(&budget::key_of(peer, None));
        self.outbox.ledger.charge(payer, budget::CLIENT_SIZE);
        let mut parser = Parser::new(self.settings.max_control_line, self.settings.max_payload);
        parser.set_headers(false);
        let client = Client {
            id,
            peer,
            parser,
            partial: Vec::new(),
            output: output::Output::default(),
            payer,
            options: Options::default(),
            connected: false,
            authenticated: false,
            told: true,
            entered: true,
            cut: false,
            greeted: false,
            pinged: false,
            active: false,
            dirty: false,
            closing: None,
            stalled: None,
            pings_out: 0,
            charged: 0,
            first_subscription: NONE,
            subscriptions: 0,
            subscriptions_size: 0,
            shadows: 0,
            replies: replies::Owed::default(),
            due: None,
            write_due: None,
            traffic: Traffic::default(),
            opened: now,
            last_active: now,
            asked: None,
            round_trip: None,
            about: None,
            #[cfg(feature = "jwt")]
            nonce: self.settings.has_keys().then(|| Box::new(self.nonces.next())),
            #[cfg(feature = "jwt")]
            residence: None,
            account: None,
            waiting: None,
            local: None,
            has_credentials: false,
            user: None,
            granted: None,
            way: None,
            link: None,
        };
        *self.clients.get_mut(slot as usize)? = Some(Box::new(client));
        Some(slot)
    }

    /// Takes bytes a client sent. After [`Progress::Paused`], write and give the rest again.
    pub fn receive(&mut self, now: Instant, slot: u32, input: &[u8]) -> Progress {
        let Some(client) = self.client_mut(slot).filter(|client| !client.is_closing()) else { return Progress::Ending };
        client.active = true;
        client.last_active = now;
        let mut at = 0;
        if !client.partial.is_empty() {
            at = self.complete(now, slot, input);
            if self.is_ending(slot) {
                return Progress::Ending;
            }
            if self.outbox.is_full() {
                return Progress::Paused(at);
            }
        }
        let (used, progress) = self.run(now, slot, input.get(at..).unwrap_or_default());
        match progress {
            Progress::Done => self.keep(slot, input.get(at + used..).unwrap_or_default()),
            Progress::Paused(_) => return Progress::Paused(at + used),
            Progress::Ending => return Progress::Ending,
        }
        self.compact_subscriptions();
        self.stall(now, slot);
        progress
    }

    /// Continues an unfinished operation with the beginning of `input`, until it is complete. Returns how much was taken.
    fn complete(&mut self, now: Instant, slot: u32, input: &[u8]) -> usize {
        let mut at = 0;
        while at < input.len() {
            let Some(client) = self.client_mut(slot) else { return at };
            if client.partial.is_empty() {
                return at;
            }
            let rest = input.get(at..).unwrap_or_default();
            let take = match client.wanted_len() {
                Some(wanted) => wanted.saturating_sub(client.partial.len()).min(rest.len()),
                None => rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |feed| feed + 1),
            };
            let mut partial = std::mem::take(&mut client.partial);
            let before = partial.capacity();
            partial.extend_from_slice(rest.get(..take).unwrap_or_default());
            at += take;
            let (grown, payer) = (partial.capacity() - before, client.payer);
            self.outbox.ledger.charge(payer, grown);
            let (used, progress) = self.run(now, slot, &partial);
            partial.drain(..used);
            if partial.is_empty() || progress == Progress::Ending {
                self.put_aside(payer, partial);
            } else if let Some(client) = self.client_mut(slot) {
                client.partial = partial;
            }
            if progress == Progress::Ending || self.outbox.is_full() {
                return at;
            }
        }
        at
    }

    /// Parses and executes. Returns how much was consumed and why it stopped.
    fn run(&mut self, now: Instant, slot: u32, input: &[u8]) -> (usize, Progress) {
        let Some(client) = self.client_mut(slot) else { return (0, Progress::Ending) };
        if client.is_waiting() {
            return (0, Progress::Done);
        }
        if client.link.is_some() {
            return self.run_link(now, slot, input);
        }
        let mut parser = std::mem::replace(&mut client.parser, Parser::new(0, 0));
        let mut authenticated = client.authenticated;
        let mut at = 0;
        let progress = loop {
            let rest = input.get(at..).unwrap_or_default();
            if !authenticated && parser.is_idle() && rest.first().is_some_and(|byte| !byte.eq_ignore_ascii_case(&b'C'))
            {
                self.refuse(slot, "Authorization Violation", Reason::Authentication);
                break Progress::Ending;
            }
            match parser.parse(rest) {
                Ok((used, Some(op))) => {
                    at += used;
                    self.execute(now, slot, &mut parser, op);
                    self.settle();
                    match self.client_mut(slot) {
                        Some(client) if client.is_closing() => break Progress::Ending,
                        Some(client) if client.is_waiting() => break Progress::Done,
                        Some(client) => authenticated = client.authenticated,
                        None => break Progress::Ending,
                    }
                    if self.outbox.is_full() {
                        break Progress::Paused(at);
                    }
                }
                Ok((used, None)) => {
                    at += used;
                    break Progress::Done;
                }
                Err(error) => {
                    if let Some(subject) = parser.broken_subject(rest) {
                        self.check_subject(slot, subject);
                    }
                    self.violation(slot, error);
                    break Progress::Ending;
                }
            }
        };
        if let Some(client) = self.client_mut(slot) {
            client.parser = parser;
        }
        (at, progress)
    }

    /// Keeps the bytes of an operation that is not complete.
    fn keep(&mut self, slot: u32, rest: &[u8]) {
        if rest.is_empty() {
            return;
        }
        let wanted = self.client(slot).and_then(Client::wanted_len).unwrap_or(rest.len());
        // A few bytes that may never be followed by more must not hold a large buffer.
        let suits = self.spare.capacity() <= 4096 || wanted >= self.spare.capacity() / 4;
        let mut partial = if suits { std::mem::take(&mut self.spare) } else { Vec::new() };
        partial.extend_from_slice(rest);
        if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
            self.outbox.ledger.charge(client.payer, partial.capacity());
            client.partial = partial;
        }
        self.settle();
    }

    /// Executes what a client sent while it was waiting.
    fn catch_up(&mut self, now: Instant, slot: u32) {
        let Some(client) = self.client_mut(slot).filter(|client| !client.is_closing()) else { return };
        let (mut partial, payer) = (std::mem::take(&mut client.partial), client.payer);
        loop {
            let (used, progress) = self.run(now, slot, &partial);
            partial.drain(..used);
            match progress {
                // At most one read's worth was kept, so nothing grows here.
                Progress::Paused(_) => {}
                Progress::Done if !partial.is_empty() => {
                    if let Some(client) = self.client_mut(slot) {
                        client.partial = partial;
                    }
                    return;
                }
                Progress::Done | Progress::Ending => return self.put_aside(payer, partial),
            }
        }
    }

    /// Takes the memory of a finished operation back; one buffer is kept for the next.
    fn put_aside(&mut self, payer: Payer, mut partial: Vec<u8>) {
        self.outbox.ledger.refund(payer, partial.capacity());
        partial.clear();
        if partial.capacity() <= 1 << 17 && partial.capacity() > self.spare.capacity() {
            self.spare = partial;
        }
    }

    /// The connection is closed. Its subscriptions are gone afterwards, and its slot is free.
    pub fn remove(&mut self, now: Instant, slot: u32) {
        self.announce_disconnect(now, slot);
        let account = self.client(slot).and_then(|client| client.account);
        self.unbind(slot);
        let Some(mut client) = self.clients.get_mut(slot as usize).and_then(Option::take) else { return };
        self.subscriptions.remove_all(client.first_subscription);
        self.outbox.ledger.refund(client.payer, client.charged as usize);
        let owed = self.replies.forget_all(&mut client.replies);
        match client.link.take() {
            Some(link) => self.link_closed(now, slot, &client, &link),
            None => {
                self.outbox.note(client.id, Note::Closed(client.peer, client.closing.unwrap_or(Reason::Gone)));
                self.remember(now, &client, account);
            }
        }
        let partial = std::mem::take(&mut client.partial);
        self.put_aside(client.payer, partial);
        let freed = client.output.clear(&mut self.outbox.pool);
        self.outbox.refund(&client, freed);
        self.outbox.ledger.refund(client.payer, budget::CLIENT_SIZE + client.subscriptions_size + owed);
        self.outbox.ledger.leave(client.payer);
        self.outbox.resume_those_waiting_for(slot, &mut self.clients);
        if let Some(account) = account {
            self.close_own(account);
        }
        self.free.push(slot);
        self.count -= 1;
        if self.count == 0 {
            self.trim();
        } else {
            self.compact();
        }
    }

    /// The connection broke, rather than being closed by the client; call it before [`Broker::remove`].
    pub fn broke(&mut self, slot: u32) {
        if let Some(client) = self.client_mut(slot) {
            client.closing.get_or_insert(Reason::Broken);
        }
    }

    /// Ends every connection, after what waits is written.
    pub fn shut_down(&mut self) {
        for slot in 0..u32::try_from(self.clients.len()).unwrap_or(NONE) {
            self.end(slot, Reason::Shutdown);
        }
    }

    /// Moves the clients with fresh output into `into`.
    pub fn take_dirty(&mut self, into: &mut Vec<u32>) {
        self.tell_hubs();
        into.clear();
        std::mem::swap(&mut self.outbox.dirty, into);
        self.outbox.unflushed = 0;
        for &slot in into.iter() {
            if let Some(client) = self.client_mut(slot) {
                client.dirty = false;
            }
        }
    }

    /// Moves the clients whose connection is to end into `into`.
    pub fn take_ending(&mut self, into: &mut Vec<u32>) {
        into.clear();
        std::mem::swap(&mut self.outbox.ending, into);
    }

    /// Moves the publishers that may be read from again into `into`.
    pub fn take_resumed(&mut self, into: &mut Vec<u32>) {
        into.clear();
        std::mem::swap(&mut self.outbox.resumed, into);
    }

    /// Hands over what is worth a log line, and how many lines had no room.
    pub fn take_notes(&mut self) -> (VecDeque<(u64, Note)>, u64) {
        (std::mem::take(&mut self.outbox.notes), std::mem::take(&mut self.outbox.notes_lost))
    }

    /// True while there is something to log.
    #[must_use]
    pub fn has_notes(&self) -> bool {
        !self.outbox.notes.is_empty()
    }

    /// The bytes that wait for a client, in order.
    pub fn pieces(&self, slot: u32) -> impl Iterator<Item = &[u8]> {
        self.client(slot).into_iter().flat_map(|client| client.output.pieces())
    }

    /// Number of bytes that wait for a client.
    #[must_use]
    pub fn pending(&self, slot: u32) -> usize {
        self.client(slot).map_or(0, |client| client.output.pending())
    }

    /// True when the connection is to end.
    #[must_use]
    pub fn is_ending(&self, slot: u32) -> bool {
        self.client(slot).is_none_or(Client::is_closing)
    }

    /// True while this client is not to be read from: a receiver of its messages cannot follow, or it is not known yet who it is.
    #[must_use]
    pub fn is_stalled(&self, slot: u32) -> bool {
        self.client(slot).is_some_and(|client| client.stalled.is_some() || client.is_waiting())
    }

    /// `len` bytes of the client's output are written.
    pub fn sent(&mut self, now: Instant, slot: u32, len: usize) {
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        let freed = client.output.advance(len, &mut self.outbox.pool);
        self.outbox.refund(client, freed);
        if self.relax_due.is_none() && self.outbox.pool.is_ample() {
            self.relax_due = Some(now + clock::RELAX);
        }
        client.write_due = None;
        let waits = client.output.pending();
        let walks = client.link.as_deref().is_some_and(link::Link::is_walking);
        if waits > 0 {
            self.blocked(now, slot);
        }
        if !self.outbox.stalled.is_empty() && !self.outbox.is_congested(waits) {
            self.outbox.resume_those_waiting_for(slot, &mut self.clients);
        }
        if walks {
            self.walk_on(slot);
        }
    }

    /// The client accepts no more for now.
    pub fn blocked(&mut self, now: Instant, slot: u32) {
        let due = now + self.settings.write_deadline;
        if let Some(client) = self.client_mut(slot).filter(|client| client.write_due.is_none()) {
            client.write_due = Some(due);
            self.note_due(due);
        }
    }

    fn client(&self, slot: u32) -> Option<&Client> {
        self.clients.get(slot as usize)?.as_deref()
    }

    fn client_mut(&mut self, slot: u32) -> Option<&mut Client> {
        self.clients.get_mut(slot as usize)?.as_deref_mut()
    }
}
