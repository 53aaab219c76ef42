//! What clients send: parsed and executed, and kept where it is not complete.

use super::Broker;
use super::budget::Payer;
use super::client::{Client, Reason};
use nats_proto::client::Parser;
use reactor::Instant;

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

impl Broker {
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
    pub(super) fn complete(&mut self, now: Instant, slot: u32, input: &[u8]) -> usize {
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
    pub(super) fn run(&mut self, now: Instant, slot: u32, input: &[u8]) -> (usize, Progress) {
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
    pub(super) fn keep(&mut self, slot: u32, rest: &[u8]) {
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
    pub(super) fn catch_up(&mut self, now: Instant, slot: u32) {
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
    pub(super) fn put_aside(&mut self, payer: Payer, mut partial: Vec<u8>) {
        self.outbox.ledger.refund(payer, partial.capacity());
        partial.clear();
        if partial.capacity() <= 1 << 17 && partial.capacity() > self.spare.capacity() {
            self.spare = partial;
        }
    }
}
