//! Answers of the NATS service protocol (ADR-32): `$SRV.PING`, `$SRV.INFO`, `$SRV.STATS`, each also with name and id.

use crate::flags::Program;
use interfaces::time::rfc3339;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// The queue group of endpoints, so that of several instances one answers (the default of ADR-32).
pub(crate) const QUEUE: &str = "q";

/// What the service protocol asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Ping,
    Info,
    Stats,
}

#[derive(Debug, Default)]
struct Endpoint {
    name: String,
    subject: String,
    requests: u64,
    errors: u64,
    last_error: String,
    busy: Duration,
}

/// The identity of one running daemon and the counters of its endpoints.
#[derive(Debug)]
pub(crate) struct Service {
    program: Program,
    id: String,
    started: String,
    endpoints: Vec<Endpoint>,
}

impl Service {
    pub(crate) fn new(program: Program, id: String) -> Self {
        Self { program, id, started: rfc3339(SystemTime::now()), endpoints: Vec::new() }
    }

    /// The subjects to subscribe, each with its verb.
    pub(crate) fn subjects(&self) -> Vec<(Verb, String)> {
        let verbs = [(Verb::Ping, "PING"), (Verb::Info, "INFO"), (Verb::Stats, "STATS")];
        let (name, id) = (self.program.name, &self.id);
        let of = |(verb, word)| {
            let all = [format!("$SRV.{word}"), format!("$SRV.{word}.{name}"), format!("$SRV.{word}.{name}.{id}")];
            all.map(|subject| (verb, subject))
        };
        verbs.into_iter().flat_map(of).collect()
    }

    /// Adds an endpoint and returns its number.
    pub(crate) fn add(&mut self, name: &str, subject: &str) -> usize {
        self.endpoints.push(Endpoint { name: name.into(), subject: subject.into(), ..Endpoint::default() });
        self.endpoints.len() - 1
    }

    /// Counts a served request.
    pub(crate) fn served(&mut self, endpoint: usize, busy: Duration) {
        if let Some(endpoint) = self.endpoints.get_mut(endpoint) {
            endpoint.requests += 1;
            endpoint.busy += busy;
        }
    }

    /// Counts an error answer.
    pub(crate) fn failed(&mut self, endpoint: usize, code: u16, text: &str) {
        if let Some(endpoint) = self.endpoints.get_mut(endpoint) {
            endpoint.errors += 1;
            endpoint.last_error = format!("{code}:{text}");
        }
    }

    /// The answer to a verb.
    pub(crate) fn answer(&self, verb: Verb) -> Value {
        let kind = match verb {
            Verb::Ping => "ping",
            Verb::Info => "info",
            Verb::Stats => "stats",
        };
        let mut answer = json!({
            "type": format!("io.nats.micro.v1.{kind}_response"),
            "name": self.program.name,
            "id": self.id,
            "version": env!("CARGO_PKG_VERSION"),
            "metadata": {},
        });
        let more = match verb {
            Verb::Ping => json!({}),
            Verb::Info => json!({"description": self.program.summary, "endpoints": self.infos()}),
            Verb::Stats => json!({"started": self.started, "endpoints": self.stats()}),
        };
        if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
            answer.extend(more);
        }
        answer
    }

    fn infos(&self) -> Vec<Value> {
        let info = |e: &Endpoint| json!({"name": e.name, "subject": e.subject, "queue_group": QUEUE, "metadata": {}});
        self.endpoints.iter().map(info).collect()
    }

    fn stats(&self) -> Vec<Value> {
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let stat = |e: &Endpoint| {
            json!({
                "name": e.name, "subject": e.subject, "queue_group": QUEUE,
                "num_requests": e.requests, "num_errors": e.errors, "last_error": e.last_error,
                "processing_time": nanos(e.busy),
                "average_processing_time": nanos(e.busy).checked_div(e.requests).unwrap_or(0),
            })
        };
        self.endpoints.iter().map(stat).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: Program = Program { name: "natsx", summary: "an example", flags: &[] };

    #[test]
    fn answers_have_the_fields_of_the_protocol() {
        let mut service = Service::new(PROGRAM, "1d".into());
        let list = service.add("list", "x.list");
        service.served(list, Duration::from_nanos(10));
        service.served(list, Duration::from_nanos(20));
        service.failed(list, 404, "no such thing");
        let ping = service.answer(Verb::Ping);
        assert_eq!((&ping["type"], &ping["id"]), (&json!("io.nats.micro.v1.ping_response"), &json!("1d")));
        assert_eq!(service.answer(Verb::Info)["endpoints"][0]["subject"], "x.list");
        let stats = &service.answer(Verb::Stats)["endpoints"][0];
        assert_eq!((&stats["num_requests"], &stats["average_processing_time"]), (&json!(2), &json!(15)));
        assert_eq!(stats["last_error"], "404:no such thing");
    }

    #[test]
    fn it_listens_by_verb_name_and_id() {
        let subjects = Service::new(PROGRAM, "1d".into()).subjects();
        assert_eq!(subjects.len(), 9);
        assert!(subjects.contains(&(Verb::Stats, "$SRV.STATS.natsx.1d".into())));
    }
}
