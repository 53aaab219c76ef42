//! The dead and the newborn by the thousand.

use crate::common::{Stage, is_root, namespace, skip};
use crate::faults::{count, has, until, until_at_rest};
use init_control::{Request, ServiceState as S};
use std::fs;
use sys::signal::{self, Target};

/// Its children all die before it and come to lunix-init in the same moment.
fn storm(count: usize) -> String {
    format!("#!/usr/bin/env perl\nfor (1..{count}) {{ my $pid = fork; exit 0 if defined $pid && !$pid; }}\nexit 0;\n")
}

/// The children of a process: how many, and how many of them are dead.
fn children(pid: i32) -> (usize, usize) {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let is_dead = |pid: &&str| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    (list.split_whitespace().count(), list.split_whitespace().filter(is_dead).count())
}

/// Orphans by the thousand, while services die and questions are asked.
fn survives_a_storm(stage: &mut Stage, start: impl Fn(&mut Stage) -> bool, init: impl Fn(&Stage) -> i32) {
    if !has("perl") {
        return;
    }
    for name in ["a", "b", "c"] {
        stage.sleeper(name);
    }
    stage.service("storm", &[("run", &storm(count(4000, 10_000))), ("down", "")]);
    if !start(stage) {
        return;
    }
    let mut pids = ["a", "b", "c"].map(|name| stage.until_state(name, S::Ready).pid.unwrap());
    let init = init(stage);
    stage.ask(&Request::Once { name: "storm" }).unwrap();
    while stage.row("storm").unwrap().state != S::Down {
        // As long as the storm lasts: each of these must find its way through it.
        for (name, pid) in ["a", "b", "c"].iter().zip(&mut pids) {
            let _ = stage.ask(&Request::Signal { name, signal: "KILL" });
            *pid = stage.until(name, "back", |row| row.state == S::Ready && row.pid != Some(*pid)).pid.unwrap();
        }
        // Otherwise they would soon be started ever more slowly.
        for name in ["a", "b", "c"] {
            stage.ask(&Request::Restart { name }).unwrap();
        }
        for (name, pid) in ["a", "b", "c"].iter().zip(&mut pids) {
            *pid = stage.until(name, "back", |row| row.state == S::Ready && row.pid != Some(*pid)).pid.unwrap();
        }
    }
    until("all are buried", || children(init) == (3, 0));
    until_at_rest(init);
}

#[test]
fn thousands_of_orphans_at_once_are_buried_while_everything_goes_on() {
    survives_a_storm(
        &mut Stage::new(),
        |stage| {
            stage.start();
            true
        },
        Stage::pid,
    );
}

#[test]
fn thousands_of_orphans_at_once_are_buried_by_pid_1() {
    survives_a_storm(&mut Stage::new(), namespace::start, namespace::init_of);
}

#[test]
fn one_signal_for_many_deaths_is_enough() {
    let mut stage = Stage::new();
    let names: Vec<String> = (0..40).map(|number| format!("s{number}")).collect();
    for name in &names {
        stage.sleeper(name);
    }
    stage.start();
    let before: Vec<i32> = names.iter().map(|name| stage.until_state(name, S::Ready).pid.unwrap()).collect();
    stage.signal(signal::number_of("STOP").unwrap());
    for &pid in &before {
        signal::send(Target::Process(pid), signal::KILL).unwrap();
    }
    until("all are dead", || children(stage.pid()) == (40, 40));
    stage.signal(signal::CONT);
    for (name, &pid) in names.iter().zip(&before) {
        stage.until(name, "started again", |row| row.state == S::Ready && row.pid != Some(pid));
    }
    assert_eq!(children(stage.pid()), (40, 0));
}

/// The processes of a user.
fn processes_of(uid: u32) -> usize {
    let is_of = |status: String| status.lines().any(|line| line.starts_with(&format!("Uid:\t{uid}\t")));
    let all =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("status")).ok());
    all.filter(|status| is_of(status.clone())).count()
}

#[test]
fn a_fork_bomb_stays_within_its_limit_and_is_killed_as_a_whole() {
    const NOBODY_ELSE: u32 = 54_321;
    const MOST: usize = 40;
    if !is_root() {
        return skip("only root can start services as somebody else");
    }
    if !has("perl") {
        return;
    }
    let mut stage = Stage::new();
    let bomb =
        "#!/usr/bin/env perl\n$SIG{TERM} = 'IGNORE';\nwhile (1) { defined fork or select undef, undef, undef, 0.01 }\n";
    let (user, limits) = (format!("{NOBODY_ELSE}:{NOBODY_ELSE}\n"), format!("nproc {MOST}\n"));
    stage.service("bomb", &[("run", bomb), ("user", &user), ("limits", &limits), ("timeout-kill", "50\n")]);
    stage.sleeper("calm").start();
    until("the bomb is at its limit", || processes_of(NOBODY_ELSE) == MOST);
    let calm = stage.until_state("calm", S::Ready).pid.unwrap();
    signal::send(Target::Process(calm), signal::KILL).unwrap();
    stage.until("calm", "started again", |row| row.state == S::Ready && row.pid != Some(calm));
    assert!(processes_of(NOBODY_ELSE) <= MOST);
    stage.ask(&Request::Stop { name: "bomb" }).unwrap();
    stage.until_state("bomb", S::Down);
    until("nothing is left of the bomb", || processes_of(NOBODY_ELSE) == 0);
}
