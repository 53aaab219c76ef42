//! A new configuration while clients are there.

use super::Broker;
use super::authenticate::Identity;
use super::client::{Peer, Reason};
use super::permissions::Verdict;
use super::settings::{Credentials, Settings};
use super::subscriptions::NONE;

impl Broker {
    /// Takes new limits. Clients whose credentials no longer hold are cut; those of users whose permissions changed lose the
    /// subscriptions that are not allowed any more.
    pub fn reload(&mut self, settings: Settings) {
        let before = std::mem::replace(&mut self.settings, settings);
        self.outbox.configure(&self.settings);
        self.open_accounts();
        let (line, payload) = (self.settings.max_control_line, self.settings.max_payload);
        for slot in 0..u32::try_from(self.clients.len()).unwrap_or(NONE) {
            let Some(client) = self.client_mut(slot) else { continue };
            client.parser.set_limits(line, payload);
            let bound = matches!(client.peer, Peer::Tcp(_)) && client.authenticated;
            if bound && before.credentials != self.settings.credentials {
                self.check_again(&before, slot);
            }
        }
    }

    /// Makes the accounts that the settings name, and forgets those that neither they nor a client need.
    pub(super) fn open_accounts(&mut self) {
        for name in &self.settings.accounts {
            self.accounts.open(name, &mut self.subscriptions);
        }
        let named = |name: &str| self.settings.accounts.iter().any(|known| **known == *name);
        let gone: Vec<_> =
            self.accounts.iter().filter(|(_, account)| !named(&account.name)).map(|(id, _)| id).collect();
        for id in gone {
            self.accounts.close(id, &mut self.subscriptions);
        }
    }

    fn check_again(&mut self, before: &Settings, slot: u32) {
        let Some(client) = self.client(slot) else { return };
        let name = client.user.as_deref().unwrap_or_default();
        let user = self.settings.user(name).cloned();
        let holds = match (&user, before.user(name), &self.settings.credentials) {
            (_, _, Credentials::Open) => true,
            (Some(user), Some(known), Credentials::Users(_)) => user.password == known.password,
            (_, _, Credentials::Users(_) | Credentials::Password { .. } | Credentials::Token(_)) => false,
        };
        if !holds {
            return self.refuse(slot, "Authorization Violation", Reason::Authentication);
        }
        if self.bind(slot, &user.as_ref().map_or_else(Identity::anybody, Identity::from)) {
            self.check_subscriptions(slot);
        } else {
            self.refuse(slot, "Authorization Violation", Reason::Authentication);
        }
    }

    /// Ends the subscriptions that are not allowed, and says so.
    fn check_subscriptions(&mut self, slot: u32) {
        let Some(client) = self.client(slot) else { return };
        let mut number = client.first_subscription;
        let mut gone = Vec::new();
        while let Some(subscription) = self.subscriptions.get(number) {
            let (pattern, queue) = (self.subscriptions.pattern(subscription), self.subscriptions.queue(subscription));
            let granted = self.client(slot).and_then(|client| client.granted.as_deref());
            let verdict = granted.map_or(Verdict::Allowed, |granted| granted.check_subscription(&pattern, queue));
            if verdict == Verdict::Refused {
                gone.push((number, pattern));
            }
            let next = subscription.next();
            if let Some(subscription) = self.subscriptions.get_mut(number) {
                subscription.filtered = verdict == Verdict::Filtered;
            }
            number = next;
        }
        for (number, pattern) in gone {
            let sid = self.subscriptions.get(number).map(|known| known.sid_with_blank().to_vec()).unwrap_or_default();
            self.deny(slot, &[b"Subscription to \"", &pattern, b"\" (sid \"", sid.trim_ascii_end(), b"\")"]);
            self.drop_subscription(number);
        }
    }

    /// Tells that something is not permitted; the connection stays.
    pub(super) fn deny(&mut self, slot: u32, what: &[&[u8]]) {
        let text = [b"Permissions Violation for ".as_slice(), &what.concat()].concat();
        self.send(slot, [b"-ERR '", &text, b"'\r\n"]);
        if let Some(client) = self.client(slot) {
            let (id, peer) = (client.id, client.peer);
            self.outbox.note(id, super::Note::Denied(peer, text.escape_ascii().to_string()));
        }
    }
}
