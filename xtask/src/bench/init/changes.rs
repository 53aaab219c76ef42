//! From a change of the directory to what follows from it: a service added, one removed, and the whole directory swapped for another
//! generation on a read-only mount.

use super::super::table::ratio;
use super::restarts::milliseconds;
use super::stage::{Stage, Start, name};
use super::supervisor::{Kind, Supervisor, until_gone};
use crate::failure::{Context, Failure, Result};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const SERVICES: usize = 20;
/// How long whatever should not happen has for happening.
const QUIET: Duration = Duration::from_millis(500);
/// How long a supervisor has to notice: the slowest looks every five seconds.
const NOTICE: Duration = Duration::from_secs(12);

/// Prints a row per supervisor for each kind of change.
pub fn compare(ours: &Path) -> Result<()> {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        eprintln!("changes for {} …", kind.name());
        let ((added, removed), told) = add_and_remove(kind, ours)?;
        rows.push((kind, told, added, removed, swap(kind, ours)?));
    }
    println!(
        "\n| supervisor | told by a command | added → running ms | ours / it | removed → stopped ms | ours / it | swap of {SERVICES} on a read-only mount |"
    );
    println!("|---|---|---:|---:|---:|---:|---|");
    let Some((_, _, our_added, our_removed, _)) = rows.last().cloned() else { return Ok(()) };
    for (kind, told, added, removed, swapped) in rows {
        let against = |our: f64, its: f64| if kind == Kind::Ours { String::new() } else { ratio(our, its) };
        let told = if told { "yes" } else { "no" };
        println!(
            "| {} | {told} | {added:.0} | {} | {removed:.0} | {} | {swapped} |",
            kind.name(),
            against(our_added, added),
            against(our_removed, removed)
        );
    }
    Ok(())
}

/// The times of both, and whether the supervisor had to be told.
fn add_and_remove(kind: Kind, ours: &Path) -> Result<((f64, f64), bool)> {
    let stage = Stage::new()?;
    stage.fill(SERVICES)?;
    let (supervisor, _) = Supervisor::start_on(&stage, kind, ours, SERVICES)?;
    std::thread::sleep(QUIET * 4);
    let new = stage.services().join("new");
    let begun = Instant::now();
    stage.service(&new)?;
    let told = supervisor.tell()?;
    let start = stage.next(NOTICE)?;
    let added = milliseconds(start.at - begun);
    std::thread::sleep(QUIET * 4);
    let begun = Instant::now();
    let away = stage.folder.join("away");
    fs::rename(&new, &away).at(&new)?;
    supervisor.tell()?;
    let removed = milliseconds(until_gone(start.pid)? - begun);
    Ok(((added, removed), told))
}

/// What became of twenty services when the link to them led to another generation: one changed, one removed, one added.
fn swap(kind: Kind, ours: &Path) -> Result<String> {
    let stage = Stage::new()?;
    let store = stage.folder.join("store");
    for (generation, numbers) in [("gen1", 0..SERVICES), ("gen2", 0..SERVICES + 1)] {
        for number in numbers.filter(|&number| generation == "gen1" || number != 2) {
            let place =
                store.join(if generation == "gen2" && number == 1 { "changed".to_owned() } else { name(number) });
            if !place.exists() {
                stage.service(&place)?;
                fs::write(place.join("version"), generation).at(&place)?;
            }
            let link = store.join(generation).join(name(number));
            crate::project::make_folder(&store.join(generation))?;
            symlink(&place, &link).at(&link)?;
        }
    }
    let profile = stage.folder.join("profile");
    symlink(store.join("gen1"), &profile).at(&profile)?;
    let supervisor = Supervisor::start_by(kind, ours, &profile, |command| read_only(command, kind, &store))?;
    let mut running: BTreeMap<String, Start> = BTreeMap::new();
    while let Ok(start) = stage.next(if running.is_empty() { NOTICE } else { QUIET }) {
        running.insert(place_of(start.pid)?, start);
    }
    if running.len() != SERVICES {
        return Ok(format!("starts {} of {SERVICES}", running.len()));
    }
    std::thread::sleep(QUIET * 4);
    let next = stage.folder.join("next");
    symlink(store.join("gen2"), &next).at(&next)?;
    let begun = Instant::now();
    fs::rename(&next, &profile).at(&profile)?;
    supervisor.tell()?;
    outcome(&stage, &running, begun)
}

/// The command in a mount namespace of its own, where the store cannot be written to.
fn read_only(mut command: Command, kind: Kind, store: &Path) -> Command {
    if kind == Kind::Ours {
        command.arg("--store").arg(store);
    }
    let mut within = Command::new("unshare");
    let script = format!("mount --bind {0} {0} && mount -o remount,bind,ro {0}", store.display());
    within.args(["--mount", "--map-root-user", "sh", "-c", &format!("{script} && exec \"$@\"")]).arg("sh");
    within.arg(command.get_program()).args(command.get_args());
    within
}

/// The folder that the process runs in, by its last name.
fn place_of(pid: u32) -> Result<String> {
    let path: PathBuf = fs::read_link(format!("/proc/{pid}/cwd")).context("a service")?;
    Ok(path.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Exactly one started anew, one started, one ended, and how long that took; or what else happened.
fn outcome(stage: &Stage, running: &BTreeMap<String, Start>, begun: Instant) -> Result<String> {
    let mut started = BTreeMap::new();
    while let Ok(start) = stage.next(if started.is_empty() { NOTICE } else { QUIET }) {
        started.insert(place_of(start.pid)?, start.at);
    }
    let (changed, added) = ("changed".to_owned(), name(SERVICES));
    let ends =
        [name(1), name(2)].map(|name| running.get(&name).is_some_and(|start| !super::processes::exists(start.pid)));
    let untouched = running.values().filter(|start| super::processes::exists(start.pid)).count();
    let is_exact = started.len() == 2 && started.contains_key(&changed) && started.contains_key(&added);
    if !is_exact || ends != [true, true] || untouched != SERVICES - 2 {
        let names: Vec<&String> = started.keys().collect();
        return Ok(format!("started {names:?}, {untouched} of {SERVICES} go on"));
    }
    let last = started.values().max().copied().ok_or_else(|| Failure::new("nothing started"))?;
    Ok(format!("exact, {:.0} ms", milliseconds(last - begun)))
}
