//! Descriptors: none leaks, and none left is no end.

use crate::common::Stage;
use crate::faults::{Injector, limit_descriptors, until_at_rest};
use init_control::{Request, ServiceState as S};
use std::path::Path;
use sys::signal::{self, Target};

#[test]
fn a_service_has_what_it_asked_for_and_no_descriptor_more() {
    let mut stage = Stage::new();
    for number in 0..20 {
        stage.sleeper(&format!("s{number}"));
    }
    let sockets = format!("one stream {0}/one.sock\ntwo dgram {0}/two.sock\n", stage.home.display());
    // ls lists what it has itself: 6 is the directory that it reads.
    let run = "#!/bin/ls /proc/self/fd\n";
    stage.service("lists", &[("run", run), ("sockets", &sockets), ("notification-fd", "5"), ("down", "")]);
    stage.service("plain", &[("run", run), ("down", "")]);
    stage.start();
    let held: Vec<_> = (0..5).map(|_| stage.watch()).collect();
    for (name, expected) in [("lists", 7), ("plain", 4)] {
        stage.ask(&Request::Once { name }).unwrap();
        stage.line(&format!("{name}: /proc/self/fd:"));
        for number in 0..expected {
            assert_eq!(stage.line(&format!("{name}: ")), format!("{name}: {number}"));
        }
        // Nothing comes after the last number, and then it is down.
        stage.until_state(name, S::Down);
    }
    let log = stage.log_lines();
    let of_plain: Vec<&str> = log.iter().filter_map(|line| line.strip_prefix("plain: ")).collect();
    assert_eq!(of_plain, ["./run", "/proc/self/fd:", "0", "1", "2", "3"]);
    let of_lists: Vec<&str> = log.iter().filter_map(|line| line.strip_prefix("lists: ")).collect();
    assert_eq!(of_lists, ["./run", "/proc/self/fd:", "0", "1", "2", "3", "4", "5", "6"]);
    drop(held);
}

#[test]
fn without_descriptors_it_answers_rests_and_catches_up() {
    let mut stage = Stage::new();
    for name in ["a", "b", "c"] {
        stage.sleeper(name);
    }
    // Nothing of the test's own, so that its numbers are in use from 0 on.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$0\" \"$@\""]);
    command.arg(stage.command().get_program()).args(stage.command().get_args());
    stage.start_as(command);
    let before: Vec<_> = ["a", "b", "c"].iter().map(|name| stage.until_state(name, S::Ready).pid.unwrap()).collect();
    until_at_rest(stage.pid());
    // From now on as many as it has: below the first free number all are in use.
    let free = (0..).find(|fd| !Path::new(&format!("/proc/{}/fd/{fd}", stage.pid())).exists());
    limit_descriptors(stage.pid(), free.unwrap());
    // One comes, one changes, one dies.
    stage.sleeper("d");
    std::fs::write(stage.services().join("b/note"), "changed").unwrap();
    signal::send(Target::Process(before[2]), signal::KILL).unwrap();
    let c = stage.until("c", "dead", |row| row.pid != Some(before[2]));
    assert!(matches!(c.state, S::Backoff | S::Starting), "{c:?}");
    // More at once than it has descriptors for: those that wait must not keep it busy.
    let waiting: Vec<_> = (0..8).map(|_| stage.watch()).collect();
    stage.line("Too many open files");
    until_at_rest(stage.pid());
    drop(waiting);
    assert_eq!(stage.row("a").unwrap().pid, Some(before[0]));
    limit_descriptors(stage.pid(), 1000);
    stage.until_state("c", S::Ready);
    stage.until_state("d", S::Ready);
    stage.until("b", "changed", |row| row.state == S::Ready && row.pid != Some(before[1]));
    assert_eq!(stage.row("a").unwrap().pid, Some(before[0]));
}

#[test]
fn a_machine_without_files_to_open_is_no_end_either() {
    let mut stage = Stage::new();
    stage.sleeper("a").start();
    let a = stage.until_state("a", S::Ready).pid;
    let calls = ["accept4:error=ENFILE:when=1..3", "openat,openat2,pipe2:error=ENFILE:when=1..3"];
    let Some(injector) = Injector::attach(stage.pid(), &calls) else { return };
    stage.sleeper("b");
    stage.until_state("b", S::Ready);
    drop(injector);
    assert_eq!(stage.row("a").unwrap().pid, a);
}
