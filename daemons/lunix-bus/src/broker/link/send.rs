//! Messages of this side to hubs: one per link, however many of the hub's subscriptions match.

use crate::broker::Broker;
use crate::broker::client::Client;
use crate::broker::outbox::Outbox;
use crate::broker::publish::{Delivery, Message, Published};
use crate::broker::subscriptions::{NONE, Subscription};
use nats_proto::client::Wire;
use nats_proto::encode;
use nats_proto::leaf::Queues;
use nats_subject::Index;

/// Which queue groups a message is for.
#[derive(Clone, Copy)]
pub(in crate::broker) enum Filter<'a> {
    /// All: it is published here.
    None,
    /// These: it comes from a hub, and goes to no other one.
    Hub(Queues<'a>),
}

impl Filter<'_> {
    /// Whether a queue group is to get the message.
    #[inline]
    pub(in crate::broker) fn takes(&self, group: &[u32], subscriptions: &[Subscription], index: &Index<u32>) -> bool {
        let Self::Hub(queues) = self else { return true };
        let first = group.first().and_then(|&number| subscriptions.get(number as usize));
        first.and_then(|known| known.queue_in(index)).is_some_and(|name| queues.contains(name))
    }
}

/// The links that are to get the message under way; kept for its memory.
#[derive(Debug, Default)]
pub(in crate::broker) struct Hubs {
    /// Slots of links, and which of their queue groups there; `NONE` outside groups.
    targets: Vec<(u32, u32)>,
    /// The message comes from a hub.
    from_a_hub: bool,
    /// A member of a queue group is looked for: those here come first.
    pub(in crate::broker) in_group: bool,
    /// A member was a hub's.
    pub(in crate::broker) passed_over: bool,
    /// The control line.
    line: Vec<u8>,
    /// What went to which link under another account's subject.
    renamed: Vec<(u32, Vec<u8>)>,
}

impl Hubs {
    #[inline]
    pub(in crate::broker) fn begin(&mut self, filter: &Filter<'_>) {
        self.from_a_hub = matches!(filter, Filter::Hub(_));
    }

    #[inline]
    pub(in crate::broker) fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.renamed.is_empty()
    }
}

impl Delivery<'_> {
    /// Notes that a link is to get the message, by the hub's subscription of this number. False when it is not to get it.
    #[cold]
    #[inline(never)]
    pub(in crate::broker) fn deliver_to_hub(&mut self, number: u32, message: &Message<'_>) -> bool {
        if self.hubs.in_group {
            self.hubs.passed_over = true;
            return false;
        }
        self.pass_to_hub(number, NONE, message)
    }

    /// Picks a hub for a queue group that nobody here serves: the more members it has over there, the likelier.
    #[cold]
    #[inline(never)]
    pub(in crate::broker) fn deliver_to_one_hub(
        &mut self,
        group: &[u32],
        message: &Message<'_>,
        random: &mut u64,
    ) -> bool {
        let weight = |number: &u32| self.subscriptions.get(*number as usize).map_or(0, |known| u64::from(known.weight));
        let total: u64 = group.iter().map(weight).sum();
        let mut left = *random % total.max(1);
        let chosen = group.iter().position(|number| {
            let weight = weight(number);
            let here = left < weight;
            left = left.saturating_sub(weight);
            here
        });
        let (before, from) = group.split_at_checked(chosen.unwrap_or_default()).unwrap_or((&[], group));
        from.iter().chain(before).any(|&number| self.pass_to_hub(number, number, message))
    }

    fn pass_to_hub(&mut self, number: u32, group: u32, message: &Message<'_>) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(number as usize) else { return false };
        let slot = subscription.client;
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return false };
        let allowed = client.link.as_deref().is_some_and(|link| link.rights.may_leave(message.subject));
        if !allowed || client.is_closing() || self.hubs.from_a_hub {
            return false;
        }
        subscription.delivered += 1;
        if std::ptr::eq(self.subject, message.subject) {
            self.hubs.targets.push((slot, group));
            return true;
        }
        // A stream of another account: under that subject the hub gets it once, too.
        let known = self.hubs.renamed.iter().any(|(known, subject)| *known == slot && *subject == *message.subject);
        if !known {
            self.hubs.renamed.push((slot, message.subject.to_vec()));
            let Message { subject, reply, headers, payload, .. } = *message;
            let parts = Published { subject, reply, headers, payload, wire: Wire::default() };
            send(self.outbox, slot, client, &parts, std::iter::empty(), &mut self.hubs.line);
        }
        true
    }
}

impl Broker {
    /// Sends the message under way to the links that are to get it.
    #[cold]
    #[inline(never)]
    pub(in crate::broker) fn send_to_hubs(&mut self, parts: &Published<'_>) {
        let Self { clients, subscriptions, outbox, scratch, .. } = self;
        let Hubs { targets, line, renamed, .. } = &mut scratch.hubs;
        targets.sort_unstable();
        targets.dedup();
        for of_one in targets.chunk_by(|left, right| left.0 == right.0) {
            let Some(&(slot, _)) = of_one.first() else { continue };
            let Some(client) = clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { continue };
            let queues = of_one.iter().filter_map(|&(_, number)| subscriptions.queue(subscriptions.get(number)?));
            send(outbox, slot, client, parts, queues, line);
        }
        targets.clear();
        renamed.clear();
    }
}

fn send<'a>(
    outbox: &mut Outbox,
    slot: u32,
    client: &mut Client,
    parts: &Published<'a>,
    queues: impl Iterator<Item = &'a [u8]>,
    line: &mut Vec<u8>,
) {
    let Published { subject, reply, headers, payload, .. } = *parts;
    let headers = if client.options.headers { headers } else { &[] };
    line.clear();
    encode::leaf_message(line, subject, reply, queues, headers.len(), payload.len());
    client.traffic.out_msgs += 1;
    client.traffic.out_bytes += (headers.len() + payload.len()) as u64;
    outbox.send(slot, client, [line, headers, payload, b"\r\n"]);
}
