//! What monitoring asks for, as JSON with the reference's field names.

mod accounts;
mod connections;
mod query;
mod server;
mod subscriptions;

pub(crate) use query::Query;

use super::Broker;
use super::json::Json;
use interfaces::time::rfc3339;
use reactor::Instant;
use std::time::{Duration, SystemTime};

/// Entries listed in one answer, whatever limit is asked for.
pub(super) const ENTRIES_MAX: usize = 16_384;

/// A page of monitoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// `/varz`: the server.
    Server,
    /// `/connz`: connections.
    Connections,
    /// `/subsz`: subscriptions.
    Subscriptions,
    /// `/healthz`: whether clients may connect.
    Health,
    /// `/routez`: routes, of which there are none.
    Routes,
    /// `/accountz`: accounts.
    Accounts,
    /// `/leafz`: links to hubs.
    Leafs,
}

/// What the broker cannot know by itself.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The moment of the question.
    pub now: Instant,
    /// The same moment on the calendar.
    pub wall: SystemTime,
    /// When the server started, and when it read its configuration.
    pub started: Instant,
    /// When the configuration was last read.
    pub loaded: Instant,
    /// Resident memory in bytes.
    pub memory: u64,
    /// Processor time used since start.
    pub processor: Duration,
    /// Address of monitoring itself.
    pub http_host: &'a str,
    /// Port of monitoring itself.
    pub http_port: u16,
    /// How often each page was asked for.
    pub requests: &'a [(&'a str, u64)],
}

impl Facts<'_> {
    fn time(&self, moment: Instant) -> String {
        rfc3339(self.wall.checked_sub(self.now - moment).unwrap_or(self.wall))
    }
}

impl Broker {
    /// The page `report` asked for with `query` (`a=1&b=2`).
    ///
    /// # Errors
    /// A sentence about what in the query makes no sense.
    pub fn report(&self, facts: &Facts<'_>, report: Report, query: &str) -> Result<Vec<u8>, String> {
        let query = Query::new(query);
        match report {
            Report::Server => Ok(self.server_report(facts)),
            Report::Connections => self.connections_report(facts, &query),
            Report::Subscriptions => self.subscriptions_report(facts, &query),
            Report::Health if self.is_lame_duck() => Ok(br#"{"status":"unavailable","error":"lame duck"}"#.to_vec()),
            Report::Health => Ok(br#"{"status":"ok"}"#.to_vec()),
            Report::Routes => Ok(self.nothing(facts, "num_routes", "routes")),
            Report::Accounts => Ok(self.accounts_report(facts, &query)),
            Report::Leafs => self.leafs_report(facts, &query),
        }
    }

    /// How every page begins.
    pub(super) fn heading(&self, facts: &Facts<'_>) -> Json {
        let mut json = Json::object();
        json.text("server_id", &self.settings.server_id);
        json.text("now", &facts.time(facts.now));
        json
    }

    fn nothing(&self, facts: &Facts<'_>, count: &str, list: &str) -> Vec<u8> {
        let mut json = self.heading(facts);
        json.text("server_name", &self.settings.server_name);
        json.number(count, 0);
        json.begin(list, b'[');
        json.end(b']');
        json.finish()
    }
}

/// A duration as Go's tools print uptime: `1d2h3m4s`.
fn uptime(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let seconds = seconds % 60;
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{seconds}s"),
        (0, _, _) => format!("{hours}h{minutes}m{seconds}s"),
        (_, _, _) => format!("{days}d{hours}h{minutes}m{seconds}s"),
    }
}
