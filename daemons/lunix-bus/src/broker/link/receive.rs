//! What a hub sends.

use super::Link;
use crate::broker::client::Reason;
use crate::broker::link::Filter;
use crate::broker::outbox::Note;
use crate::broker::publish::{Origin, Published};
use crate::broker::{Broker, Progress, budget, request_info};
use crate::leaf::{Greeting, Input, LOOP_PREFIX};
use nats_proto::client::Wire;
use nats_proto::leaf::{Op, Parser, Queues};
use reactor::Instant;

impl Broker {
    /// Parses and executes. Returns how much was consumed and why it stopped.
    pub(in crate::broker) fn run_link(&mut self, now: Instant, slot: u32, input: &[u8]) -> (usize, Progress) {
        let Some(link) = self.link_mut(slot) else { return (0, Progress::Ending) };
        let mut parser = std::mem::replace(&mut link.parser, Parser::new(0, 0));
        let mut at = 0;
        let progress = loop {
            match parser.parse(input.get(at..).unwrap_or_default()) {
                Ok((used, Some(op))) => {
                    at += used;
                    self.execute_link(now, slot, op);
                    self.settle();
                    if self.is_ending(slot) {
                        break Progress::Ending;
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
                    self.link_trouble(slot, error.to_string());
                    self.end(slot, Reason::Protocol);
                    break Progress::Ending;
                }
            }
        };
        if let Some(link) = self.link_mut(slot) {
            link.parser = parser;
        }
        (at, progress)
    }

    fn link_mut(&mut self, slot: u32) -> Option<&mut Link> {
        self.client_mut(slot)?.link.as_deref_mut()
    }

    fn link_trouble(&mut self, slot: u32, text: String) {
        let Some(client) = self.client(slot) else { return };
        let (id, peer) = (client.id, client.peer);
        self.outbox.note(id, Note::LinkTrouble(peer, text));
    }

    fn execute_link(&mut self, now: Instant, slot: u32, op: Op<'_>) {
        if self.settings.trace {
            self.trace_link(slot, &op);
        }
        let Some(remote) = self.link_mut(slot).map(|link| link.remote) else { return };
        match op {
            Op::Message { subject, reply, queues, headers, payload } => {
                let wire = Wire::default();
                self.publish_for_hub(now, slot, &Published { subject, reply, headers, payload, wire }, queues);
            }
            Op::Interest { subject, queue } => self.want(now, slot, subject, queue),
            Op::NoInterest { subject, queue } => {
                if let Some(number) = self.subscriptions.find(slot, &name(subject, queue)) {
                    self.drop_subscription(number);
                }
            }
            Op::Ping => self.ping(slot),
            Op::Pong => self.pong(now, slot),
            Op::Info(json) => match Greeting::parse(json) {
                Some(greeting) => self.advance(now, remote, Input::Info(&greeting)),
                None => {
                    self.link_trouble(slot, "INFO that cannot be read".to_owned());
                    self.end(slot, Reason::Protocol);
                }
            },
            Op::Error(text) => self.advance(now, remote, Input::Complaint(&String::from_utf8_lossy(text))),
            Op::Ok => {}
        }
    }

    fn trace_link(&mut self, slot: u32, op: &Op<'_>) {
        let text = match op {
            Op::Message { subject, queues, headers, payload, .. } => {
                format!("LMSG {} {queues:?} {} {}", subject.escape_ascii(), headers.len(), payload.len())
            }
            Op::Interest { subject, queue: None } => format!("LS+ {}", subject.escape_ascii()),
            Op::Interest { subject, queue: Some((queue, weight)) } => {
                format!("LS+ {} {} {weight}", subject.escape_ascii(), queue.escape_ascii())
            }
            Op::NoInterest { subject, .. } => format!("LS- {}", subject.escape_ascii()),
            Op::Ping => "PING".to_owned(),
            Op::Pong => "PONG".to_owned(),
            Op::Info(_) => "INFO".to_owned(),
            Op::Ok => "+OK".to_owned(),
            Op::Error(text) => format!("-ERR {}", text.escape_ascii()),
        };
        let id = self.client(slot).map_or(0, |client| client.id);
        self.outbox.note(id, Note::Trace(text));
    }

    /// A message of the hub for those here who want it. What only our own server may say of who asks is taken away.
    fn publish_for_hub(&mut self, now: Instant, slot: u32, parts: &Published<'_>, queues: Queues<'_>) {
        let Some(client) = self.client_mut(slot) else { return };
        client.traffic.in_msgs += 1;
        client.traffic.in_bytes += (parts.headers.len() + parts.payload.len()) as u64;
        let may_enter = client.link.as_deref().is_some_and(|link| link.rights.may_enter(parts.subject));
        let Some(account) = client.account.filter(|_| may_enter) else { return };
        let origin = Origin { slot, echo: false, through: None, shared: false, hops: 0 };
        let mut kept = std::mem::take(&mut self.scratch.headers);
        let stripped = request_info::strip(parts.headers, &mut kept);
        let headers = if stripped { &kept } else { parts.headers };
        self.route_filtered(now, origin, account, &Published { headers, ..*parts }, Filter::Hub(queues));
        self.scratch.headers = kept;
    }

    /// The hub wants messages.
    fn want(&mut self, now: Instant, slot: u32, subject: &[u8], queue: Option<(&[u8], u32)>) {
        let Some(client) = self.client(slot) else { return };
        let (Some(link), Some(account)) = (client.link.as_deref(), client.account) else { return };
        let (remote, wanted, first) = (link.remote, link.rights.may_want(subject), client.first_subscription);
        let crowded =
            self.settings.max_subscriptions > 0 && client.subscriptions as usize >= self.settings.max_subscriptions;
        if subject.starts_with(LOOP_PREFIX)
            && self.links.remotes.get(remote).is_some_and(|known| *known.loop_subject == *subject)
        {
            return self.advance(now, remote, Input::Loop);
        }
        if !wanted {
            return;
        }
        let (group, weight) = queue.unzip();
        let sid = name(subject, group);
        let number = match self.subscriptions.find(slot, &sid) {
            Some(number) => number,
            None if crowded => return self.complain(slot, "maximum subscriptions exceeded"),
            None => {
                let Some(number) = self.subscriptions.insert((slot, account), first, subject, group, &sid) else {
                    return self.complain(slot, "Invalid Subscription");
                };
                let size = budget::subscription_size(subject, group, &sid);
                if let Some(subscription) = self.subscriptions.get_mut(number) {
                    subscription.size = u32::try_from(size).unwrap_or(u32::MAX);
                }
                if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
                    client.first_subscription = number;
                    client.subscriptions += 1;
                    client.subscriptions_size += size;
                    self.outbox.ledger.charge(client.payer, size);
                }
                self.cast_shadows(number, subject);
                number
            }
        };
        if let Some(subscription) = self.subscriptions.get_mut(number) {
            subscription.weight = weight.unwrap_or_default();
        }
    }
}

/// What a hub's subscription is called: its subject, and its group after a blank.
fn name(subject: &[u8], queue: Option<&[u8]>) -> Vec<u8> {
    let mut name = subject.to_vec();
    if let Some(queue) = queue {
        name.push(b' ');
        name.extend_from_slice(queue);
    }
    name
}
