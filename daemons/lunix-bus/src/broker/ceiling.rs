//! What happens when too much is held: somebody is cut, and it is who holds most.

use super::Broker;
use super::budget::Payer;
use super::client::{Client, Reason};
use super::subscriptions::NONE;

impl Broker {
    /// After every operation: cuts who holds too much.
    #[inline]
    pub(super) fn settle(&mut self) {
        if !self.outbox.too_slow.is_empty() || self.outbox.ledger.is_over() {
            self.cut_the_slow();
        }
        self.tell_hubs();
    }

    #[cold]
    fn cut_the_slow(&mut self) {
        while let Some(slot) = self.outbox.too_slow.pop() {
            self.cut(slot, Reason::SlowPending);
        }
        while let Some(user) = self.outbox.ledger.user_over_budget() {
            match self.heaviest_of(user) {
                Some(slot) => self.cut(slot, Reason::UserMemory),
                None => self.outbox.ledger.forgive(),
            }
        }
        while self.outbox.ledger.is_over_ceiling() {
            let Some(slot) = self.heaviest_user().and_then(|user| self.heaviest_of(user)) else { return };
            self.cut(slot, Reason::Memory);
        }
    }

    fn open_clients(&self) -> impl Iterator<Item = (u32, &Client)> {
        let clients = (0..NONE).zip(&self.clients).filter_map(|(slot, client)| Some((slot, client.as_deref()?)));
        clients.filter(|(_, client)| !client.is_closing())
    }

    fn heaviest_of(&self, user: Payer) -> Option<u32> {
        let own = self.open_clients().filter(|(_, client)| client.payer == user);
        own.max_by_key(|(_, client)| client.weight()).map(|(slot, _)| slot)
    }

    /// The user whose clients hold most together: many small holders do not hide behind one large one.
    fn heaviest_user(&self) -> Option<Payer> {
        let mut weights: Vec<(Payer, usize)> = Vec::new();
        weights.resize(self.outbox.ledger.places(), (Payer::NONE, 0));
        for (_, client) in self.open_clients() {
            if let Some(weight) = weights.get_mut(client.payer.place()) {
                *weight = (client.payer, weight.1 + client.weight());
            }
        }
        weights.into_iter().max_by_key(|(_, weight)| *weight).map(|(owner, _)| owner)
    }

    /// Ends a connection at once: nothing more is written to it, and its subscriptions are gone.
    pub(super) fn cut(&mut self, slot: u32, reason: Reason) {
        let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        if client.closing.is_none() {
            self.slow_consumers += 1;
        }
        client.cut = true;
        self.outbox.cut(slot, client, reason);
        self.drop_all_subscriptions(slot);
    }
}
