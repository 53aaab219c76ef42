//! Connections come and go.

use super::client::{Client, Options, Peer, Reason, Traffic};
use super::door::{Door, Way};
use super::outbox::Note;
use super::subscriptions::NONE;
use super::{Broker, budget, info, output, replies};
use crate::local;
use nats_proto::client::Parser;
use reactor::Instant;

impl Broker {
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
    pub(super) fn seat(&mut self, now: Instant, peer: Peer) -> Option<u32> {
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
}
