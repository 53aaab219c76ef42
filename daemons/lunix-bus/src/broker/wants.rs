//! What an account's own subscribers want, for the hubs that it is linked to: journal of what comes and goes, and the state.

use super::account::AccountId;
use super::subscriptions::{NONE, Owner, Subscriptions};

/// Messages for a pattern, perhaps as a queue group.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) subject: Vec<u8>,
    pub(crate) queue: Option<Vec<u8>>,
    /// Subscribers with this pattern and group; without a group anything above one is many.
    pub(crate) count: usize,
}

/// What came or went in an account that is linked to a hub.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) account: AccountId,
    /// As it is now.
    pub(crate) want: Want,
    /// A subscriber came; else one went.
    pub(crate) grew: bool,
}

/// The journal while it is paused.
#[derive(Debug)]
pub(crate) struct Journal {
    links: Vec<(AccountId, u32)>,
    changes: Vec<Change>,
}

impl Subscriptions {
    /// From now on it is noted what comes and goes in the account; what is of the link in `slot` itself does not count.
    pub(crate) fn link(&mut self, account: AccountId, slot: u32) {
        self.links.push((account, slot));
    }

    /// Undoes [`Subscriptions::link`].
    pub(crate) fn unlink(&mut self, slot: u32) {
        self.links.retain(|&(_, known)| known != slot);
    }

    /// Stops the journal; returns it, with what it has noted, for [`Subscriptions::resume_journal`].
    pub(crate) fn pause_journal(&mut self) -> Journal {
        Journal { links: std::mem::take(&mut self.links), changes: std::mem::take(&mut self.changes) }
    }

    /// Goes on with it.
    pub(crate) fn resume_journal(&mut self, journal: Journal) {
        self.links = journal.links;
        self.changes = journal.changes;
    }

    /// True when there is something to tell.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// What came and went in linked accounts since the last time.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// One more than the largest number of a subscription.
    pub(crate) fn end(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(NONE)
    }

    /// What the account wants by this subscription; `None` when another one with the same pattern and group stands for it, when it is a
    /// hub's own, or of another account.
    pub(crate) fn want_of(&self, number: u32, account: AccountId) -> Option<Want> {
        let known = self.get(number).filter(|known| known.account == account && known.owner() != Owner::Nobody)?;
        let mut alike = self.index_of(account)?.alike(known.entry).filter(|&other| !self.is_of_a_hub(other));
        if alike.next()? != number {
            return None;
        }
        let queue = self.queue(known).map(<[u8]>::to_vec);
        Some(Want { subject: self.pattern(known), queue, count: 1 + alike.count() })
    }

    fn is_of_a_hub(&self, number: u32) -> bool {
        let Some(known) = self.get(number) else { return false };
        match known.owner() {
            Owner::Client(slot) | Owner::Shadow(slot) => self.links.iter().any(|&(_, link)| link == slot),
            Owner::Nobody | Owner::Service(_) | Owner::Replies | Owner::Server => false,
        }
    }

    /// Notes that the subscription came, or that it is about to go. Called only while there are links.
    #[cold]
    #[inline(never)]
    pub(super) fn note_change(&mut self, number: u32, grew: bool) {
        let Some(known) = self.get(number).filter(|known| known.owner() != Owner::Nobody) else { return };
        let account = known.account;
        if self.is_of_a_hub(number) || !self.links.iter().any(|&(linked, _)| linked == account) {
            return;
        }
        let Some(index) = self.index_of(account) else { return };
        let alike = index.alike(known.entry).filter(|&other| !self.is_of_a_hub(other));
        let queue = self.queue(known).map(<[u8]>::to_vec);
        // Of a group, the size matters; else whether there is one, or was.
        let count = if queue.is_some() { alike.count() } else { alike.take(2).count() };
        let want = Want { subject: self.pattern(known), queue, count: count - usize::from(!grew) };
        self.changes.push(Change { account, want, grew });
    }
}
