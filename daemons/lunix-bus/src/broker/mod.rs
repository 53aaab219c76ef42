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
#[cfg(feature = "monitoring")]
mod closed;
mod compact;
mod connect;
mod door;
mod events;
mod execute;
mod info;
mod input;
pub(crate) mod json;
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
#[cfg_attr(not(feature = "monitoring"), path = "pages_absent.rs")]
mod pages;
mod permissions;
mod publish;
mod reload;
mod replies;
#[cfg(feature = "monitoring")]
mod report;
mod request_info;
mod seats;
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
pub use input::Progress;
pub use kinds::{ConnectionKind, ConnectionKinds};
#[cfg(feature = "leaf")]
pub use link::{LinkOrder, Proof};
pub use outbox::Note;
pub use permissions::{Clause, Permissions, Responses, Rule, User};
#[cfg(feature = "monitoring")]
pub use report::{Facts, Report};
pub use settings::{Callout, Credentials, Security, Settings, Web};
pub use sharing::{AccountSettings, Export, ExportKind, Import, ImportError, ResponseType, Sharing, check_imports};

use account::Accounts;
use client::Client;
#[cfg(feature = "monitoring")]
use client::Traffic;
#[cfg(feature = "monitoring")]
use closed::Closed;
use lame_duck::LameDuck;
use outbox::Outbox;
use reactor::Instant;
use replies::Replies;
use std::collections::VecDeque;
use std::time::SystemTime;
use subscriptions::Subscriptions;

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
    #[cfg(feature = "monitoring")]
    traffic: Traffic,
    #[cfg(feature = "monitoring")]
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
    #[cfg(feature = "monitoring")]
    requests: VecDeque<pages::Request>,
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
            #[cfg(feature = "monitoring")]
            traffic: Traffic::default(),
            #[cfg(feature = "monitoring")]
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
            #[cfg(feature = "monitoring")]
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
