//! lunix-init crashes, and goes on: each signal, state that was damaged, a process that nobody can be sure of.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{Stage, is_alive};
use init_control::{Request, ServiceState as S};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use sys::signal::{Target, send};

/// Bytes of the two copies of a record, and of one of them.
const PAIR: usize = 512;
const COPY: usize = 256;

fn crash(stage: &Stage, signal: i32) {
    crash_after(stage, signal, || {});
}

/// Crashes it before it can do anything else after what is done meanwhile.
fn crash_after(stage: &Stage, signal: i32, meanwhile: impl FnOnce()) {
    const STOP: i32 = 19;
    send(Target::Process(stage.pid()), STOP).unwrap();
    let stat = format!("/proc/{}/stat", stage.pid());
    stage.until_seen("standing still", || std::fs::read_to_string(&stat).unwrap().contains(") T ").then_some(()));
    meanwhile();
    send(Target::Process(stage.pid()), signal).unwrap();
    send(Target::Process(stage.pid()), sys::signal::CONT).unwrap();
    stage.line("and goes on (crashes_in_60_s=");
    stage.line("goes on after a crash");
}

/// The file with the state, as the kernel shows it.
fn state(stage: &Stage) -> PathBuf {
    let folder = format!("/proc/{}/fd", stage.pid());
    let is_state = |path: &PathBuf| {
        std::fs::read_link(path)
            .is_ok_and(|target| target.as_os_str().as_encoded_bytes().starts_with(b"/memfd:lunix-init"))
    };
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(is_state).unwrap()
}

/// Damages the copies of the record of a service, both or only the newer.
fn damage(stage: &Stage, name: &str, both: bool) {
    let file = OpenOptions::new().read(true).write(true).open(state(stage)).unwrap();
    let mut damaged = 0;
    for number in (0..100 * PAIR as u64).step_by(PAIR).skip(1) {
        let mut pair = [0; PAIR];
        file.read_exact_at(&mut pair, number).unwrap();
        let (first, second) = pair.split_at(COPY);
        let sequence = |copy: &[u8]| u64::from_le_bytes(copy[8..16].try_into().unwrap());
        let newer = u64::from(sequence(second) > sequence(first));
        for (which, copy) in [(0, first), (1, second)] {
            let is_its = copy.windows(name.len() + 1).any(|part| {
                part.first().copied() == u8::try_from(name.len()).ok() && part.get(1..) == Some(name.as_bytes())
            });
            if is_its && (both || which == newer) {
                let at = number + which * COPY as u64 + 40;
                file.write_all_at(&[copy[40] ^ 0x10], at).unwrap();
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0, "there is no record of {name}");
}

#[test]
fn after_each_signal_services_go_on_as_they_were() {
    for signal in sys::crash::SIGNALS {
        let mut stage = Stage::new();
        stage.sleeper("a").service("chatty", &[("run", "#!/bin/sh\nwhile :; do echo x; sleep 0.01; done\n")]);
        stage.service("up", &[("type", "oneshot\n"), ("up", "#!/bin/sh\ntrue\n")]);
        stage.start();
        stage.until_state("up", S::Done);
        stage.until_state("chatty", S::Ready);
        stage.until_state("a", S::Ready);
        let before = ["a", "chatty", "up"].map(|name| stage.row(name).unwrap());
        crash(&stage, signal);
        let after = ["a", "chatty", "up"].map(|name| stage.row(name).unwrap());
        assert_eq!(before, after, "after signal {signal}");
        stage.line("chatty: x");
        let pid = after[0].pid.unwrap();
        send(Target::Process(pid), sys::signal::KILL).unwrap();
        stage.until("a", "started again", |row| row.pid.is_some_and(|new| new != pid));
        let name = std::fs::read_to_string(format!("/proc/{}/comm", stage.pid())).unwrap();
        assert_eq!(name, "lunix-init\n");
        assert!(stage.end().success());
    }
}

#[test]
fn who_dies_while_it_crashes_is_started_again() {
    let mut stage = Stage::new();
    stage.sleeper("a").sleeper("b").start();
    let pid = stage.until_state("a", S::Ready).pid.unwrap();
    let other = stage.until_state("b", S::Ready).pid;
    crash_after(&stage, 11, || send(Target::Process(pid), sys::signal::KILL).unwrap());
    let row = stage.until("a", "started again", |row| row.state == S::Ready && row.pid.is_some_and(|new| new != pid));
    assert_eq!((row.restarts, stage.row("b").unwrap().pid), (1, other));
}

#[test]
fn the_damaged_copy_of_a_record_costs_nothing() {
    let mut stage = Stage::new();
    stage.sleeper("victim").sleeper("other").start();
    let before = ["victim", "other"].map(|name| stage.until_state(name, S::Ready));
    crash_after(&stage, 11, || damage(&stage, "victim", false));
    assert_eq!(["victim", "other"].map(|name| stage.until_state(name, S::Ready).pid), before.map(|row| row.pid));
}

#[test]
fn a_lost_record_means_waiting_for_its_process_not_a_second_one() {
    let mut stage = Stage::new();
    stage.service("victim", &[("run", "#!/bin/sh\necho one more\nexec sleep 1000\n")]);
    stage.sleeper("other").start();
    let victim = stage.until_state("victim", S::Ready).pid.unwrap();
    let other = stage.until_state("other", S::Ready);
    stage.line("victim: one more");
    crash_after(&stage, 11, || damage(&stage, "victim", true));
    let row = stage.row("victim").unwrap();
    assert_eq!((row.state, row.pid), (S::Broken, None));
    assert!(row.reason.contains("its state was lost") && row.reason.contains(&victim.to_string()), "{}", row.reason);
    assert!(is_alive(victim));
    assert_eq!(stage.row("other"), Some(other));
    // Certainly gone: now it starts.
    send(Target::Process(victim), sys::signal::KILL).unwrap();
    let row = stage.until_state("victim", S::Ready);
    assert!(row.pid.is_some_and(|pid| pid != victim));
}

#[test]
fn without_any_record_all_are_held_back_and_the_operator_decides() {
    let mut stage = Stage::new();
    stage.sleeper("a").sleeper("b").start();
    let pids = ["a", "b"].map(|name| stage.until_state(name, S::Ready).pid.unwrap());
    crash_after(&stage, 6, || ["a", "b"].iter().for_each(|name| damage(&stage, name, true)));
    assert!(["a", "b"].iter().all(|name| stage.row(name).unwrap().state == S::Broken));
    assert!(pids.iter().all(|&pid| is_alive(pid)));
    stage.ask(&Request::Restart { name: "a" }).unwrap();
    stage.until_state("a", S::Ready);
    pids.iter().for_each(|&pid| send(Target::Process(pid), sys::signal::KILL).unwrap());
    stage.until_state("b", S::Ready);
    assert!(stage.end().success());
}

#[test]
fn a_stop_under_way_and_the_end_of_everything_survive_a_crash() {
    let mut stage = Stage::new();
    let slow = "#!/bin/sh\ntrap '' TERM\necho >&3\nread line <go\n";
    stage.service("slow", &[("run", slow), ("notification-fd", "3")]);
    let fifo = stage.services().join("slow/go");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    stage.start();
    stage.until_state("slow", S::Ready);
    stage.signal(sys::signal::TERM);
    stage.until_state("slow", S::Stopping);
    crash(&stage, 7);
    assert_eq!(stage.row("slow").unwrap().state, S::Stopping);
    std::fs::write(&fifo, "go\n").unwrap();
    assert!(stage.wait().success());
}

/// In the loop of a service that ends at once a crash comes in the middle of starts, too: never are there two of it.
#[test]
fn crashes_in_the_middle_of_starts_never_start_twice() {
    let mut stage = Stage::new();
    for name in ["x", "y", "z"] {
        let lock = stage.file(&format!("lock-{name}"));
        let run = format!("#!/bin/sh\nexec flock -n -o -E 99 {} sleep 0.02\n", lock.display());
        stage.service(name, &[("run", &run), ("finish", "#!/bin/sh\n[ \"$1\" != 99 ] || echo TWICE\n")]);
    }
    stage.start();
    for number in 0..6 {
        stage.ask(&Request::Restart { name: "x" }).unwrap();
        stage.ask(&Request::Restart { name: "y" }).unwrap();
        send(Target::Process(stage.pid()), 11).unwrap();
        stage.line("goes on after a crash");
        let rows = stage.ask(&Request::List).unwrap();
        assert_eq!(rows.len(), 3, "crash {number}");
    }
    assert!(stage.end().success());
    assert!(!stage.rest_of_lines().iter().any(|line| line.contains("TWICE")));
}
