//! What grows with the number of services: processes, memory, the time to start them; and whether anything happens at rest.

use super::super::table::{median, ratio};
use super::processes;
use super::stage::Stage;
use super::supervisor::{Kind, Supervisor};
use crate::failure::Result;
use std::path::Path;
use std::time::Duration;

const COUNTS: [usize; 4] = [1, 20, 100, 1000];
/// How long rest is watched.
const REST: Duration = Duration::from_secs(30);

/// What one run gave.
struct Outcome {
    processes: usize,
    pss_kib: u64,
    start_ms: f64,
    wakeups: Option<u64>,
}

/// Prints a row per number of services and supervisor.
pub fn compare(ours: &Path, rounds: usize) -> Result<()> {
    println!(
        "\n| services | supervisor | its processes | PSS KiB | ours / it | all started ms | ours / it | wake-ups in 30 s |"
    );
    println!("|---:|---|---:|---:|---:|---:|---:|---:|");
    for count in COUNTS {
        let mut outcomes = Kind::ALL.map(|_| Vec::new());
        for round in 0..rounds.max(1) {
            for (kind, outcomes) in Kind::ALL.into_iter().zip(&mut outcomes) {
                eprintln!("{count} services of {} …", kind.name());
                let rests = round == 0 && Some(&count) == COUNTS.last();
                outcomes.push(one(kind, ours, count, rests)?);
            }
        }
        print_rows(count, &outcomes);
    }
    Ok(())
}

fn one(kind: Kind, ours: &Path, count: usize, rests: bool) -> Result<Outcome> {
    let stage = Stage::new()?;
    stage.fill(count)?;
    let (supervisor, starts) = Supervisor::start_on(&stage, kind, ours, count)?;
    let last = starts.iter().map(|start| start.at).max().unwrap_or(supervisor.begun);
    let start_ms = (last - supervisor.begun).as_secs_f64() * 1000.0;
    let pids = settled(&supervisor, &stage)?;
    let pss: Result<Vec<u64>> = pids.iter().map(|&pid| processes::pss_kib(pid)).collect();
    let wakeups = if rests {
        let before = sum(&pids)?;
        std::thread::sleep(REST);
        Some(sum(&pids)?.saturating_sub(before))
    } else {
        None
    };
    Ok(Outcome { processes: pids.len(), pss_kib: pss?.iter().sum(), start_ms, wakeups })
}

/// The supervisor's processes once none of them was woken up for a second, or ten have passed.
fn settled(supervisor: &Supervisor, stage: &Stage) -> Result<Vec<u32>> {
    let mut before = u64::MAX;
    for _ in 0..10 {
        let pids = supervisor.processes(stage);
        let now = sum(&pids)?;
        if now == before {
            return Ok(pids);
        }
        before = now;
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(supervisor.processes(stage))
}

fn sum(pids: &[u32]) -> Result<u64> {
    pids.iter().map(|&pid| processes::wakeups(pid)).sum()
}

#[expect(clippy::cast_precision_loss, reason = "numbers for people")]
fn print_rows(count: usize, outcomes: &[Vec<Outcome>]) {
    let pss = |all: &[Outcome]| median(all.iter().map(|one| one.pss_kib as f64).collect());
    let start = |all: &[Outcome]| median(all.iter().map(|one| one.start_ms).collect());
    let Some(ours) = outcomes.last() else { return };
    for (kind, all) in Kind::ALL.into_iter().zip(outcomes) {
        let processes = all.first().map_or(0, |one| one.processes);
        let wakeups = all.iter().find_map(|one| one.wakeups).map_or_else(String::new, |count| count.to_string());
        let is_ours = kind == Kind::Ours;
        let against = |our: f64, its: f64| if is_ours { String::new() } else { ratio(our, its) };
        println!(
            "| {count} | {} | {processes} | {:.0} | {} | {:.0} | {} | {wakeups} |",
            kind.name(),
            pss(all),
            against(pss(ours), pss(all)),
            start(all),
            against(start(ours), start(all)),
        );
    }
}
