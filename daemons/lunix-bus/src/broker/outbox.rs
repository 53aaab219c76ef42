//! Sending, and who may hold how much.

use super::authenticate::{Question, Ticket};
use super::budget::Ledger;
use super::client::{Client, Peer, Reason};
use super::output::{Freed, Pool};
use super::settings::Settings;
use reactor::Instant;
use std::collections::VecDeque;
use std::rc::Rc;

/// Lines kept for the log between two turns.
const NOTES_MAX: usize = 64;

/// A receiver with less waiting than this keeps up: its publishers are not stalled for what others hold.
const KEEPS_UP: usize = 64 * 1024;

/// Fresh output after which reading pauses, so that a large fan-out is written while it is still in the cache.
const UNFLUSHED_MAX: usize = 1 << 20;

/// Something worth a log line. It comes with the client's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A client came.
    Opened(Peer),
    /// A client's connection ended.
    Closed(Peer, Reason),
    /// A client was told an error, or cut for it.
    Refused(Peer, &'static str),
    /// A client wanted what it may not.
    Denied(Peer, String),
    /// An operation, when tracing.
    Trace(String),
    /// A link to a hub came about, in the name of this account.
    Linked(Peer, Box<str>),
    /// A link to a hub ended; the hub is called so.
    Unlinked(Peer, Reason, Box<str>),
    /// Something is wrong with a link.
    LinkTrouble(Peer, String),
    /// There is no link: where to, after how many attempts, and why.
    NoLink {
        /// Host and port.
        url: String,
        /// Attempts since the last connection.
        attempt: u32,
        /// Why.
        why: String,
    },
}

/// What leaves the broker, and its accounts.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) pool: Pool,
    /// Clients with fresh output.
    pub(crate) dirty: Vec<u32>,
    /// Bytes appended since the last [`super::Broker::take_dirty`].
    pub(crate) unflushed: usize,
    /// Who holds how much: clients, waiting output, unfinished input, subscriptions.
    pub(crate) ledger: Ledger,
    pub(crate) ending: Vec<u32>,
    /// Publishers that are not read from.
    pub(crate) stalled: Vec<u32>,
    pub(crate) resumed: Vec<u32>,
    /// A receiver found near its limit by the operations of this turn.
    pub(crate) congested: Option<u32>,
    /// Clients to be cut once the operation is over.
    pub(crate) too_slow: Vec<u32>,
    /// What somebody else has to find out.
    pub(crate) questions: VecDeque<(Ticket, Question)>,
    pub(crate) notes: VecDeque<(u64, Note)>,
    pub(crate) notes_lost: u64,
    max_pending: usize,
    unflushed_max: usize,
}

impl Outbox {
    pub(crate) fn new(settings: &Settings, seed: u64) -> Self {
        let mut outbox = Self {
            pool: Pool::new(),
            dirty: Vec::new(),
            unflushed: 0,
            ledger: Ledger::new(seed),
            ending: Vec::new(),
            stalled: Vec::new(),
            resumed: Vec::new(),
            congested: None,
            too_slow: Vec::new(),
            questions: VecDeque::new(),
            notes: VecDeque::new(),
            notes_lost: 0,
            max_pending: 0,
            unflushed_max: 0,
        };
        outbox.configure(settings);
        outbox
    }

    pub(crate) fn configure(&mut self, settings: &Settings) {
        self.max_pending = settings.max_pending;
        self.unflushed_max = UNFLUSHED_MAX.min(settings.max_memory / 8);
        self.pool.limit(settings.max_memory / 8);
        self.ledger.limit(settings.max_memory, settings.max_memory_per_user);
    }

    /// True when so much is appended that it should be written before anything more is read.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.unflushed > self.unflushed_max
    }

    /// Appends `parts` to the client's output.
    #[inline]
    pub(crate) fn send<const N: usize>(&mut self, slot: u32, client: &mut Client, parts: [&[u8]; N]) {
        let before = client.output.pending();
        let grown = client.output.append(parts, &mut self.pool);
        if grown > 0 {
            self.ledger.charge(client.payer, grown);
        }
        self.appended(slot, client, before);
    }

    /// Appends a payload that several clients wait for; charge it once with [`Ledger::charge_all`].
    pub(crate) fn share(&mut self, slot: u32, client: &mut Client, payload: &Rc<Vec<u8>>) {
        let before = client.output.pending();
        client.output.share(payload);
        self.appended(slot, client, before);
    }

    #[inline]
    fn appended(&mut self, slot: u32, client: &mut Client, before: usize) {
        let pending = client.output.pending();
        self.unflushed += pending - before;
        if !client.dirty {
            client.dirty = true;
            self.dirty.push(slot);
        }
        if self.is_congested(pending) {
            self.congested = Some(slot);
            if pending > self.max_pending {
                self.too_slow.push(slot);
            }
        }
    }

    /// True when a publisher to this receiver is to wait: at three quarters of the receiver's budget, or of everybody's if it is one of
    /// those who do not keep up.
    #[inline]
    pub(crate) fn is_congested(&self, pending: usize) -> bool {
        pending > self.max_pending / 4 * 3 || (pending > KEEPS_UP && self.ledger.is_nearly_full())
    }

    /// Lets another user be charged for what the client holds.
    pub(crate) fn hand_over(&mut self, client: &mut Client, key: &[u8]) {
        let held = client.held();
        self.ledger.refund(client.payer, held);
        self.ledger.leave(client.payer);
        client.payer = self.ledger.join(key);
        self.ledger.charge(client.payer, held);
    }

    /// Takes back what a client's output gave free.
    pub(crate) fn refund(&mut self, client: &Client, freed: Freed) {
        self.ledger.refund(client.payer, freed.own);
        self.ledger.refund_all(freed.shared);
    }

    /// Marks the connection as ending and drops what waits for it.
    pub(crate) fn cut(&mut self, slot: u32, client: &mut Client, reason: Reason) {
        if client.closing.is_none() {
            client.closing = Some(reason);
            self.note(client.id, Note::Refused(client.peer, reason.text()));
        }
        // One that was ending already had something to say that did not get out.
        self.ending.push(slot);
        let freed = client.output.clear(&mut self.pool);
        self.refund(client, freed);
        let partial = std::mem::take(&mut client.partial);
        self.ledger.refund(client.payer, partial.capacity());
    }

    pub(crate) fn note(&mut self, client: u64, note: Note) {
        if self.notes.len() < NOTES_MAX { self.notes.push_back((client, note)) } else { self.notes_lost += 1 }
    }

    /// Lets the publishers go on that wait for the receiver in `slot`.
    pub(crate) fn resume_those_waiting_for(&mut self, slot: u32, clients: &mut [Option<Box<Client>>]) {
        self.resume(clients, |stall| stall.receiver == slot);
    }

    /// Lets the publishers go on whose time is over.
    pub(crate) fn resume_those_due(&mut self, now: Instant, clients: &mut [Option<Box<Client>>]) {
        self.resume(clients, |stall| stall.until <= now);
    }

    fn resume(&mut self, clients: &mut [Option<Box<Client>>], over: impl Fn(Stall) -> bool) {
        let resumed = &mut self.resumed;
        self.stalled.retain(|&publisher| {
            let Some(client) = clients.get_mut(publisher as usize).and_then(Option::as_deref_mut) else { return false };
            match client.stalled {
                Some(stall) if over(stall) => {
                    client.stalled = None;
                    resumed.push(publisher);
                    false
                }
                Some(_) => true,
                None => false,
            }
        });
    }
}

/// Why and how long a publisher is not read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stall {
    pub(crate) receiver: u32,
    pub(crate) until: Instant,
}
