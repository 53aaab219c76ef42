//! `/leafz`, and what other pages tell of links.

use crate::broker::json::Json;
use crate::broker::report::{ENTRIES_MAX, Facts, Query};
use crate::broker::{Broker, Peer};

impl Broker {
    /// `/leafz`.
    pub(in crate::broker) fn leafs_report(&self, facts: &Facts<'_>, query: &Query<'_>) -> Result<Vec<u8>, String> {
        let (lists, account) = (query.truth("subs")?, query.text("acc"));
        let mut json = self.heading(facts);
        let joined = self.links.remotes.iter().filter(|known| {
            known.machine.is_joined() && account.as_deref().is_none_or(|name| name == self.accounts.name(known.account))
        });
        json.number("leafnodes", joined.clone().count() as u64);
        json.begin("leafs", b'[');
        for known in joined {
            let Some(client) = known.slot.and_then(|slot| self.client(slot)) else { continue };
            json.begin("", b'{');
            json.number("id", client.id);
            json.text("name", known.machine.hub().unwrap_or_default());
            json.truth("is_spoke", true);
            json.text("account", self.accounts.name(known.account));
            if let Peer::Tcp(address) = client.peer {
                json.text("ip", &address.ip().to_canonical().to_string());
                json.number("port", u64::from(address.port()));
            }
            if let Some(round_trip) = client.round_trip {
                json.text("rtt", &format!("{round_trip:?}"));
            }
            json.number("in_msgs", client.traffic.in_msgs);
            json.number("out_msgs", client.traffic.out_msgs);
            json.number("in_bytes", client.traffic.in_bytes);
            json.number("out_bytes", client.traffic.out_bytes);
            json.number("subscriptions", u64::from(client.subscriptions));
            if lists {
                self.write_wants(&mut json, client.first_subscription);
            }
            json.text("compression", "off");
            json.end(b'}');
        }
        json.end(b']');
        Ok(json.finish())
    }

    fn write_wants(&self, json: &mut Json, first: u32) {
        json.begin("subscriptions_list", b'[');
        for wanted in self.subscriptions.of(first).take(ENTRIES_MAX) {
            json.item(&String::from_utf8_lossy(&self.subscriptions.pattern(wanted)));
        }
        json.end(b']');
    }

    /// The part `leaf` of `/varz`.
    pub(in crate::broker) fn write_remotes(&self, json: &mut Json) {
        json.begin("leaf", b'{');
        if !self.links.remotes.is_empty() {
            json.begin("remotes", b'[');
            for known in &self.links.remotes {
                json.begin("", b'{');
                json.text("local_account", self.accounts.name(known.account));
                json.begin("urls", b'[');
                known.machine.remote().urls.iter().for_each(|url| json.item(&url.to_string()));
                json.end(b']');
                json.end(b'}');
            }
            json.end(b']');
        }
        json.end(b'}');
    }

    /// Number of links over which messages may cross.
    pub(in crate::broker) fn joined(&self) -> usize {
        self.links.remotes.iter().filter(|known| known.machine.is_joined()).count()
    }

    /// Number of links' connections ever made.
    pub(in crate::broker) fn links_made(&self) -> u64 {
        self.links.made
    }
}
