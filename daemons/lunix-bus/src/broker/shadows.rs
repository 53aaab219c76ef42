//! Streams from other accounts: a subscription whose subjects are imported casts a shadow in the exporting account, which brings it the
//! messages published there.

use super::Broker;
use super::budget::SHADOW_SIZE;
use super::subscriptions::{Owner, Subscription};

impl Broker {
    /// Lets a client's subscription to `pattern` also get the streams that its account imports.
    pub(super) fn cast_shadows(&mut self, number: u32, pattern: &[u8]) {
        let Some(subscription) = self.subscriptions.get(number) else { return };
        let Owner::Client(slot) = subscription.owner() else { return };
        let Some(account) = self.accounts.get(subscription.account).filter(|account| account.reads_streams()) else {
            return;
        };
        let mut cast = 0;
        for (import_number, import, supplier) in account.imports().filter(|(_, import, _)| !import.is_service()) {
            if let Some(remote) = import.remote_of(pattern) {
                cast += usize::from(self.subscriptions.insert_shadow(number, import_number, supplier, &remote));
            }
        }
        if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
            self.outbox.ledger.charge(client.payer, cast * SHADOW_SIZE);
            client.subscriptions_size += cast * SHADOW_SIZE;
            client.shadows += u32::try_from(cast).unwrap_or_default();
        }
    }

    /// Undoes [`Broker::cast_shadows`].
    pub(super) fn drop_shadows(&mut self, number: u32) {
        let Some(Owner::Client(slot)) = self.subscriptions.get(number).map(Subscription::owner) else { return };
        let gone = self.subscriptions.remove_shadows(number);
        if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
            self.outbox.ledger.refund(client.payer, gone * SHADOW_SIZE);
            client.subscriptions_size = client.subscriptions_size.saturating_sub(gone * SHADOW_SIZE);
            client.shadows = client.shadows.saturating_sub(u32::try_from(gone).unwrap_or_default());
        }
    }

    /// Undoes it for all subscriptions of all clients.
    pub(super) fn drop_all_shadows(&mut self) {
        self.each_subscription(Self::drop_shadows);
    }

    /// Does it for all subscriptions of all clients.
    pub(super) fn cast_all_shadows(&mut self) {
        self.each_subscription(|broker, number| {
            let pattern = broker.subscriptions.get(number).map(|known| broker.subscriptions.pattern(known));
            broker.cast_shadows(number, &pattern.unwrap_or_default());
        });
    }

    fn each_subscription(&mut self, mut act: impl FnMut(&mut Self, u32)) {
        let firsts: Vec<u32> = self.clients.iter().flatten().map(|client| client.first_subscription).collect();
        for first in firsts {
            let mut number = first;
            while let Some(next) = self.subscriptions.get(number).map(Subscription::next) {
                act(self, number);
                number = next;
            }
        }
    }
}
