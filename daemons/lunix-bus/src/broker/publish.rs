//! The hot path: one message into the output of everybody who is to receive it.

use super::Broker;
use super::client::Client;
use super::outbox::Outbox;
use super::subscriptions::Subscription;
use nats_proto::Decimal;
use reactor::Instant;

/// Memory used again for every message.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Reply and sizes of HMSG.
    with_headers: Vec<u8>,
    /// Reply and size of MSG.
    plain: Vec<u8>,
    /// Subscriptions that have received their last message.
    expired: Vec<u32>,
}

/// What a client publishes.
pub(super) struct Published<'a> {
    pub(super) subject: &'a [u8],
    pub(super) reply: Option<&'a [u8]>,
    pub(super) headers: &'a [u8],
    pub(super) payload: &'a [u8],
}

/// One message on its way.
struct Message<'a> {
    now: Instant,
    reply: Option<&'a [u8]>,
    subject: &'a [u8],
    headers: &'a [u8],
    payload: &'a [u8],
    /// What stands between sid and body, line end included, for MSG and HMSG.
    plain: &'a [u8],
    with_headers: &'a [u8],
}

/// What a delivery changes.
struct Delivery<'a> {
    publisher: u32,
    echo: bool,
    clients: &'a mut [Option<Box<Client>>],
    subscriptions: &'a mut [Subscription],
    outbox: &'a mut Outbox,
    expired: &'a mut Vec<u32>,
}

impl Broker {
    pub(super) fn publish(&mut self, now: Instant, slot: u32, parts: Published<'_>) {
        let Published { subject, reply, headers, payload } = parts;
        let Some(client) = self.client_mut(slot) else { return };
        let Some(account) = client.account else { return };
        let options = client.options;
        let limited = client.granted.is_some();
        client.traffic.in_msgs += 1;
        client.traffic.in_bytes += (headers.len() + payload.len()) as u64;
        if options.pedantic {
            let Some((_, index, cache)) = self.subscriptions.parts(account) else { return };
            if !cache.look_up(index, subject).0 {
                self.complain(slot, "Invalid Publish Subject");
            }
        }
        if limited && !self.may_publish(now, slot, subject) {
            return;
        }
        if options.verbose {
            self.ok(slot);
        }
        let Self { clients, subscriptions, outbox, scratch, random, .. } = self;
        let Some((subscriptions, index, cache)) = subscriptions.parts(account) else { return };
        let found = cache.find(index, subject);
        if !found.is_empty() {
            scratch.describe(reply, headers.len(), payload.len());
        }
        let Scratch { with_headers, plain, expired } = scratch;
        let message = Message { now, reply, subject, headers, payload, plain, with_headers };
        let mut delivery = Delivery { publisher: slot, echo: options.echo, clients, subscriptions, outbox, expired };
        let mut delivered = false;
        for &subscription in found.plain() {
            delivered |= delivery.deliver(subscription, &message);
        }
        for group in found.groups() {
            delivered |= delivery.deliver_to_one(group, &message, random);
        }
        while let Some(number) = self.scratch.expired.pop() {
            self.drop_subscription(number);
        }
        if !delivered
            && options.no_responders
            && let Some(reply) = reply
        {
            self.no_responders(slot, subject, reply);
        }
    }

    /// Whether the client may publish to `subject`; it is told if not.
    fn may_publish(&mut self, now: Instant, slot: u32, subject: &[u8]) -> bool {
        let granted = self.client_mut(slot).and_then(|client| client.granted.as_deref_mut());
        let allowed = granted.is_none_or(|granted| granted.may_publish(now, subject));
        if !allowed {
            self.deny(slot, &[b"Publish to \"", subject, b"\""]);
        }
        allowed
    }

    /// Answers a request that nobody received, if the requester listens for the answer.
    fn no_responders(&mut self, slot: u32, subject: &[u8], reply: &[u8]) {
        let Some(account) = self.client(slot).and_then(|client| client.account) else { return };
        let Some((subscriptions, index, cache)) = self.subscriptions.parts(account) else { return };
        let found = cache.find(index, reply);
        let listens = |&&number: &&u32| subscriptions.get(number as usize).is_some_and(|known| known.client == slot);
        let Some(listener) = found.plain().iter().find(listens).and_then(|&number| subscriptions.get(number as usize))
        else {
            return;
        };
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        let len = Decimal::from(b"NATS/1.0 503\r\nNats-Subject: \r\n\r\n".len() + subject.len());
        let (sid, len) = (listener.sid_with_blank(), len.as_bytes());
        let status = b"\r\nNATS/1.0 503\r\nNats-Subject: ";
        self.outbox.send(slot, client, [b"HMSG ", reply, b" ", sid, len, b" ", len, status, subject, b"\r\n\r\n\r\n"]);
    }
}

impl Message<'_> {
    /// A responder's word that nobody can serve the request: a status 503 and nothing else. A client that cannot read headers would take
    /// it for an empty answer, so it gets nothing and waits, as it does for the server's own 503.
    #[inline]
    fn says_nobody(&self) -> bool {
        self.payload.is_empty() && self.headers.starts_with(b"NATS/1.0 503")
    }
}

impl Delivery<'_> {
    /// Appends the message to one subscriber's output. False when it is not to get it.
    #[inline]
    fn deliver(&mut self, number: u32, message: &Message<'_>) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(number as usize) else { return false };
        let slot = subscription.client;
        if slot == self.publisher && !self.echo {
            return false;
        }
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return false };
        if client.is_closing() {
            return false;
        }
        if !client.options.headers && message.says_nobody() {
            return true;
        }
        if client.granted.is_some() && !is_permitted(client, subscription.filtered, message) {
            return false;
        }
        subscription.delivered += 1;
        if subscription.max > 0 && subscription.delivered >= subscription.max {
            self.expired.push(number);
        }
        let (verb, sizes, headers): (&[u8], _, _) = if message.headers.is_empty() || !client.options.headers {
            (b"MSG ", message.plain, &b""[..])
        } else {
            (b"HMSG ", message.with_headers, message.headers)
        };
        let sid = subscription.sid_with_blank();
        client.traffic.out_msgs += 1;
        client.traffic.out_bytes += (headers.len() + message.payload.len()) as u64;
        self.outbox.send(slot, client, [verb, message.subject, b" ", sid, sizes, headers, message.payload, b"\r\n"]);
        true
    }

    /// Delivers to one member of a queue group: a random one, or the next after it that may get the message.
    fn deliver_to_one(&mut self, group: &[u32], message: &Message<'_>, random: &mut u64) -> bool {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let start = usize::try_from(*random % group.len().max(1) as u64).unwrap_or_default();
        let (before, from) = group.split_at_checked(start).unwrap_or((&[], group));
        from.iter().chain(before).any(|&member| self.deliver(member, message))
    }
}

/// Whether a client with permissions may get the message; if so it may answer.
#[cold]
fn is_permitted(client: &mut Client, filtered: bool, message: &Message<'_>) -> bool {
    let Some(granted) = &mut client.granted else { return true };
    if filtered && !granted.may_receive(message.subject) {
        return false;
    }
    granted.note_request(message.now, message.reply);
    true
}

impl Scratch {
    /// Writes what depends on the message alone.
    fn describe(&mut self, reply: Option<&[u8]>, headers_len: usize, payload_len: usize) {
        self.plain.clear();
        if let Some(reply) = reply {
            self.plain.extend_from_slice(reply);
            self.plain.push(b' ');
        }
        if headers_len > 0 {
            self.with_headers.clear();
            self.with_headers.extend_from_slice(&self.plain);
            self.with_headers.extend_from_slice(Decimal::from(headers_len).as_bytes());
            self.with_headers.push(b' ');
            self.with_headers.extend_from_slice(Decimal::from(headers_len + payload_len).as_bytes());
            self.with_headers.extend_from_slice(b"\r\n");
        }
        self.plain.extend_from_slice(Decimal::from(payload_len).as_bytes());
        self.plain.extend_from_slice(b"\r\n");
    }
}
