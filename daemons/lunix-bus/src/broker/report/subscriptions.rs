//! `/subsz`.

use super::super::Broker;
use super::{ENTRIES_MAX, Facts, Query};
use crate::broker::json::Json;
use crate::broker::subscriptions::{Owner, Subscription};

impl Broker {
    pub(super) fn subscriptions_report(&self, facts: &Facts<'_>, query: &Query<'_>) -> Result<Vec<u8>, String> {
        let (lists, offset) = (query.truth("subs")?, query.number("offset", 0)?);
        let limit = query.number("limit", 1024)?.min(ENTRIES_MAX);
        let test = query.text("test").unwrap_or_default();
        let mut json = self.heading(facts);
        let count = self.subscriptions() as u64;
        json.number("num_subscriptions", count);
        json.number("num_inserts", self.subscriptions.inserted());
        json.number("num_removes", self.subscriptions.inserted() - count);
        let account = query.text("acc").filter(|account| !account.is_empty());
        let fits = |known: &&Subscription| {
            account.as_deref().is_none_or(|account| account == self.accounts.name(self.named(known).account))
                && (test.is_empty() || nats_subject::matches(&self.subscriptions.pattern(known), test.as_bytes()))
        };
        let listed: Vec<&Subscription> =
            if lists { self.subscriptions.iter().filter(fits).collect() } else { Vec::new() };
        json.number("total", listed.len() as u64);
        json.number("offset", offset as u64);
        json.number("limit", limit as u64);
        if lists {
            json.begin("subscriptions_list", b'[');
            for subscription in listed.into_iter().skip(offset).take(limit) {
                self.write_subscription(&mut json, subscription, true);
            }
            json.end(b']');
        }
        Ok(json.finish())
    }

    pub(super) fn write_subscription(&self, json: &mut Json, subscription: &Subscription, names_account: bool) {
        let named = self.named(subscription);
        json.begin("", b'{');
        if names_account {
            json.text("account", self.accounts.name(named.account));
        }
        json.text("subject", &String::from_utf8_lossy(&self.subscriptions.pattern(subscription)));
        if let Some(queue) = self.subscriptions.queue(subscription) {
            json.text("qgroup", &String::from_utf8_lossy(queue));
        }
        json.text("sid", String::from_utf8_lossy(named.sid_with_blank()).trim_end());
        json.number("msgs", subscription.delivered);
        if subscription.max > 0 {
            json.number("max", subscription.max);
        }
        json.number("cid", self.client(named.client).map_or(0, |client| client.id));
        json.end(b'}');
    }

    /// The subscription that a client knows; a shadow is told as what it is, the subject in the other account, by the name its client has
    /// for it.
    fn named<'a>(&'a self, subscription: &'a Subscription) -> &'a Subscription {
        match subscription.owner() {
            Owner::Shadow(_) => self.subscriptions.get(subscription.casts().0).unwrap_or(subscription),
            Owner::Client(_) | Owner::Nobody | Owner::Service(_) | Owner::Replies | Owner::Server => subscription,
        }
    }
}
