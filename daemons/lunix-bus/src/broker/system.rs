//! What the server itself answers on the bus: `$SYS.REQ.USER.INFO` in every account, one's own account's connections, and the pages of
//! monitoring in the system account, wrapped as the reference wraps them.

use super::Broker;
use super::account::AccountId;
use super::info::REFERENCE_VERSION;
use super::json::Json;
use super::permissions::{Clause, Permissions, Rule};
use super::publish::{Origin, Published};
use super::report::{Facts, Report};
use super::subscriptions::NONE;
use interfaces::time::rfc3339;
use nats_proto::client::Wire;
use reactor::Instant;
use serde_json::Value;
use std::time::SystemTime;

/// How the subjects of requests to the server begin.
pub(super) const PREFIX: &[u8] = b"$SYS.REQ.";
/// Requests that wait to be answered in one turn; further ones are not answered.
const WAITING_MAX: usize = 64;
/// A request with more options than this is not read.
const OPTIONS_MAX: usize = 4096;

/// A request for a page of monitoring.
#[derive(Debug)]
pub(crate) struct Request {
    account: AccountId,
    reply: Vec<u8>,
    page: Page,
    /// Options as those of a request over HTTP.
    query: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Report(Report),
    /// How the server fares.
    Stats,
    /// Name and number alone.
    Identity,
    /// One account, without the frame of a page.
    Account,
}

impl Page {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "" | "STATSZ" => Self::Stats,
            "IDZ" => Self::Identity,
            "VARZ" => Self::Report(Report::Server),
            "CONNZ" => Self::Report(Report::Connections),
            "SUBSZ" => Self::Report(Report::Subscriptions),
            "HEALTHZ" => Self::Report(Report::Health),
            "ROUTEZ" => Self::Report(Report::Routes),
            "ACCOUNTZ" => Self::Report(Report::Accounts),
            "LEAFZ" => Self::Report(Report::Leafs),
            _ => return None,
        })
    }
}

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
        let own = matches!(rest, "ACCOUNT.PING.CONNZ" | "SERVER.PING.CONNZ");
        let found = match (self.is_system(account), own) {
            (true, _) => self.page_of(rest),
            (false, true) => Some((Page::Report(Report::Connections), Some(self.accounts.name(account).to_owned()))),
            (false, false) => None,
        };
        let Some((page, only)) = found else { return false };
        let Some(mut query) = self.read_options(parts.payload) else { return true };
        if let Some(only) = only {
            query = format!("acc={}&{query}", encoded(&only));
        }
        if self.requests.len() < WAITING_MAX {
            self.requests.push_back(Request { account, reply: reply.to_vec(), page, query });
        }
        true
    }

    /// The page that a subject of the system account asks for, and the account it is about, if it is about one.
    fn page_of(&self, rest: &str) -> Option<(Page, Option<String>)> {
        if let Some(rest) = rest.strip_prefix("SERVER.") {
            let (server, page) = rest.split_once('.').unwrap_or((rest, ""));
            let meant = server == "PING" || (server == self.settings.server_id && !page.is_empty());
            return Page::named(page).filter(|_| meant).map(|page| (page, None));
        }
        // Names of accounts may hold dots.
        let (account, page) = rest.strip_prefix("ACCOUNT.")?.rsplit_once('.')?;
        let page = match page {
            "CONNZ" => Page::Report(Report::Connections),
            "SUBSZ" => Page::Report(Report::Subscriptions),
            "INFO" => Page::Account,
            _ => return None,
        };
        Some((page, Some(account.to_owned())))
    }

    /// Reads the options of a request, a JSON object, as a query. `None` when another server is meant.
    fn read_options(&self, payload: &[u8]) -> Option<String> {
        let text = payload.trim_ascii();
        if text.is_empty() {
            return Some(String::new());
        }
        let Ok(Value::Object(options)) = serde_json::from_slice(text.get(..text.len().min(OPTIONS_MAX))?) else {
            return Some("error=1".into());
        };
        let exact = options.get("exact_match").and_then(Value::as_bool).unwrap_or(false);
        let mut query = Vec::new();
        for (name, value) in &options {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_one_of_us = |known: &str| if exact { known == text } else { known.contains(&text) };
            let meant = match name.as_str() {
                "server_name" => is_one_of_us(&self.settings.server_name),
                "host" => is_one_of_us(&self.settings.host),
                "cluster" | "domain" => text.is_empty(),
                _ => true,
            };
            if !meant && !text.is_empty() {
                return None;
            }
            let name = match (name.as_str(), value) {
                ("account", _) => "acc",
                ("subscriptions_detail", Value::Bool(true)) => {
                    query.push("subs=detail".to_owned());
                    continue;
                }
                ("subscriptions", _) => "subs",
                (name @ ("acc" | "auth" | "cid" | "limit" | "offset" | "sort" | "state" | "test"), _) => name,
                (_, _) => continue,
            };
            query.push(format!("{name}={}", encoded(&text)));
        }
        Some(query.join("&"))
    }

    /// True while requests wait that need facts to be answered.
    #[must_use]
    pub fn has_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Answers the requests that wait.
    pub fn answer_requests(&mut self, facts: &Facts<'_>) {
        while let Some(request) = self.requests.pop_front() {
            let answer = self.answer_to(facts, &request);
            self.publish_as_server(facts.now, request.account, &request.reply, &answer);
        }
    }

    fn answer_to(&mut self, facts: &Facts<'_>, request: &Request) -> Vec<u8> {
        let page = match request.page {
            Page::Identity => {
                let mut json = Json::object();
                self.write_identity(&mut json);
                return json.finish();
            }
            Page::Stats => {
                let mut json = self.frame(facts.wall);
                self.write_stats(&mut json, facts);
                return json.finish();
            }
            _ if request.query == "error=1" => Err("options are not a JSON object".to_owned()),
            Page::Report(report) => self.report(facts, report, &request.query),
            Page::Account => self.report(facts, Report::Accounts, &request.query).and_then(|page| {
                let page: Value = serde_json::from_slice(&page).map_err(|error| error.to_string())?;
                let detail = page.get("account_detail").ok_or("account not found")?;
                Ok(detail.to_string().into_bytes())
            }),
        };
        let mut json = self.frame(facts.wall);
        match page {
            Ok(page) => json.raw("data", &page),
            Err(text) => {
                json.begin("error", b'{');
                json.number("code", 400);
                json.text("description", &text);
                json.end(b'}');
            }
        }
        json.finish()
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

    fn write_identity(&self, json: &mut Json) {
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
    fn is_system(&self, account: AccountId) -> bool {
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

/// A value as it stands in a query.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}
