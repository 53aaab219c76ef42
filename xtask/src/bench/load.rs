//! Load on a server: prebuilt frames, a bounded window, the server's CPU time per message.

use super::server::{Connection, Kind, Server};
use super::table::{median, ratio};
use crate::failure::{Failure, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes under way to the slowest subscriber at most.
const WINDOW: u64 = 1 << 20;

/// One row: so many publishers and subscribers, and payload bytes. Without subscribers nobody receives.
#[derive(Clone, Copy)]
struct Flow {
    publishers: usize,
    subscribers: usize,
    size: usize,
}

const FLOWS: [(&str, Flow); 9] = [
    ("pub only, 16 B", Flow { publishers: 1, subscribers: 0, size: 16 }),
    ("pub only, 1 KiB", Flow { publishers: 1, subscribers: 0, size: 1024 }),
    ("1:1, 16 B", Flow { publishers: 1, subscribers: 1, size: 16 }),
    ("1:1, 128 B", Flow { publishers: 1, subscribers: 1, size: 128 }),
    ("1:1, 1 KiB", Flow { publishers: 1, subscribers: 1, size: 1024 }),
    ("1:1, 16 KiB", Flow { publishers: 1, subscribers: 1, size: 16 * 1024 }),
    ("1:10, 128 B", Flow { publishers: 1, subscribers: 10, size: 128 }),
    ("1:100, 128 B", Flow { publishers: 1, subscribers: 100, size: 128 }),
    ("10:1, 128 B", Flow { publishers: 10, subscribers: 1, size: 128 }),
];

/// What a run gave: messages in and out per second, and the server's CPU time for each.
struct Outcome {
    per_second: f64,
    cpu_us: f64,
}

/// Runs every row on both servers, `rounds` times in turn, and prints medians.
pub fn compare(servers: &[(Kind, PathBuf); 2], seconds: f64, rounds: usize) -> Result<()> {
    println!(
        "\n| load | nats-server µs CPU/msg | lunix-bus | ours / peer | nats-server msg/s | lunix-bus | ours / peer |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (name, flow) in FLOWS {
        let [peer, ours] = rounds_of(servers, rounds, |server| flow_run(server, flow, seconds))?;
        print_row(name, &peer, &ours);
    }
    Ok(())
}

fn rounds_of(
    servers: &[(Kind, PathBuf); 2],
    rounds: usize,
    run: impl Fn(&Server) -> Result<Outcome>,
) -> Result<[Vec<Outcome>; 2]> {
    let mut outcomes = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for ((kind, program), outcomes) in servers.iter().zip(&mut outcomes) {
            eprintln!("load on {} …", kind.name());
            let server = Server::start(program)?;
            outcomes.push(run(&server)?);
        }
    }
    Ok(outcomes)
}

fn print_row(name: &str, peer: &[Outcome], ours: &[Outcome]) {
    let cpu = |outcomes: &[Outcome]| median(outcomes.iter().map(|one| one.cpu_us).collect());
    let rate = |outcomes: &[Outcome]| median(outcomes.iter().map(|one| one.per_second).collect());
    println!(
        "| {name} | {:.3} | {:.3} | {} | {:.0} | {:.0} | {} |",
        cpu(peer),
        cpu(ours),
        ratio(cpu(ours), cpu(peer)),
        rate(peer),
        rate(ours),
        ratio(rate(ours), rate(peer))
    );
}

#[expect(clippy::cast_precision_loss, reason = "rates for people")]
fn outcome(messages: u64, elapsed: Duration, cpu: Duration) -> Outcome {
    let messages = messages.max(1) as f64;
    Outcome { per_second: messages / elapsed.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / messages }
}

/// Publishers send whole batches as long as the slowest subscriber keeps up; subscribers count bytes.
fn flow_run(server: &Server, flow: Flow, seconds: f64) -> Result<Outcome> {
    let stop = Arc::new(AtomicBool::new(false));
    let received: Vec<Arc<AtomicU64>> = (0..flow.subscribers).map(|_| Arc::default()).collect();
    let payload = "x".repeat(flow.size);
    let message = format!("MSG load 1 {}\r\n{payload}\r\n", flow.size).len() as u64;
    let mut readers = Vec::new();
    for counter in &received {
        let mut connection = server.connect()?;
        connection.send(b"SUB load 1\r\n")?;
        connection.sync()?;
        readers.push(count(connection, Arc::clone(counter)));
    }
    let frame = format!("PUB load {}\r\n{payload}\r\n", flow.size);
    let per_batch = (64 * 1024 / frame.len()).max(1);
    let batch = Arc::new(frame.repeat(per_batch));
    let published = Arc::new(AtomicU64::new(0));
    let cpu_before = server.cpu()?;
    let begun = Instant::now();
    let mut writers = Vec::new();
    for _ in 0..flow.publishers {
        let mut connection = server.connect()?;
        connection.sync()?;
        let (stop, batch, published, received) =
            (Arc::clone(&stop), Arc::clone(&batch), Arc::clone(&published), received.clone());
        writers.push(thread::spawn(move || -> Result<()> {
            while !stop.load(Ordering::Relaxed) {
                let slowest = received.iter().map(|count| count.load(Ordering::Relaxed)).min();
                let sent = published.load(Ordering::Relaxed) * message;
                if slowest.is_some_and(|slowest| sent.saturating_sub(slowest) > WINDOW) {
                    thread::yield_now();
                    continue;
                }
                connection.send(batch.as_bytes())?;
                published.fetch_add(per_batch as u64, Ordering::Relaxed);
            }
            connection.sync()
        }));
    }
    thread::sleep(Duration::from_secs_f64(seconds));
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.join().map_err(|_| Failure::new("a publisher failed"))??;
    }
    let total = published.load(Ordering::Relaxed);
    let deadline = Instant::now() + Duration::from_secs(60);
    while received.iter().any(|count| count.load(Ordering::Relaxed) < total * message) && Instant::now() < deadline {
        thread::yield_now();
    }
    let (elapsed, cpu) = (begun.elapsed(), server.cpu()?.saturating_sub(cpu_before));
    drop(readers);
    if let Some(count) =
        received.iter().map(|count| count.load(Ordering::Relaxed)).find(|count| *count != total * message)
    {
        return Err(Failure::new(format!("{count} of {} bytes arrived: the server lost messages", total * message)));
    }
    Ok(outcome(total + total * flow.subscribers as u64, elapsed, cpu))
}

/// Counts received bytes until the end.
fn count(mut connection: Connection, counter: Arc<AtomicU64>) -> thread::JoinHandle<()> {
    use std::io::BufRead;
    thread::spawn(move || {
        loop {
            match connection.reader.fill_buf().map(<[u8]>::len) {
                Ok(0) | Err(_) => return,
                Ok(length) => {
                    connection.reader.consume(length);
                    counter.fetch_add(length as u64, Ordering::Relaxed);
                }
            }
        }
    })
}
