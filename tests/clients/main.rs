//! Stock clients of other people on nats-server and on our bus: each scenario must show the client the same on both.
//!
//! A client's programs are in the folder of its language. Without an argument such a program lists its scenarios; with one it plays it:
//! lines `! VERB …` ask this runner for a server or do something to one (see [`control`]), lines `- …` tell what the client saw, and
//! `done` ends the play. All else (such as `# …`, every callback as it comes) is only shown when the scenario fails.
//! What it saw on nats-server is what it must see on ours.
#![forbid(unsafe_code)]

mod certificates;
mod client;
mod control;
mod identity;
mod play;
mod server;

use client::Client;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use testkit::Result;
use testkit::suite::Suite;

/// Scenarios under way at once: they mostly wait.
const WORKERS: usize = 4;

/// One scenario of one client.
struct Job {
    client: Client,
    scenario: String,
}

impl Job {
    fn name(&self) -> String {
        format!("{}::{}", self.client.name(), self.scenario)
    }
}

fn main() -> ExitCode {
    let mut suite = Suite::from_arguments();
    let jobs = jobs(&mut suite);
    let next = AtomicUsize::new(0);
    let (sender, results) = channel::<(&Job, Result<()>, Duration)>();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            let (jobs, next, sender) = (&jobs, &next, sender.clone());
            scope.spawn(move || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let result = play::on_both(job.client, &job.scenario);
                    // Nobody listens any more only when the suite has ended.
                    let _ = sender.send((job, result, start.elapsed()));
                }
            });
        }
        drop(sender);
        for (job, result, time) in results {
            suite.record(&job.name(), result, time);
        }
    });
    suite.finish()
}

/// The scenarios that are wanted and can run here; what cannot is skipped with the reason.
fn jobs(suite: &mut Suite) -> Vec<Job> {
    let mut jobs = Vec::new();
    for client in Client::ALL.iter().copied() {
        if let Some(reason) = server::missing().or_else(|| client.missing()) {
            suite.skip(client.name(), &reason);
            continue;
        }
        match client.scenarios() {
            Ok(scenarios) => jobs.extend(scenarios.into_iter().map(|scenario| Job { client, scenario })),
            Err(error) => suite.record(client.name(), Err(error), Duration::ZERO),
        }
    }
    jobs.retain(|job| suite.wants(&job.name()));
    jobs
}
