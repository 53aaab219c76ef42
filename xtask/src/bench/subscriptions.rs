//! Many subscriptions with wildcards: what one costs in memory and time, and what finding the right ones costs per message.

use super::server::{Connection, Kind, Server};
use super::table::{median, ratio};
use crate::failure::{Context, Failure, Result};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How many subscriptions, and how the row is called.
const COUNTS: [(&str, usize); 3] = [("1 k", 1_000), ("100 k", 100_000), ("1 M", 1_000_000)];

/// Subscriptions and messages are sent in pieces of so many, each waited for: a server may cut a client that is behind.
const PIECE: usize = 10_000;

/// Different subjects that are published to.
const SUBJECTS: usize = 50_000;

/// The reference has no ceiling for memory; ours must not be in the way.
const LIMITS: &str = "max_memory: 4GB\nmax_memory_per_user: 4GB\n";

/// What one run gave.
#[derive(Clone, Copy)]
struct Outcome {
    bytes_each: f64,
    subscribing_ms: f64,
    distinct_us: f64,
    same_us: f64,
}

type Column = (&'static str, fn(&Outcome) -> f64);

const COLUMNS: [Column; 4] = [
    ("bytes each", |one| one.bytes_each),
    ("time to subscribe, ms", |one| one.subscribing_ms),
    ("CPU per message, distinct subjects, µs", |one| one.distinct_us),
    ("CPU per message, one subject, µs", |one| one.same_us),
];

/// Runs every row on both servers, `rounds` times in turn, and prints medians.
pub fn compare(servers: &[(Kind, PathBuf); 2], seconds: f64, rounds: usize) -> Result<()> {
    println!("\n| wildcard subscriptions | nats-server | lunix-bus | ours / peer |\n|---|---:|---:|---:|");
    let folder = testkit::TempDir::new("bench").map_err(|error| Failure::new(error.to_string()))?;
    let limits = folder.path().join("limits.conf");
    fs::write(&limits, LIMITS).at(&limits)?;
    for (name, count) in COUNTS {
        let mut outcomes = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for ((kind, program), outcomes) in servers.iter().zip(&mut outcomes) {
                eprintln!("{name} subscriptions on {} …", kind.name());
                let arguments = match kind {
                    Kind::Reference => Vec::new(),
                    Kind::Ours => vec!["-c".to_owned(), limits.display().to_string()],
                };
                let server = Server::start_with(program, |_| arguments.clone())?;
                outcomes.push(run(&server, count, seconds)?);
            }
        }
        for (column, value) in COLUMNS {
            let [peer, ours] = outcomes.each_ref().map(|runs| median(runs.iter().map(value).collect()));
            println!("| {name}: {column} | {peer:.2} | {ours:.2} | {} |", ratio(ours, peer));
        }
    }
    Ok(())
}

/// One client subscribes to `wild.N.*`, another publishes to subjects of which each one has exactly one receiver.
fn run(server: &Server, count: usize, seconds: f64) -> Result<Outcome> {
    let mut subscriber = server.connect()?;
    subscriber.sync()?;
    let before_kib = server.rss_kib()?;
    let begun = Instant::now();
    let mut lines = String::new();
    for first in (0..count).step_by(PIECE) {
        lines.clear();
        for number in first..count.min(first + PIECE) {
            lines.push_str(&format!("SUB wild.{number}.* {number}\r\n"));
        }
        subscriber.send(lines.as_bytes())?;
        subscriber.sync()?;
    }
    let subscribing_ms = begun.elapsed().as_secs_f64() * 1e3;
    let grown_kib = server.rss_kib()?.saturating_sub(before_kib);
    let mut publisher = server.connect()?;
    // A step that shares no factor with the counts visits all of them in no order that a cache would like.
    let distinct = |number: usize| format!("PUB wild.{}.{} 2\r\nhi\r\n", number * 7919 % count, number % SUBJECTS);
    let distinct_us = per_message(server, [&mut publisher, &mut subscriber], distinct, seconds)?;
    let same_us =
        per_message(server, [&mut publisher, &mut subscriber], |_| "PUB wild.7.x 2\r\nhi\r\n".into(), seconds)?;
    #[expect(clippy::cast_precision_loss, reason = "a table for people")]
    let bytes_each = (grown_kib * 1024) as f64 / count as f64;
    Ok(Outcome { bytes_each, subscribing_ms, distinct_us, same_us })
}

/// Publishes for that long. Returns the server's CPU time per message in microseconds.
fn per_message(
    server: &Server,
    [publisher, subscriber]: [&mut Connection; 2],
    message: impl Fn(usize) -> String,
    seconds: f64,
) -> Result<f64> {
    publisher.sync()?;
    let before = server.cpu()?;
    let (end, mut sent) = (Instant::now() + Duration::from_secs_f64(seconds), 0);
    while sent == 0 || Instant::now() < end {
        let batch: String = (sent..sent + PIECE).map(&message).collect();
        publisher.send(batch.as_bytes())?;
        // A subscriber's PONG comes after the messages that were sent before its PING.
        publisher.sync()?;
        subscriber.sync()?;
        sent += PIECE;
    }
    let cpu = server.cpu()?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "a table for people")]
    let messages = sent as f64;
    Ok(cpu.as_secs_f64() * 1e6 / messages)
}
