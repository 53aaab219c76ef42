//! What the server itself answers on the bus: `$SYS.REQ.USER.INFO` in every account, and the [pages](super::pages) of monitoring.

use super::Broker;
use super::account::AccountId;
use super::info::REFERENCE_VERSION;
use super::json::Json;
use super::permissions::{Clause, Permissions, Rule};
use super::publish::{Origin, Published};
use super::subscriptions::NONE;
use interfaces::time::rfc3339;
use nats_proto::client::Wire;
use reactor::Instant;
use std::time::SystemTime;

/// How the subjects of requests to the server begin.
pub(super) const PREFIX: &[u8] = b"$SYS.REQ.";

impl Broker {
    /// A request to the server. False when it is none that is answered here.
    #[cold]
    #[inline(never)]
    pub(super) fn ask_server(&mut self, now: Instant, slot: u32, account: AccountId, parts: &Published<'_>) -> bool {
        let (Some(reply), Some(rest)) = (parts.reply, parts.subject.strip_prefix(PREFIX)) else { return false };
        let Ok(rest) = std::str::from_utf8(rest) else { return false };
        if rest == "USER.INFO" {
            let answer = self.user_information(now, slot);
            self.publish_as_server(now, account, reply, &answer);
            return true;
        }
        self.ask_page(account, reply, rest, parts.payload)
    }

    /// How every answer begins.
    pub(super) fn frame(&mut self, wall: SystemTime) -> Json {
        self.answered += 1;
        let mut json = Json::object();
        json.begin("server", b'{');
        self.write_identity(&mut json);
        json.text("ver", REFERENCE_VERSION);
        json.truth("jetstream", false);
        json.number("flags", 0);
        json.number("seq", self.answered);
        json.text("time", &rfc3339(wall));
        json.end(b'}');
        json
    }

    pub(super) fn write_identity(&self, json: &mut Json) {
        json.text("name", &self.settings.server_name);
        json.text("host", &self.settings.host);
        json.text("id", &self.settings.server_id);
    }

    /// Who the client is and what it may do.
    fn user_information(&mut self, now: Instant, slot: u32) -> Vec<u8> {
        let wall = self.wall(now);
        let mut json = self.frame(wall);
        let Some(client) = self.client(slot) else { return json.finish() };
        let account = client.account.map(|account| self.accounts.name(account)).unwrap_or_default();
        json.begin("data", b'{');
        json.text("user", client.user.as_deref().unwrap_or_default());
        json.text("account", account);
        json.text("account_name", account);
        if let Some(granted) = client.granted.as_deref() {
            write_permissions(&mut json, granted.permissions());
        }
        if let Some(ends) = client.ends() {
            json.number("expires", u64::try_from((ends - now).as_nanos()).unwrap_or(u64::MAX));
        }
        json.end(b'}');
        json.finish()
    }

    /// What time it is on the calendar.
    pub(super) fn wall(&self, now: Instant) -> SystemTime {
        let (born, wall) = self.calendar;
        wall.checked_add(now - born).unwrap_or(wall)
    }

    /// What time it was on the calendar at a moment that may be before the calendar was set.
    pub(super) fn wall_before(&self, moment: Instant) -> SystemTime {
        let (born, wall) = self.calendar;
        wall.checked_sub(born - moment).unwrap_or(wall) + (moment - born)
    }

    /// True for the account of the system's own subjects.
    #[cfg(feature = "monitoring")]
    pub(super) fn is_system(&self, account: AccountId) -> bool {
        self.accounts.name(account) == &*self.settings.system_account
    }

    pub(super) fn publish_as_server(&mut self, now: Instant, account: AccountId, subject: &[u8], payload: &[u8]) {
        let origin = Origin { slot: NONE, echo: true, through: None, shared: false, hops: 0 };
        let parts = Published { subject, reply: None, headers: b"", payload, wire: Wire::default() };
        self.route_apart(now, origin, account, &parts);
    }
}

fn write_permissions(json: &mut Json, permissions: &Permissions) {
    json.begin("permissions", b'{');
    for (name, rule) in [("publish", &permissions.publish), ("subscribe", &permissions.subscribe)] {
        if *rule != Rule::default() {
            json.begin(name, b'{');
            write_clauses(json, "allow", rule.allow.as_deref().unwrap_or_default());
            write_clauses(json, "deny", &rule.deny);
            json.end(b'}');
        }
    }
    if let Some(responses) = permissions.responses {
        json.begin("responses", b'{');
        json.number("max", responses.max.map_or(0, u64::from));
        let expires = responses.expires.unwrap_or_default();
        json.number("ttl", u64::try_from(expires.as_nanos()).unwrap_or(u64::MAX));
        json.end(b'}');
    }
    json.end(b'}');
}

fn write_clauses(json: &mut Json, name: &str, clauses: &[Clause]) {
    if clauses.is_empty() {
        return;
    }
    json.begin(name, b'[');
    clauses.iter().for_each(|clause| json.item(&clause.to_string()));
    json.end(b']');
}
