//! Pages of monitoring as answers to requests: one's own account's connections, and everything in the system account, wrapped as the
//! reference wraps them.

use super::Broker;
use super::account::AccountId;
use super::json::Json;
use super::report::{Facts, Report};
use serde_json::Value;

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
    /// A request for a page. False when it is none that is answered here.
    pub(super) fn ask_page(&mut self, account: AccountId, reply: &[u8], rest: &str, payload: &[u8]) -> bool {
        let own = matches!(rest, "ACCOUNT.PING.CONNZ" | "SERVER.PING.CONNZ");
        let found = match (self.is_system(account), own) {
            (true, _) => self.page_of(rest),
            (false, true) => Some((Page::Report(Report::Connections), Some(self.accounts.name(account).to_owned()))),
            (false, false) => None,
        };
        let Some((page, only)) = found else { return false };
        let Some(mut query) = self.read_options(payload) else { return true };
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
}

/// A value as it stands in a query.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}
