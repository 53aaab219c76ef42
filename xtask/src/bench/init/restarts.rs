//! From the death of a service to the next: one that ran well, one that dies again and again, all at once.

use super::super::table::{median, ratio};
use super::stage::{PATIENCE, Stage, Start};
use super::supervisor::{Kind, Supervisor, send};
use crate::failure::{Failure, Result};
use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};

const SERVICES: usize = 100;
/// Crashes of the service that dies as soon as it runs.
const LOOP: usize = 4;
/// After this all supervisors take a service for sound: those of runit and s6 start it again at once, or after their second.
const SOUND: Duration = Duration::from_millis(1500);

/// After this one that crashed is sound again for lunix-init, too.
const ALL_SOUND: Duration = Duration::from_secs(11);

/// What one supervisor did, in milliseconds.
struct Outcome {
    each: Vec<f64>,
    crash_loop: Vec<f64>,
    all: f64,
}

/// Prints a row per supervisor.
pub fn compare(ours: &Path, rounds: usize) -> Result<()> {
    let mut outcomes: [Vec<Outcome>; 3] = Kind::ALL.map(|_| Vec::new());
    let per_round = SERVICES.div_ceil(rounds.max(1));
    for _ in 0..rounds.max(1) {
        for (kind, outcomes) in Kind::ALL.into_iter().zip(&mut outcomes) {
            eprintln!("{per_round} restarts by {} …", kind.name());
            outcomes.push(one(kind, ours, per_round)?);
        }
    }
    println!(
        "\n| supervisor | death → running p50 ms | p99 | ours / it (p50) | one that dies at once, ms each | {SERVICES} killed → all running ms | ours / it |"
    );
    println!("|---|---:|---:|---:|---|---:|---:|");
    let each = |all: &[Outcome]| all.iter().flat_map(|one| one.each.iter().copied()).collect::<Vec<f64>>();
    let together = |all: &[Outcome]| median(all.iter().map(|one| one.all).collect());
    let Some(our) = outcomes.last() else { return Ok(()) };
    for (kind, all) in Kind::ALL.into_iter().zip(&outcomes) {
        let against = |our: f64, its: f64| if kind == Kind::Ours { String::new() } else { ratio(our, its) };
        let crashes = all.first().map(|one| one.crash_loop.iter().map(|ms| format!("{ms:.1}")).collect::<Vec<_>>());
        println!(
            "| {} | {:.2} | {:.1} | {} | {} | {:.0} | {} |",
            kind.name(),
            median(each(all)),
            percentile(each(all), 99),
            against(median(each(our)), median(each(all))),
            crashes.unwrap_or_default().join(", "),
            together(all),
            against(together(our), together(all)),
        );
    }
    Ok(())
}

fn one(kind: Kind, ours: &Path, kills: usize) -> Result<Outcome> {
    let stage = Stage::new()?;
    stage.fill(SERVICES)?;
    let (_supervisor, mut running) = Supervisor::start_on(&stage, kind, ours, SERVICES)?;
    std::thread::sleep(SOUND);
    let mut each = Vec::new();
    for place in 0..kills {
        let victim = running.get_mut(place).ok_or_else(|| Failure::new("too many kills"))?;
        each.push(restart(&stage, victim)?);
    }
    std::thread::sleep(ALL_SOUND);
    let mut last = *running.last().ok_or_else(|| Failure::new("no service"))?;
    let crash_loop = (0..LOOP).map(|_| restart(&stage, &mut last)).collect::<Result<Vec<f64>>>()?;
    if let Some(slot) = running.last_mut() {
        *slot = last;
    }
    std::thread::sleep(ALL_SOUND);
    let begun = Instant::now();
    running.iter().try_for_each(|service| send(service.pid, Signal::KILL))?;
    let back = stage.starts(SERVICES)?;
    let end = back.iter().map(|start| start.at).max().unwrap_or(begun);
    Ok(Outcome { each, crash_loop, all: milliseconds(end - begun) })
}

/// Kills the service and waits for its next process, which takes its place.
fn restart(stage: &Stage, service: &mut Start) -> Result<f64> {
    stage.forget();
    let begun = Instant::now();
    send(service.pid, Signal::KILL)?;
    *service = stage.next(PATIENCE)?;
    Ok(milliseconds(service.at - begun))
}

pub fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// The value that so many percent do not exceed.
fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(place).copied().unwrap_or(0.0)
}
