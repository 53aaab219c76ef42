//! A directory that is reached through links into a store: what a swap touches, what it leaves alone, and what it refuses.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{BINARY, PATIENCE, Stage, is_root, skip};
use init_control::{Client, Reply, Request, ServiceState as S, What};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const SLEEP: &str = "#!/bin/sh\nexec sleep 1000\n";

/// Writes a file of a service below `folder`; what begins with `#!` is executable.
fn file(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// `home/services -> profile/services`, `profile -> system-1`, `system-1 -> store/NAME`: as a Nix profile has it.
fn chain(stage: &Stage, first: &str) {
    fs::remove_dir(stage.services()).unwrap();
    symlink("profile/services", stage.services()).unwrap();
    symlink("system-1", stage.file("profile")).unwrap();
    symlink(stage.file("store").join(first), stage.file("system-1")).unwrap();
}

/// Makes `link` lead to `target` in one step.
fn swap(stage: &Stage, link: &str, target: &str) {
    symlink(stage.file(target), stage.file("new")).unwrap();
    fs::rename(stage.file("new"), stage.file(link)).unwrap();
}

fn pids(stage: &Stage) -> BTreeMap<String, Option<i32>> {
    stage.ask(&Request::List).unwrap().into_iter().map(|(name, row)| (name, row.pid)).collect()
}

fn with_store(stage: &Stage) -> Command {
    let mut command = stage.command();
    command.arg("--store").arg(stage.file("store"));
    command
}

/// What an event of a generation tells.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    what: What,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
    kept: u64,
    reason: String,
}

/// A watcher from now on.
fn watcher(stage: &Stage) -> Client {
    let mut watch = stage.client();
    watch.send(&Request::Watch).unwrap();
    while !matches!(watch.reply().unwrap(), Reply::End { .. }) {}
    watch
}

/// The next event of a generation, and the services that were started before it.
fn next_generation(watch: &mut Client) -> (Told, Vec<String>) {
    let mut started = Vec::new();
    loop {
        let Reply::Event(event) = watch.reply().unwrap() else { continue };
        if event.what == What::Started {
            started.extend(event.service.map(str::to_owned));
        }
        let Some(generation) = event.generation else { continue };
        let (added, changed) = (generation.added.all(), generation.changed.all());
        let (removed, kept, reason) = (generation.removed.all(), generation.kept, event.reason.to_string());
        return (Told { what: event.what, added, changed, removed, kept, reason }, started);
    }
}

#[test]
fn on_a_read_only_store_a_swap_touches_exactly_what_differs() {
    if !is_root() {
        return skip("only root can mount");
    }
    let mut stage = Stage::new();
    let store = stage.file("store");
    for number in 1..=21 {
        file(&store.join(format!("hash-s{number}")), "run", SLEEP);
    }
    file(&store.join("other-s1"), "run", "#!/bin/sh\n# changed\nexec sleep 1000\n");
    // The same content at another place in the store is no change.
    file(&store.join("other-s7"), "run", SLEEP);
    for (generation, removed) in [("gen1", 21), ("gen2", 2)] {
        let services = store.join(generation).join("services");
        fs::create_dir_all(&services).unwrap();
        for number in (1..=21).filter(|&number| number != removed) {
            let other = generation == "gen2" && (number == 1 || number == 7);
            let kind = if other { "other" } else { "hash" };
            symlink(store.join(format!("{kind}-s{number}")), services.join(format!("s{number}"))).unwrap();
        }
    }
    chain(&stage, "gen1");
    let script = format!(
        "mount --bind {0:?} {0:?} && mount -o remount,ro,bind {0:?} && ! touch {0:?}/x 2>/dev/null && exec {1:?} --services {2:?} --control {3:?} --store {0:?}",
        store,
        BINARY,
        stage.services(),
        stage.socket()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]);
    stage.start_as(command);
    for number in 1..=20 {
        stage.until_state(&format!("s{number}"), S::Ready);
    }
    let before = pids(&stage);
    let mut watch = watcher(&stage);
    let begin = Instant::now();
    swap(&stage, "system-1", "store/gen2");
    let (begun, early) = next_generation(&mut watch);
    let (done, started) = next_generation(&mut watch);
    println!("swapped and at rest after {} ms", begin.elapsed().as_millis());
    let names = |words: &str| vec![words.to_owned()];
    let told = |what| Told {
        what,
        added: names("s21"),
        changed: names("s1"),
        removed: names("s2"),
        kept: 18,
        reason: String::new(),
    };
    assert_eq!((begun, done), (told(What::GenerationBegun), told(What::GenerationDone)));
    let all: Vec<String> = early.into_iter().chain(started).collect();
    assert!(all.len() == 2 && all.contains(&"s1".to_owned()) && all.contains(&"s21".to_owned()), "{all:?}");
    let after = pids(&stage);
    assert_eq!(after.len(), 20);
    assert_ne!(before["s1"], after["s1"]);
    for number in 3..=20 {
        let name = format!("s{number}");
        assert_eq!(before[&name], after[&name], "{name}");
    }
}

#[test]
fn a_generation_that_cannot_run_is_rejected_and_the_next_one_taken() {
    let mut stage = Stage::new();
    let store = stage.file("store");
    file(&store.join("gen1/services/a"), "run", SLEEP);
    file(&store.join("gen2/services/a"), "run", "#!/bin/sh\n# new\nexec sleep 1000\n");
    file(&store.join("gen2/services/b"), "run", SLEEP);
    file(&store.join("gen2/services/b"), "timeout-kill", "soon");
    file(&store.join("gen3/services/a"), "run", SLEEP);
    file(&store.join("gen3/services/b"), "run", SLEEP);
    chain(&stage, "gen1");
    let command = with_store(&stage);
    stage.start_as(command);
    let before = stage.until_state("a", S::Ready);
    let mut watch = watcher(&stage);
    swap(&stage, "system-1", "store/gen2");
    let (rejected, _) = next_generation(&mut watch);
    assert_eq!(rejected.what, What::GenerationRejected);
    assert_eq!((rejected.added, rejected.changed), (vec!["b".to_owned()], vec!["a".to_owned()]));
    assert_eq!(rejected.reason, "b: timeout-kill: expected a number of milliseconds, found \"soon\"");
    stage.line("generation 2 is rejected, services stay as they are: b: timeout-kill");
    assert_eq!((stage.row("a").unwrap().pid, stage.row("b")), (before.pid, None));
    // It goes on to be started from the generation that runs.
    stage.ask(&Request::Restart { name: "a" }).unwrap();
    let again = stage.until("a", "started again", |row| row.state == S::Ready && row.pid != before.pid);
    let line = fs::read_link(format!("/proc/{}/cwd", again.pid.unwrap())).unwrap();
    assert_eq!(line, store.join("gen1/services/a").canonicalize().unwrap());
    swap(&stage, "system-1", "store/gen3");
    stage.until_state("b", S::Ready);
    assert_eq!(stage.row("a").unwrap().pid, again.pid);
}

#[test]
fn finish_comes_from_the_generation_that_its_run_came_from() {
    let mut stage = Stage::new();
    let store = stage.file("store");
    let out = stage.file("out").display().to_string();
    for (generation, name) in [("gen1", "goes"), ("gen1", "changes"), ("gen2", "changes")] {
        let folder = store.join(generation).join("services").join(name);
        file(&folder, "run", &format!("#!/bin/sh\n# {generation}\nexec sleep 1000\n"));
        file(&folder, "finish", &format!("#!/bin/sh\necho {generation} {name} >>{out}\n"));
    }
    chain(&stage, "gen1");
    let command = with_store(&stage);
    stage.start_as(command);
    stage.until_state("goes", S::Ready);
    let before = stage.until_state("changes", S::Ready);
    swap(&stage, "profile", "store/gen2");
    stage.until_option("goes", "gone", |row| row.is_none().then_some(()));
    let now = stage.until("changes", "changed", |row| row.state == S::Ready && row.pid != before.pid);
    let mut lines: Vec<String> = fs::read_to_string(&out).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["gen1 changes", "gen1 goes"]);
    let folder = fs::read_link(format!("/proc/{}/cwd", now.pid.unwrap())).unwrap();
    assert!(folder.ends_with("gen2/services/changes"), "{folder:?}");
}

#[test]
fn a_session_survives_a_switch_and_a_reload_is_told() {
    let mut stage = Stage::new();
    let store = stage.file("store");
    let out = stage.file("out").display().to_string();
    for generation in ["gen1", "gen2"] {
        let services = store.join(generation).join("services");
        let run = format!("#!/bin/sh\n# {generation}\nexec sleep 1000\n");
        for (name, word) in [("session", "keep"), ("display", "next-boot"), ("web", "reload"), ("plain", "reload")] {
            file(&services.join(name), "run", &run);
            file(&services.join(name), "on-change", word);
        }
        file(&services.join("web"), "reload", &format!("#!/bin/sh\necho {generation} $MAINPID >>{out}\n"));
        let trap = format!(
            "#!/bin/sh\ntrap 'echo {generation} hup >>{out}' USR1\necho ready >>{out}.plain\nwhile :; do sleep 1; done\n"
        );
        file(&services.join("plain"), "run", &trap);
        file(&services.join("plain"), "reload-signal", "USR1");
    }
    chain(&stage, "gen1");
    let command = with_store(&stage);
    stage.start_as(command);
    let names = ["session", "display", "web", "plain"];
    let before: Vec<Option<i32>> = names.iter().map(|name| stage.until_state(name, S::Ready).pid).collect();
    stage.until_file("out.plain", |text| text == "ready\n");
    swap(&stage, "profile", "store/gen2");
    let told = stage.until_file("out", |text| text.lines().count() == 2);
    assert!(told.contains(&format!("gen2 {}\n", before[2].unwrap())) && told.contains("gen1 hup\n"), "{told}");
    let after: Vec<Option<i32>> = names.iter().map(|name| stage.row(name).unwrap().pid).collect();
    assert_eq!(before, after);
    assert_eq!(stage.row("display").unwrap().reason, "changed; that counts from the next boot");
    // Started again, one is the new one and the other still the old one.
    for (name, generation) in [("session", "gen2"), ("display", "gen1")] {
        let old = stage.row(name).unwrap().pid;
        stage.ask(&Request::Restart { name }).unwrap();
        let new = stage.until(name, "started again", |row| row.state == S::Ready && row.pid != old);
        let folder = fs::read_link(format!("/proc/{}/cwd", new.pid.unwrap())).unwrap();
        assert!(folder.ends_with(format!("{generation}/services/{name}")), "{folder:?}");
    }
    // The operator may ask for it, too.
    stage.ask(&Request::Reload { name: "web" }).unwrap();
    stage.until_file("out", |text| text.lines().count() == 3);
}

#[test]
fn of_a_thousand_swaps_the_last_one_counts() {
    let mut stage = Stage::new();
    let store = stage.file("store");
    for generation in ["gen1", "gen2"] {
        file(&store.join(generation).join("services/stays"), "run", SLEEP);
        file(&store.join(generation).join("services/changes"), "run", &format!("{SLEEP}# {generation}\n"));
        file(&store.join(generation).join(format!("services/only-{generation}")), "run", SLEEP);
    }
    chain(&stage, "gen1");
    let command = with_store(&stage);
    stage.start_as(command);
    let before = stage.until_state("stays", S::Ready);
    let begin = Instant::now();
    for number in 0..1000 {
        swap(&stage, ["profile", "system-1"][number / 7 % 2], ["store/gen2", "store/gen1"][number % 2]);
    }
    swap(&stage, "profile", "store/gen2");
    println!("1001 swaps in {} ms", begin.elapsed().as_millis());
    stage.until_state("only-gen2", S::Ready);
    stage.until_option("only-gen1", "gone", |row| row.is_none().then_some(()));
    let folder = |name: &str| {
        let row = stage.until_state(name, S::Ready);
        fs::read_link(format!("/proc/{}/cwd", row.pid.unwrap())).unwrap()
    };
    let end = Instant::now() + PATIENCE;
    while !folder("changes").ends_with("gen2/services/changes") {
        assert!(Instant::now() < end, "it still runs from {:?}", folder("changes"));
    }
    assert_eq!(stage.row("stays").unwrap().pid, before.pid);
    assert_eq!(stage.ask(&Request::List).unwrap().len(), 3);
}

#[test]
fn changes_that_the_kernel_could_not_queue_are_found_all_the_same() {
    let mut stage = Stage::new();
    stage.sleeper("stays").sleeper("goes").start();
    let before = stage.until_state("stays", S::Ready);
    stage.until_state("goes", S::Ready);
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    stage.signal(sys::signal::number_of("STOP").unwrap());
    let (one, two) = (stage.services().join(".one"), stage.services().join(".two"));
    fs::write(&one, "").unwrap();
    for _ in 0..=most {
        fs::rename(&one, &two).unwrap();
        fs::rename(&two, &one).unwrap();
    }
    // These find no room in the queue.
    fs::rename(stage.services().join("goes"), stage.file("gone")).unwrap();
    file(&stage.file("draft"), "run", SLEEP);
    fs::rename(stage.file("draft"), stage.services().join("comes")).unwrap();
    stage.signal(sys::signal::CONT);
    stage.until_state("comes", S::Ready);
    stage.until_option("goes", "gone", |row| row.is_none().then_some(()));
    assert_eq!(stage.row("stays").unwrap().pid, before.pid);
}
