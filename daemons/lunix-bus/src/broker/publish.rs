//! The hot path: one message into the output of everybody who is to receive it.

use super::account::{AccountId, Accounts};
use super::client::Client;
use super::link::{Filter, Hubs};
use super::outbox::Outbox;
use super::sharing::ImportKind;
use super::subscriptions::{Owner, Subscription};
use super::{Broker, request_info, system};
use nats_proto::Decimal;
use nats_proto::client::Wire;
use reactor::Instant;
use std::rc::Rc;

/// A payload of at least so many bytes for several receivers is kept once, and they all wait for the same bytes.
const SHARED_MIN: usize = 4096;

/// Memory used again for every message.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Reply and sizes of HMSG.
    with_headers: Vec<u8>,
    /// Reply and size of MSG.
    plain: Vec<u8>,
    /// Subscriptions that have received their last message.
    expired: Vec<u32>,
    /// Subscriptions that are the way into other accounts.
    pub(super) abroad: Vec<u32>,
    /// Headers as they are passed on.
    pub(super) headers: Vec<u8>,
    /// The subject as another account knows it.
    subject: Vec<u8>,
    /// Links that are to get the message.
    pub(super) hubs: Hubs,
}

/// Who publishes, and which way the message came.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) slot: u32,
    pub(super) echo: bool,
    /// The account it was passed on by.
    pub(super) through: Option<AccountId>,
    /// Whether more than the asker's account has been told on the way.
    pub(super) shared: bool,
    /// Accounts it has passed.
    pub(super) hops: usize,
}

/// What a client publishes.
#[derive(Clone, Copy)]
pub(super) struct Published<'a> {
    pub(super) subject: &'a [u8],
    pub(super) reply: Option<&'a [u8]>,
    pub(super) headers: &'a [u8],
    pub(super) payload: &'a [u8],
    /// How it was written, where it comes as a client wrote it.
    pub(super) wire: Wire<'a>,
}

/// One message on its way.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    now: Instant,
    pub(super) reply: Option<&'a [u8]>,
    pub(super) subject: &'a [u8],
    pub(super) headers: &'a [u8],
    pub(super) payload: &'a [u8],
    /// What stands between sid and body, line end included, for MSG and HMSG.
    plain: &'a [u8],
    with_headers: &'a [u8],
    /// Everything after the sid, if it is to stay as it was sent; else empty.
    tail: &'a [u8],
    /// Whether payload and line end are kept once for all.
    is_shared: bool,
}

/// What a delivery changes.
pub(super) struct Delivery<'a> {
    publisher: u32,
    echo: bool,
    pub(super) clients: &'a mut [Option<Box<Client>>],
    pub(super) subscriptions: &'a mut [Subscription],
    pub(super) outbox: &'a mut Outbox,
    expired: &'a mut Vec<u32>,
    abroad: &'a mut Vec<u32>,
    accounts: &'a Accounts,
    rewritten: &'a mut Vec<u8>,
    /// The subject as it was published.
    #[cfg_attr(not(feature = "leaf"), expect(dead_code, reason = "only links to hubs need it"))]
    pub(super) subject: &'a [u8],
    pub(super) hubs: &'a mut Hubs,
    /// Payload and line end, once somebody waits for them.
    shared: Option<Rc<Vec<u8>>>,
}

impl Broker {
    pub(super) fn publish(&mut self, now: Instant, slot: u32, parts: Published<'_>) {
        let Published { subject, headers, payload, .. } = parts;
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
        let origin = Origin { slot, echo: options.echo, through: None, shared: false, hops: 0 };
        let delivered = if parts.headers.is_empty() {
            self.route(now, origin, account, &parts)
        } else {
            self.route_stripped(now, origin, account, &parts)
        };
        if let Some(reply) = parts.reply
            && !(delivered && parts.subject.first() != Some(&b'$'))
        {
            let served = parts.subject.starts_with(system::PREFIX) && self.ask_server(now, slot, account, &parts);
            if !delivered && !served && options.no_responders {
                self.no_responders(slot, parts.subject, reply);
            }
        }
    }

    /// Takes away what only the server may say, and goes on.
    fn route_stripped(&mut self, now: Instant, origin: Origin, account: AccountId, parts: &Published<'_>) -> bool {
        let mut kept = std::mem::take(&mut self.scratch.headers);
        let delivered = if request_info::strip(parts.headers, &mut kept) {
            self.route_apart(now, origin, account, &Published { headers: &kept, wire: Wire::default(), ..*parts })
        } else {
            self.route_apart(now, origin, account, parts)
        };
        self.scratch.headers = kept;
        delivered
    }

    /// [`Broker::route`] for where a call costs nothing beside the rest.
    pub(super) fn route_apart(
        &mut self,
        now: Instant,
        origin: Origin,
        account: AccountId,
        parts: &Published<'_>,
    ) -> bool {
        self.route_filtered(now, origin, account, parts, Filter::None)
    }

    /// Does it for a message of a hub, too, which says which queue groups are to get it.
    #[inline(never)]
    pub(super) fn route_filtered(
        &mut self,
        now: Instant,
        origin: Origin,
        account: AccountId,
        parts: &Published<'_>,
        filter: Filter<'_>,
    ) -> bool {
        self.route_through(now, origin, account, parts, filter)
    }

    /// Delivers to all who listen in the account, and where its services are. False when nobody got it.
    #[inline(always)]
    fn route(&mut self, now: Instant, origin: Origin, account: AccountId, parts: &Published<'_>) -> bool {
        self.route_through(now, origin, account, parts, Filter::None)
    }

    /// The body of both: once for what clients publish, once for everything else.
    #[inline(always)]
    fn route_through(
        &mut self,
        now: Instant,
        origin: Origin,
        account: AccountId,
        parts: &Published<'_>,
        filter: Filter<'_>,
    ) -> bool {
        let &Published { subject, reply, headers, payload, wire } = parts;
        let Self { clients, subscriptions, accounts, outbox, scratch, random, .. } = self;
        let Some((subscriptions, index, cache)) = subscriptions.parts(account) else { return false };
        let found = cache.find(index, subject);
        if found.is_empty() {
            return false;
        }
        let is_shared = payload.len() >= SHARED_MIN && found.len() > 1;
        let tail = if is_shared { b"" } else { wire.tail };
        if tail.is_empty() {
            scratch.describe(reply, headers.len(), payload.len(), wire);
        }
        let Scratch { with_headers, plain, expired, abroad, subject: rewritten, hubs, .. } = scratch;
        hubs.begin(&filter);
        let message = Message { now, reply, subject, headers, payload, plain, with_headers, tail, is_shared };
        let (publisher, echo) = (origin.slot, origin.echo);
        let mut delivery = Delivery {
            publisher,
            echo,
            clients,
            subscriptions,
            outbox,
            expired,
            abroad,
            accounts,
            rewritten,
            subject,
            hubs,
            shared: None,
        };
        let mut delivered = false;
        for &subscription in found.plain() {
            delivered |= delivery.deliver(subscription, &message);
        }
        for group in found.groups() {
            if filter.takes(group, delivery.subscriptions, index) {
                delivered |= delivery.deliver_to_one(group, &message, random);
            }
        }
        if !self.scratch.hubs.is_empty() {
            self.send_to_hubs(parts);
        }
        while let Some(number) = self.scratch.expired.pop() {
            self.drop_subscription(number);
        }
        if !self.scratch.abroad.is_empty() {
            delivered |= self.go_abroad(now, origin, account, parts);
        }
        delivered
    }

    /// Tells a pedantic client that nothing can be published to this subject.
    #[cold]
    pub(super) fn check_subject(&mut self, slot: u32, subject: &[u8]) {
        let pedantic = self.client(slot).is_some_and(|client| client.options.pedantic);
        if pedantic && !nats_subject::is_valid_publish(subject) {
            self.complain(slot, "Invalid Publish Subject");
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
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else {
            return self.deliver_abroad(number, message);
        };
        if client.is_closing() {
            return false;
        }
        if client.link.is_some() {
            return self.deliver_to_hub(number, message);
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
        let sid = subscription.sid_with_blank();
        client.traffic.out_msgs += 1;
        if !message.tail.is_empty() {
            client.traffic.out_bytes += message.payload.len() as u64;
            self.outbox.send(slot, client, [b"MSG ", message.subject, b" ", sid, message.tail]);
            return true;
        }
        let (verb, sizes, headers): (&[u8], _, _) = if message.headers.is_empty() || !client.options.headers {
            (b"MSG ", message.plain, &b""[..])
        } else {
            (b"HMSG ", message.with_headers, message.headers)
        };
        client.traffic.out_bytes += (headers.len() + message.payload.len()) as u64;
        if message.is_shared {
            self.outbox.send(slot, client, [verb, message.subject, b" ", sid, sizes, headers]);
            let ledger = &mut self.outbox.ledger;
            let payload = Rc::clone(self.shared.get_or_insert_with(|| {
                ledger.charge_all(message.payload.len() + 2);
                [message.payload, b"\r\n"].concat().into()
            }));
            self.outbox.share(slot, client, &payload);
        } else {
            self.outbox.send(
                slot,
                client,
                [verb, message.subject, b" ", sid, sizes, headers, message.payload, b"\r\n"],
            );
        }
        true
    }

    /// [`Delivery::deliver`] for where a call costs nothing beside the rest.
    #[inline(never)]
    fn deliver_apart(&mut self, number: u32, message: &Message<'_>) -> bool {
        self.deliver(number, message)
    }

    /// Delivers to what is no client's subscription.
    #[cold]
    #[inline(never)]
    fn deliver_abroad(&mut self, number: u32, message: &Message<'_>) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(number as usize) else { return false };
        match subscription.owner() {
            Owner::Nobody | Owner::Client(_) => false,
            Owner::Service(_) | Owner::Replies | Owner::Server => {
                self.abroad.push(number);
                false
            }
            Owner::Shadow(_) => {
                subscription.delivered += 1;
                let (parent, import) = subscription.casts();
                self.deliver_stream(parent, import, message)
            }
        }
    }

    /// Delivers a message that was published in another account, under the subject it has in the subscriber's.
    fn deliver_stream(&mut self, parent: u32, import: usize, message: &Message<'_>) -> bool {
        let Some(account) = self.subscriptions.get(parent as usize).map(|parent| parent.account) else { return false };
        let import = self.accounts.get(account).and_then(|account| account.sharing.imports.get(import));
        match import.map(|import| &import.kind) {
            Some(ImportKind::Stream { inward: Some(inward) }) => {
                let mut subject = std::mem::take(self.rewritten);
                subject.clear();
                inward.apply(message.subject, &mut subject);
                let delivered = self.deliver_apart(parent, &Message { subject: &subject, ..*message });
                *self.rewritten = subject;
                delivered
            }
            Some(ImportKind::Stream { inward: None }) => self.deliver_apart(parent, message),
            Some(ImportKind::Service { .. }) | None => false,
        }
    }

    /// Delivers to one member of a queue group: a random one, or the next after it that may get the message.
    fn deliver_to_one(&mut self, group: &[u32], message: &Message<'_>, random: &mut u64) -> bool {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let start = usize::try_from(*random % group.len().max(1) as u64).unwrap_or_default();
        let (before, from) = group.split_at_checked(start).unwrap_or((&[], group));
        self.hubs.in_group = true;
        let delivered = from.iter().chain(before).any(|&member| self.deliver(member, message));
        self.hubs.in_group = false;
        delivered || (std::mem::take(&mut self.hubs.passed_over) && self.deliver_to_one_hub(group, message, random))
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
    fn describe(&mut self, reply: Option<&[u8]>, headers_len: usize, payload_len: usize, wire: Wire<'_>) {
        self.plain.clear();
        if let Some(reply) = reply {
            self.plain.extend_from_slice(reply);
            self.plain.push(b' ');
        }
        if headers_len > 0 {
            self.with_headers.clear();
            self.with_headers.extend_from_slice(&self.plain);
            write_size(&mut self.with_headers, wire.headers_len, headers_len);
            self.with_headers.push(b' ');
            write_size(&mut self.with_headers, wire.total_len, headers_len + payload_len);
            self.with_headers.extend_from_slice(b"\r\n");
        }
        // Without its headers a message has another size than the one that was sent.
        let digits = if headers_len > 0 { b"" } else { wire.total_len };
        write_size(&mut self.plain, digits, payload_len);
        self.plain.extend_from_slice(b"\r\n");
    }
}

/// Writes a size, with the publisher's own digits where there are any (the reference does not touch a leading zero).
fn write_size(out: &mut Vec<u8>, digits: &[u8], size: usize) {
    if digits.is_empty() {
        out.extend_from_slice(Decimal::from(size).as_bytes());
    } else {
        out.extend_from_slice(digits);
    }
}
