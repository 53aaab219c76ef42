//! What the account's own subscribers want, told to its hubs.
//!
//! After joining, all subscriptions are looked at once, a bounded part at a time; whatever comes and goes meanwhile is told at once. A hub
//! does not mind hearing of an interest twice, but must not miss one.

use crate::broker::Broker;
use crate::broker::client::Client;
use crate::broker::link::Link;
use crate::broker::wants::{Change, Want};
use nats_proto::encode;

/// Bytes of interest that wait to be written at one time.
const PART: usize = 64 * 1024;
/// Subscriptions looked at in one go.
const LOOKED_AT: u32 = 16 * 1024;

impl Broker {
    /// Tells the hubs what came and went.
    #[inline]
    pub(in crate::broker) fn tell_hubs(&mut self) {
        if self.subscriptions.has_changes() {
            self.tell_changes();
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_changes(&mut self) {
        for change in self.subscriptions.take_changes() {
            for place in 0..self.links.remotes.len() {
                let concerned = self.links.remotes.get(place).filter(|known| known.account == change.account);
                if let Some(slot) = concerned.and_then(|known| known.slot) {
                    self.tell_change(slot, &change);
                }
            }
        }
    }

    fn tell_change(&mut self, slot: u32, change: &Change) {
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        let Some(link) = open_link(client).filter(|link| link.rights.may_announce(&change.want.subject)) else {
            return;
        };
        let mut line = Vec::new();
        if describe(change, link.is_walking(), &mut line) {
            self.outbox.send(slot, client, [&line]);
        }
    }

    /// Announces the next part of what is wanted already.
    pub(in crate::broker) fn walk_on(&mut self, slot: u32) {
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        let (Some(account), waits) = (client.account, client.output.pending()) else { return };
        let Some(link) = open_link(client) else { return };
        let Some(start) = link.walk.filter(|_| waits < PART) else { return };
        let end = self.subscriptions.end();
        let (mut number, mut lines) = (start, Vec::new());
        while number < end && number - start < LOOKED_AT && waits + lines.len() < PART {
            let want = self.subscriptions.want_of(number, account);
            if let Some(Want { subject, queue, count }) = want.filter(|want| link.rights.may_announce(&want.subject)) {
                encode::interest(&mut lines, &subject, queue.as_deref().map(|queue| (queue, weight(count))));
            }
            number += 1;
        }
        if let Some(link) = client.link.as_deref_mut() {
            link.walk = Some(number).filter(|&number| number < end);
        }
        self.outbox.send(slot, client, [&lines]);
        self.links.hurry |= number < end && waits + lines.len() == 0;
    }
}

/// The link of a client, if messages may cross it.
fn open_link(client: &Client) -> Option<&Link> {
    client.link.as_deref().filter(|link| link.joined && !client.is_closing())
}

/// Writes the line that tells of a change; false when the hub need not know. `walking`: not everything is announced yet.
fn describe(change: &Change, walking: bool, out: &mut Vec<u8>) -> bool {
    let Want { subject, queue, count } = &change.want;
    match (queue.as_deref(), *count, change.grew) {
        (queue, 0, _) => encode::no_interest(out, subject, queue),
        (Some(queue), count, _) => encode::interest(out, subject, Some((queue, weight(count)))),
        (None, 1, true) => encode::interest(out, subject, None),
        // The one that stood for all of them may have gone before the walk came to it, and the new one stands where it has been.
        (None, _, false) if walking => encode::interest(out, subject, None),
        (None, _, _) => return false,
    }
    true
}

fn weight(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
