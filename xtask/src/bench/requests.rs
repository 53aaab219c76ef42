//! Requests and answers: how long a round trip takes through each server, and through a bare relay.

use super::relay::Relay;
use super::server::{Connection, Kind, Server, unix_name};
use super::table::{median, ratio};
use crate::failure::{Failure, Result};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// One row: so many requesters, payload bytes.
#[derive(Clone, Copy)]
struct Requests {
    requesters: usize,
    size: usize,
}

const REQUESTS: [(&str, Requests); 3] = [
    ("requests, 1 × 16 B", Requests { requesters: 1, size: 16 }),
    ("requests, 1 × 1 KiB", Requests { requesters: 1, size: 1024 }),
    ("requests, 10 × 128 B", Requests { requesters: 10, size: 128 }),
];

/// What carries the requests.
#[derive(Clone, Copy)]
enum Through {
    Reference,
    Ours,
    OursUnix,
    Relay,
}

const ALL: [Through; 4] = [Through::Reference, Through::Ours, Through::OursUnix, Through::Relay];

/// Round trips, sorted, in microseconds.
type Trips = Vec<f64>;

/// Runs every row through everything, `rounds` times in turn, and prints medians.
pub fn compare(servers: &[(Kind, PathBuf); 2], seconds: f64, rounds: usize) -> Result<()> {
    println!(
        "\n| round trip p50, µs | nats-server | lunix-bus | ours / peer | bare relay | ours / relay | unix socket |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let mut tails = Vec::new();
    for (name, requests) in REQUESTS {
        let mut trips: [Vec<Trips>; 4] = [const { Vec::new() }; 4];
        for _ in 0..rounds {
            for (through, trips) in ALL.into_iter().zip(&mut trips) {
                trips.push(run(servers, through, requests, seconds)?);
            }
        }
        let at = |share: f64| {
            trips.each_ref().map(|rounds| median(rounds.iter().map(|one| percentile(one, share)).collect()))
        };
        println!("{}", row(name, at(0.5)));
        tails.push(row(name, at(0.99)));
    }
    println!(
        "\n| round trip p99, µs | nats-server | lunix-bus | ours / peer | bare relay | ours / relay | unix socket |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    tails.iter().for_each(|row| println!("{row}"));
    Ok(())
}

fn row(name: &str, [peer, ours, unix, relay]: [f64; 4]) -> String {
    let (to_peer, to_relay) = (ratio(ours, peer), ratio(ours, relay));
    format!("| {name} | {peer:.0} | {ours:.0} | {to_peer} | {relay:.0} | {to_relay} | {unix:.0} |")
}

fn run(servers: &[(Kind, PathBuf); 2], through: Through, requests: Requests, seconds: f64) -> Result<Trips> {
    let program =
        |wanted: Kind| servers.iter().find(|(kind, _)| *kind == wanted).map_or(Path::new(""), |(_, path)| path);
    match through {
        Through::Reference => {
            through_server(&Server::start(program(Kind::Reference))?, Server::connect, requests, seconds)
        }
        Through::Ours => through_server(&Server::start(program(Kind::Ours))?, Server::connect, requests, seconds),
        Through::OursUnix => {
            let socket = |port| vec!["--unix".to_owned(), format!("@{}", unix_name(port))];
            let server = Server::start_with(program(Kind::Ours), socket)?;
            through_server(&server, Server::connect_unix, requests, seconds)
        }
        Through::Relay => through_relay(&Relay::start()?, requests, seconds),
    }
}

/// Requesters ask one responder, each the next request after the last answer.
fn through_server(
    server: &Server,
    connect: impl Fn(&Server) -> Result<Connection>,
    requests: Requests,
    seconds: f64,
) -> Result<Trips> {
    let payload = "x".repeat(requests.size);
    let mut responder = connect(server)?;
    responder.send(b"SUB service 1\r\n")?;
    responder.sync()?;
    let body = payload.clone();
    let answering = thread::spawn(move || answer(responder, &body));
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut askers = Vec::new();
    for number in 0..requests.requesters {
        let mut connection = connect(server)?;
        connection.send(format!("SUB inbox.{number} 1\r\n").as_bytes())?;
        connection.sync()?;
        let frame = format!("PUB service inbox.{number} {}\r\n{payload}\r\n", requests.size);
        let answer_bytes = payload.len() as u64 + 2;
        askers.push(thread::spawn(move || {
            trips_until(end, || {
                connection.send(frame.as_bytes())?;
                while !connection.line()?.starts_with("MSG") {}
                connection.skip(answer_bytes)
            })
        }));
    }
    drop(answering);
    join(askers)
}

/// The same through a bare relay, with frames of about the same size.
fn through_relay(relay: &Relay, requests: Requests, seconds: f64) -> Result<Trips> {
    let frame = format!("PUB service inbox.0 {}\r\n{}\r\n", requests.size, "x".repeat(requests.size)).into_bytes();
    let hello = u32::try_from(frame.len()).map_or([0; 4], u32::to_le_bytes);
    let mut responder = Connection::tcp(relay.port)?;
    responder.send(&hello)?;
    let mut answer = frame.clone();
    let answering = thread::spawn(move || -> Result<()> {
        while responder.reader.read_exact(&mut answer).is_ok() {
            responder.send(&answer)?;
        }
        Ok(())
    });
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut askers = Vec::new();
    for number in 0..u16::try_from(requests.requesters).unwrap_or(1) {
        let mut connection = Connection::tcp(relay.port)?;
        connection.send(&hello)?;
        let mut frame = frame.clone();
        frame[..2].copy_from_slice(&number.to_le_bytes());
        askers.push(thread::spawn(move || {
            trips_until(end, || {
                connection.send(&frame)?;
                connection.skip(frame.len() as u64)
            })
        }));
    }
    drop(answering);
    join(askers)
}

fn trips_until(end: Instant, mut trip: impl FnMut() -> Result<()>) -> Result<Trips> {
    let mut trips = Vec::new();
    while Instant::now() < end {
        let asked = Instant::now();
        trip()?;
        trips.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    Ok(trips)
}

fn join(askers: Vec<thread::JoinHandle<Result<Trips>>>) -> Result<Trips> {
    let mut trips = Vec::new();
    for asker in askers {
        trips.extend(asker.join().map_err(|_| Failure::new("a requester failed"))??);
    }
    trips.sort_by(f64::total_cmp);
    Ok(trips)
}

/// Answers every request with the same payload until the connection ends.
fn answer(mut connection: Connection, payload: &str) -> Result<()> {
    loop {
        let line = connection.line()?;
        if line.is_empty() {
            return Ok(());
        }
        let mut fields = line.split_whitespace();
        if fields.next() == Some("PING") {
            connection.send(b"PONG\r\n")?;
        }
        let Some(reply) = fields.nth(2) else { continue };
        let frame = format!("PUB {reply} {}\r\n{payload}\r\n", payload.len());
        connection.skip(payload.len() as u64 + 2)?;
        connection.send(frame.as_bytes())?;
    }
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a table"
    )]
    let index = ((sorted.len() as f64) * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
