//! `lunix status`: who is there.

use crate::output::{Lines, Stop};
use crate::{bus, line, service};
use init_control::{Reply, Request};
use nats_client::blocking::{Connection, Failure};
use program::{Fatal, Given, exit};
use reactor::Instant;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Daemons have answered when it has been quiet for so long.
const QUIET: Duration = Duration::from_millis(200);

/// Longest collection of answers.
const LIMIT: Duration = Duration::from_secs(2);

/// What is known of one daemon.
#[derive(Debug, Default, PartialEq, Eq)]
struct Daemon {
    /// First tokens of what it serves; `None` when it did not answer on the bus.
    domains: Option<Vec<String>>,
    /// State and remark of its service.
    service: Option<(String, String)>,
}

type Daemons = BTreeMap<String, Daemon>;

/// Prints the table. What is missing is said on standard error; nothing at all is an error.
pub(crate) fn run(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let mut daemons = Daemons::new();
    let from_bus = ask_bus(given, &mut daemons);
    let from_init = ask_init(given, &mut daemons);
    let reached = (from_bus.is_ok(), from_init.is_ok());
    for missing in [from_bus, from_init].into_iter().filter_map(Result::err) {
        program::log::line("lunix", program::Level::Warn, missing);
    }
    match reached {
        (false, false) => Err(Fatal::new(
            exit::UNAVAILABLE,
            "neither the bus nor lunix-init answers; `lunix up` starts a bus and prints the NATS_URL to set",
        )
        .into()),
        (bus, _) => lines.text(&service::table(&rows(&daemons, bus))),
    }
}

fn ask_bus(given: &Given, daemons: &mut Daemons) -> Result<(), Fatal> {
    let mut connection = bus::open(given)?;
    let inbox = format!("_INBOX.lunix.{}.{:x}", std::process::id(), Instant::now().as_nanos());
    let sid = connection.subscribe(&inbox, None);
    connection.publish("$SRV.INFO", Some(&inbox), b"", b"").map_err(bus::failed)?;
    collect(&mut connection, sid, daemons).map_err(bus::failed)
}

/// Takes answers until it is quiet.
fn collect(connection: &mut Connection, sid: u64, daemons: &mut Daemons) -> Result<(), Failure> {
    let limit = Instant::now() + LIMIT;
    loop {
        match connection.next(Some(limit.min(Instant::now() + QUIET))) {
            Ok(answer) if answer.sid == sid && !answer.is_no_responders() => take_info(&answer.payload, daemons),
            Ok(_) => {}
            Err(Failure::Timeout) => return Ok(()),
            Err(other) => return Err(other),
        }
    }
}

/// Reads an answer to `$SRV.INFO`.
fn take_info(payload: &[u8], daemons: &mut Daemons) {
    let Ok(info) = serde_json::from_slice::<Value>(payload) else { return };
    let Some(name) = info.get("name").and_then(Value::as_str) else { return };
    let endpoints = info.get("endpoints").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let subjects = endpoints.iter().filter_map(|endpoint| endpoint.get("subject").and_then(Value::as_str));
    let daemon = daemons.entry(line::escaped(name.as_bytes())).or_default();
    let domains = daemon.domains.get_or_insert_default();
    domains.extend(subjects.map(|subject| line::escaped(subject.split('.').next().unwrap_or_default().as_bytes())));
    domains.sort();
    domains.dedup();
}

fn ask_init(given: &Given, daemons: &mut Daemons) -> Result<(), Fatal> {
    let mut client = service::open(service::socket(given))?;
    service::ask(&mut client, &Request::List, |reply| {
        if let Reply::Service(row) = reply {
            let daemon = daemons.entry(row.name.to_owned()).or_default();
            daemon.service = Some((row.state.to_string(), service::remark(&row.into())));
        }
    })
}

fn rows(daemons: &Daemons, bus_answers: bool) -> Vec<Vec<String>> {
    let mut rows = vec![["DAEMON", "DOMAIN", "STATE", "REMARK"].map(str::to_owned).to_vec()];
    for (name, daemon) in daemons {
        let domains = match &daemon.domains {
            // One that takes commands only has no endpoint; its name tells.
            Some(domains) if domains.is_empty() => name.strip_prefix("nats").unwrap_or("-").to_owned(),
            Some(domains) => domains.join(" "),
            None => "-".to_owned(),
        };
        let (state, mut remark) = daemon.service.clone().unwrap_or_else(|| ("answers".to_owned(), String::new()));
        if bus_answers && daemon.domains.is_none() && name.starts_with("nats") && remark.is_empty() {
            remark = "silent on the bus".to_owned();
        }
        rows.push(vec![name.clone(), domains, state, remark]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_bus_and_of_init_meet_in_one_row() {
        let mut daemons = Daemons::new();
        take_info(
            br#"{"name":"natsps","endpoints":[{"subject":"ps.>"},{"subject":"process.list"},{"subject":"ps.x"}]}"#,
            &mut daemons,
        );
        take_info(br#"{"name":"natstoast","endpoints":[]}"#, &mut daemons);
        take_info(b"hello", &mut daemons);
        daemons.entry("natsps".into()).or_default().service = Some(("ready".into(), String::new()));
        daemons.entry("natsdev".into()).or_default().service = Some(("backoff".into(), "last exited 71".into()));
        daemons.entry("natsinit".into()).or_default().service = Some(("ready".into(), String::new()));
        daemons.entry("getty".into()).or_default().service = Some(("ready".into(), String::new()));
        let expected = [
            ["DAEMON", "DOMAIN", "STATE", "REMARK"],
            ["getty", "-", "ready", ""],
            ["natsdev", "-", "backoff", "last exited 71"],
            ["natsinit", "-", "ready", "silent on the bus"],
            ["natsps", "process ps", "ready", ""],
            ["natstoast", "toast", "answers", ""],
        ];
        assert_eq!(rows(&daemons, true), expected.map(|row| row.map(str::to_owned).to_vec()));
        assert_eq!(rows(&daemons, false)[3][3], "");
    }
}
