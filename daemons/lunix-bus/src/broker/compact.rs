//! Memory that only a crowd needed is given back when the crowd has gone.

use super::Broker;
use super::link::Link;
use super::subscriptions::{NONE, Subscription};

/// Tables with fewer places than this are left as they are.
const WORTH_IT: usize = 128;

impl Broker {
    /// A place for a client. Free places that were noted may be gone or taken since.
    pub(super) fn free_slot(&mut self) -> Option<u32> {
        while let Some(slot) = self.free.pop() {
            if matches!(self.clients.get(slot as usize), Some(None)) {
                return Some(slot);
            }
        }
        self.clients.push(None);
        u32::try_from(self.clients.len() - 1).ok()
    }

    /// Gives memory back when the last client is gone.
    pub(super) fn trim(&mut self) {
        self.clients = Vec::new();
        self.free = Vec::new();
        self.spare = Vec::new();
        self.scratch = super::publish::Scratch::default();
        let journal = self.subscriptions.pause_journal();
        self.unwire();
        self.subscriptions.trim();
        self.wire();
        self.subscriptions.resume_journal(journal);
        self.outbox.questions.clear();
        self.outbox.pool.clear();
        self.next_due = None;
        self.relax_due = None;
    }

    /// Gives memory back when some clients are gone.
    pub(super) fn compact(&mut self) {
        while self.clients.pop_if(|last| last.is_none()).is_some() {}
        let len = self.clients.len();
        if self.free.len() > 2 * len + WORTH_IT {
            self.free.retain(|&slot| (slot as usize) < len);
        }
        if self.clients.capacity() > 4 * len + WORTH_IT {
            self.clients.shrink_to(2 * len);
            self.free.shrink_to(2 * self.free.len());
        }
        self.compact_subscriptions();
    }

    /// Enters the subscriptions anew, side by side, when most places are free.
    #[inline]
    pub(super) fn compact_subscriptions(&mut self) {
        if self.subscriptions.places() > WORTH_IT && self.subscriptions.places() > 8 * self.subscriptions.used() {
            self.enter_anew();
        }
    }

    #[cold]
    fn enter_anew(&mut self) {
        // Nothing comes and nothing goes that a hub would have to hear of.
        let journal = self.subscriptions.pause_journal();
        self.drop_all_shadows();
        self.unwire();
        let fresh = self.subscriptions.emptied();
        let before = std::mem::replace(&mut self.subscriptions, fresh);
        for (slot, client) in (0..NONE).zip(&mut self.clients) {
            let Some(client) = client else { continue };
            let known: Vec<&Subscription> = before.of(client.first_subscription).collect();
            client.first_subscription = NONE;
            for subscription in known.into_iter().rev() {
                let first = client.first_subscription;
                if let Some(number) = self.subscriptions.take_over(slot, first, subscription, &before) {
                    client.first_subscription = number;
                }
            }
        }
        drop(before);
        self.wire();
        self.cast_all_shadows();
        self.subscriptions.resume_journal(journal);
        let links = self.clients.iter_mut().flatten().filter_map(|client| client.link.as_deref_mut());
        links.for_each(Link::walk_anew);
    }
}
