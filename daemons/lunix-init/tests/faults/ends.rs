//! Ends that are asked for twice, too early, or of those who cannot end.

use crate::common::namespace::{self, init_of};
use crate::common::{PATIENCE, Stage, is_alive};
use crate::faults::until;
use init_control::{Request, ServiceState as S};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use sys::signal::{self, Target};

const DEAF: &str = "#!/bin/sh\ntrap '' TERM\necho deaf\nwhile :; do sleep 0.05; done\n";
const POWERED_OFF: Option<i32> = Some(2);
const REBOOTED: Option<i32> = Some(1);

#[test]
fn no_signal_harms_pid_1() {
    let mut stage = Stage::new();
    stage.sleeper("s");
    if !namespace::start(&mut stage) {
        return;
    }
    let pid = stage.until_state("s", S::Ready).pid;
    let init = init_of(&stage);
    // Those that mean an end, and those that a fault of its own would raise, have tests of their own.
    let others =
        ["KILL", "STOP", "TERM", "INT", "USR1", "USR2", "PWR", "SEGV", "BUS", "ILL", "FPE", "TRAP", "ABRT", "SYS"];
    let others: Vec<i32> = others.iter().filter_map(|word| signal::number_of(word)).collect();
    for number in (1..=64).filter(|number| !others.contains(number)) {
        let _ = signal::send(Target::Process(init), number);
    }
    assert_eq!(stage.row("s").unwrap().pid, pid);
    stage.sleeper("t");
    stage.until_state("t", S::Ready);
    assert_eq!(stage.row("s").unwrap().pid, pid);
}

#[test]
fn of_two_wishes_the_newer_one_counts_and_neither_waits_long() {
    let mut stage = Stage::new();
    stage.service("deaf", &[("run", DEAF)]);
    if !namespace::start(&mut stage) {
        return;
    }
    stage.line("deaf: deaf");
    let begin = Instant::now();
    stage.ask(&Request::Poweroff).unwrap();
    stage.line("info: poweroff");
    stage.ask(&Request::Reboot).unwrap();
    assert_eq!(stage.wait().signal(), REBOOTED);
    assert!(begin.elapsed().as_secs() < 25, "the limit of 30 s was not shortened");
    let lines = stage.rest_of_lines();
    assert_eq!(lines.iter().filter(|line| line.contains("goodbye")).count(), 1, "{lines:?}");
}

#[test]
fn ctrl_alt_del_during_the_boot_reboots_in_order() {
    let mut stage = Stage::new();
    stage.service(
        "first",
        &[("type", "oneshot"), ("up", "#!/bin/sh\necho first\n"), ("down", "#!/bin/sh\necho undone\n")],
    );
    stage.service(
        "mount",
        &[("type", "oneshot"), ("up", "#!/bin/sh\necho mounting\nexec sleep 1000\n"), ("dependencies.d/first", "")],
    );
    stage.service("later", &[("run", "#!/bin/sh\necho later\n"), ("dependencies.d/mount", "")]);
    let Some(command) = namespace::command(&stage, "true") else { return };
    stage.spawn(command);
    stage.line("mount: mounting");
    signal::send(Target::Process(init_of(&stage)), signal::INT).unwrap();
    stage.line("first: undone");
    assert_eq!(stage.wait().signal(), REBOOTED);
    let lines = stage.rest_of_lines();
    assert!(!lines.iter().any(|line| line.starts_with("later")), "{lines:?}");
}

#[test]
fn an_end_that_comes_before_the_first_service_is_not_lost() {
    let mut stage = Stage::new();
    for number in 0..200 {
        stage.sleeper(&format!("s{number}"));
    }
    let Some(command) = namespace::command(&stage, "true") else { return };
    stage.spawn(command);
    // From the moment on in which it looks at signals.
    let is_listening = |stage: &Stage| {
        let list = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", stage.pid())).unwrap_or_default();
        let status = list.split_whitespace().next().map(|init| std::fs::read_to_string(format!("/proc/{init}/status")));
        let status = status.and_then(Result::ok).unwrap_or_default();
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap_or("0");
        u64::from_str_radix(blocked, 16).unwrap() & (1 << (signal::USR2 - 1)) != 0
    };
    until("it listens to signals", || is_listening(&stage));
    signal::send(Target::Process(init_of(&stage)), signal::USR2).unwrap();
    assert_eq!(stage.wait().signal(), POWERED_OFF);
}

/// A process that cannot die, as one that waits for a broken disk: the mock is a tracer that stands still, for the dead are handed to their
/// parent only after their tracer has seen them.
struct Undying(Child);

impl Undying {
    fn hold(pid: i32) -> Option<Self> {
        let tracer = Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "-p", &pid.to_string()])
            .stderr(Stdio::null())
            .spawn();
        let Ok(tracer) = tracer else {
            crate::common::skip("strace is needed to hold a process");
            return None;
        };
        let tracer_pid = i32::try_from(tracer.id()).unwrap();
        let held = Self(tracer);
        until("it is held", || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            status.lines().any(|line| line == format!("TracerPid:\t{tracer_pid}"))
        });
        signal::send(Target::Process(tracer_pid), signal::number_of("STOP").unwrap()).unwrap();
        Some(held)
    }
}

impl Drop for Undying {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn who_cannot_die_is_named_and_left_behind() {
    let mut stage = Stage::new();
    stage.service("stuck", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("timeout-kill", "100\n")]);
    stage.sleeper("other");
    let mut command = stage.command();
    command.args(["--stop-limit-ms", "500"]);
    stage.start_as(command);
    let stuck = stage.until_state("stuck", S::Ready).pid.unwrap();
    let Some(held) = Undying::hold(stuck) else { return };
    // It is shown as what it is, and nobody else suffers.
    stage.ask(&Request::Restart { name: "stuck" }).unwrap();
    until("it is being killed", || stage.row("stuck").unwrap().state == S::Killing);
    let other = stage.until_state("other", S::Ready).pid;
    stage.ask(&Request::Restart { name: "other" }).unwrap();
    stage.until("other", "started again", |row| row.state == S::Ready && row.pid != other);
    let begin = Instant::now();
    stage.signal(signal::TERM);
    stage.line(&format!("stuck: process {stuck} cannot be killed: it is left behind"));
    assert!(stage.wait().success());
    assert!(begin.elapsed() < PATIENCE);
    drop(held);
    until("the held one is gone", || !is_alive(stuck));
}

#[test]
fn pid_1_says_goodbye_though_one_cannot_die() {
    let mut stage = Stage::new();
    stage.sleeper("stuck");
    let Some(mut command) = namespace::command(&stage, "true") else { return };
    command.args(["--stop-limit-ms", "300"]);
    stage.start_as(command);
    stage.until_state("stuck", S::Ready);
    let init = init_of(&stage);
    let list = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap();
    let Some(held) = Undying::hold(list.split_whitespace().next().unwrap().parse().unwrap()) else { return };
    stage.ask(&Request::Poweroff).unwrap();
    stage.line("it is left behind");
    stage.line("goodbye");
    // The kernel waits for it before it lets the namespace go.
    drop(held);
    assert_eq!(stage.wait().signal(), POWERED_OFF);
}
