//! What each operation does, but for publishing.

use super::client::Reason;
use super::info::Kind;
use super::outbox::Note;
use super::permissions::Verdict;
use super::publish::Published;
use super::subscriptions::{NONE, Owner};
use super::{Broker, budget, info};
use nats_proto::Error;
use nats_proto::client::{Op, Parser};
use reactor::Instant;
use serde::de::IgnoredAny;

impl Broker {
    pub(super) fn execute(&mut self, now: Instant, slot: u32, parser: &mut Parser, op: Op<'_>) {
        if self.settings.trace {
            self.trace(slot, &op);
        }
        match op {
            Op::Pub { subject, reply, headers, payload, wire } => {
                self.publish(now, slot, Published { subject, reply, headers, payload, wire });
            }
            Op::Ping => self.ping(slot),
            Op::Pong => self.pong(now, slot),
            Op::Sub { subject, queue, sid } => self.subscribe(slot, subject, queue, sid),
            Op::Unsub { sid, max } => self.unsubscribe(slot, sid, max),
            Op::Connect(json) => self.connect(now, slot, parser, json),
            Op::Info(json) => {
                let is_object = json.trim_ascii_start().starts_with(b"{");
                if !is_object || serde_json::from_slice::<IgnoredAny>(json).is_err() {
                    self.end(slot, Reason::Protocol);
                }
            }
            Op::Ok => {}
            Op::Error(_) => self.end(slot, Reason::Protocol),
        }
    }

    fn trace(&mut self, slot: u32, op: &Op<'_>) {
        let text = match op {
            // Credentials stay out of the log.
            Op::Connect(_) => "CONNECT".to_owned(),
            Op::Pub { subject, headers, payload, .. } => {
                format!("PUB {} {} {}", subject.escape_ascii(), headers.len(), payload.len())
            }
            Op::Sub { subject, sid, .. } => format!("SUB {} {}", subject.escape_ascii(), sid.escape_ascii()),
            Op::Unsub { sid, .. } => format!("UNSUB {}", sid.escape_ascii()),
            Op::Ping => "PING".to_owned(),
            Op::Pong => "PONG".to_owned(),
            Op::Info(_) => "INFO".to_owned(),
            Op::Ok => "+OK".to_owned(),
            Op::Error(text) => format!("-ERR {}", text.escape_ascii()),
        };
        let id = self.client(slot).map_or(0, |client| client.id);
        self.outbox.note(id, Note::Trace(text));
    }

    pub(super) fn send<const N: usize>(&mut self, slot: u32, parts: [&[u8]; N]) {
        if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
            self.outbox.send(slot, client, parts);
        }
    }

    pub(super) fn send_info(&mut self, slot: u32, kind: Kind) {
        let Some(client) = self.client(slot) else { return };
        let mut line = Vec::with_capacity(512);
        let account = client.account.map(|account| self.accounts.name(account)).unwrap_or_default();
        let must_prove = self.asks_for_credentials(client);
        info::json(&mut line, &self.settings, client, account, must_prove, kind);
        self.send(slot, [b"INFO ", &line, b" \r\n"]);
    }

    pub(super) fn ok(&mut self, slot: u32) {
        if self.client(slot).is_some_and(|client| client.options.verbose) {
            self.send(slot, [b"+OK\r\n"]);
        }
    }

    /// Tells an error; the connection stays.
    pub(super) fn complain(&mut self, slot: u32, text: &'static str) {
        self.send(slot, [b"-ERR '", text.as_bytes(), b"'\r\n"]);
        if let Some(client) = self.client(slot) {
            let (id, peer) = (client.id, client.peer);
            self.outbox.note(id, Note::Refused(peer, text));
        }
    }

    /// Tells an error and ends the connection.
    pub(super) fn refuse(&mut self, slot: u32, text: &'static str, reason: Reason) {
        if !self.is_ending(slot) {
            self.complain(slot, text);
            self.end(slot, reason);
        }
    }

    /// Ends the connection after what waits is written.
    pub(super) fn end(&mut self, slot: u32, reason: Reason) {
        if let Some(client) = self.client_mut(slot).filter(|client| !client.is_closing()) {
            client.closing = Some(reason);
            self.outbox.ending.push(slot);
        }
    }

    pub(super) fn violation(&mut self, slot: u32, error: Error) {
        match error {
            Error::UnknownOperation => self.refuse(slot, "Unknown Protocol Operation", Reason::Protocol),
            Error::LineTooLong => self.refuse(slot, "maximum control line exceeded", Reason::MaxControlLine),
            Error::PayloadTooLarge => self.refuse(slot, "Maximum Payload Violation", Reason::MaxPayload),
            Error::BadArguments | Error::HeadersNotEnabled => self.end(slot, Reason::Protocol),
        }
    }

    pub(super) fn ping(&mut self, slot: u32) {
        self.send(slot, [b"PONG\r\n"]);
        let Some(client) = self.client_mut(slot).filter(|client| client.connected && !client.greeted) else { return };
        client.greeted = true;
        if client.options.protocol >= 1 {
            self.send_info(slot, Kind::Connected);
        }
    }

    pub(super) fn pong(&mut self, now: Instant, slot: u32) {
        if let Some(client) = self.client_mut(slot) {
            client.pings_out = 0;
            client.round_trip = client.asked.take().map(|asked| now - asked).or(client.round_trip);
        }
    }

    fn subscribe(&mut self, slot: u32, subject: &[u8], queue: Option<&[u8]>, sid: &[u8]) {
        let Some(client) = self.client(slot) else { return };
        let Some(account) = client.account else { return };
        let granted = client.granted.as_deref();
        let verdict = granted.map_or(Verdict::Allowed, |granted| granted.check_subscription(subject, queue));
        if verdict == Verdict::Refused {
            return match queue {
                None => self.deny(slot, &[b"Subscription to \"", subject, b"\""]),
                Some(queue) => self.deny(slot, &[b"Subscription to \"", subject, b"\" using queue \"", queue, b"\""]),
            };
        }
        if client.subscriptions_max(&self.settings).is_some_and(|max| client.subscriptions as usize >= max) {
            return self.complain(slot, "maximum subscriptions exceeded");
        }
        let first = client.first_subscription;
        if self.subscriptions.find(slot, sid).is_none() {
            let Some(number) = self.subscriptions.insert((slot, account), first, subject, queue, sid) else {
                return self.complain(slot, "Invalid Subject");
            };
            let size = budget::subscription_size(subject, queue, sid);
            if let Some(subscription) = self.subscriptions.get_mut(number) {
                subscription.filtered = verdict == Verdict::Filtered;
                subscription.size = u32::try_from(size).unwrap_or(u32::MAX);
            }
            if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
                client.first_subscription = number;
                client.subscriptions += 1;
                client.subscriptions_size += size;
                self.outbox.ledger.charge(client.payer, size);
            }
            self.cast_shadows(number, subject);
        }
        self.ok(slot);
    }

    fn unsubscribe(&mut self, slot: u32, sid: &[u8], max: Option<u64>) {
        if let Some(number) = self.subscriptions.find(slot, sid)
            && let Some(subscription) = self.subscriptions.get_mut(number)
        {
            match max {
                Some(max) if max > subscription.delivered => subscription.max = max,
                Some(_) | None => self.drop_subscription(number),
            }
        }
        self.ok(slot);
    }

    /// Ends one subscription.
    pub(super) fn drop_subscription(&mut self, number: u32) {
        let Some(known) = self.subscriptions.get(number) else { return };
        let (Owner::Client(slot), size) = (known.owner(), known.size as usize) else { return };
        self.drop_shadows(number);
        let first = self.client(slot).map_or(NONE, |client| client.first_subscription);
        let first = self.subscriptions.remove(number, first);
        if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
            client.first_subscription = first;
            client.subscriptions -= 1;
            client.subscriptions_size = client.subscriptions_size.saturating_sub(size);
            self.outbox.ledger.refund(client.payer, size);
        }
    }

    pub(super) fn drop_all_subscriptions(&mut self, slot: u32) {
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        let first = std::mem::replace(&mut client.first_subscription, NONE);
        (client.subscriptions, client.shadows) = (0, 0);
        self.outbox.ledger.refund(client.payer, std::mem::take(&mut client.subscriptions_size));
        self.subscriptions.remove_all(first);
    }
}
