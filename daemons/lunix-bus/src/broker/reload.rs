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
        let shares_anew = before.accounts != self.settings.accounts || before.callout != self.settings.callout;
        if shares_anew {
            self.drop_all_shadows();
            self.unwire();
            self.open_accounts();
        }
        let has_rules = self.settings.local.is_some() || before.local.is_some();
        for slot in 0..u32::try_from(self.clients.len()).unwrap_or(NONE) {
            let Some(client) = self.client_mut(slot) else { continue };
            let (is_tcp, is_somebody) = (matches!(client.peer, Peer::Tcp(_)), client.authenticated);
            let (has_credentials, by_rules) = (client.has_credentials, !client.has_credentials && has_rules);
            if is_somebody && self.review_granted(&before, slot) {
                self.set_limits(slot);
                continue;
            }
            if by_rules && is_somebody {
                if before.local != self.settings.local || before.accounts != self.settings.accounts {
                    self.check_by_rules(slot);
                }
            } else if (is_tcp || has_credentials) && is_somebody && before.credentials != self.settings.credentials {
                if self.settings.local.is_some() && self.settings.credentials == Credentials::Open {
                    self.check_by_rules(slot);
                } else {
                    self.check_again(&before, slot);
                }
            }
            self.set_limits(slot);
        }
        self.thin_out();
        if shares_anew {
            self.wire();
            self.cast_all_shadows();
        }
    }

    fn set_limits(&mut self, slot: u32) {
        let (line, payload) = (self.settings.max_control_line, self.payload_max(slot));
        if let Some(client) = self.client_mut(slot) {
            client.parser.set_limits(line, payload);
        }
    }

    /// The rules may say something else now about who the client is.
    fn check_by_rules(&mut self, slot: u32) {
        let Some(client) = self.client(slot) else { return };
        let identity = self.identity_at_first(client);
        if identity.is_some_and(|identity| self.bind(slot, &identity)) {
            self.check_subscriptions(slot);
        } else {
            self.refuse(slot, "Authorization Violation", Reason::Authentication);
        }
    }

    fn check_again(&mut self, before: &Settings, slot: u32) {
        if self.review_token(slot) {
            return;
        }
        let Some(client) = self.client(slot) else { return };
        let name = client.user.as_deref().unwrap_or_default();
        let user = self.settings.user(name).cloned();
        let holds = match (&user, before.user(name), &self.settings.credentials) {
            (_, _, Credentials::Open) => true,
            (Some(user), Some(known), Credentials::Users(_)) => {
                user.password == known.password && user.by_key == known.by_key && user.kinds.allow(self.kind_of(slot))
            }
            #[cfg(feature = "jwt")]
            (_, _, Credentials::Operator(_)) => false,
            (_, _, Credentials::Users(_) | Credentials::Password { .. } | Credentials::Token(_)) => false,
        };
        if user.is_none() && before.user(name).is_some() && matches!(self.settings.credentials, Credentials::Users(_)) {
            // Who is not there any more is not told why.
            return self.end(slot, Reason::Gone);
        }
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
    pub(super) fn check_subscriptions(&mut self, slot: u32) {
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
