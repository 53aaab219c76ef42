//! The time of day may jump: nothing here looks at it.

use crate::common::{Stage, skip};
use init_control::{Request, ServiceState as S};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Calls that know the time; those that the kernel answers without being asked are looked for in the sources.
const CALLS: &str = "timerfd_create,timerfd_settime,clock_gettime,clock_settime,clock_nanosleep,gettimeofday,settimeofday,timer_create,setitimer,alarm,time,adjtimex,clock_adjtime";

#[test]
fn every_timer_runs_by_the_time_since_boot() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        return skip("strace is needed to see timers");
    }
    let mut stage = Stage::new();
    // Each kind of deadline: a restart, an end, a watchdog, a change, the end of all.
    stage.service("crashes", &[("run", "#!/bin/sh\nexit 1\n")]);
    stage.service(
        "deaf",
        &[
            ("run", "#!/bin/sh\ntrap '' TERM\necho >&3\nwhile :; do sleep 0.02; done\n"),
            ("timeout-kill", "50\n"),
            ("notification-fd", "3\n"),
        ],
    );
    stage.service("hangs", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("notify-socket", ""), ("watchdog", "50\n")]);
    let trace = stage.file("trace");
    let mut command = Command::new("strace");
    command.args(["-D", "-qqq", "-o"]).arg(&trace).args(["-e", &format!("trace={CALLS}")]);
    command.arg(stage.command().get_program()).args(stage.command().get_args());
    stage.start_as(command);
    stage.until("crashes", "crashed", |row| row.restarts >= 2);
    stage.until_state("deaf", S::Ready);
    stage.ask(&Request::Stop { name: "deaf" }).unwrap();
    stage.until_state("deaf", S::Down);
    stage.sleeper("new");
    stage.until_state("new", S::Ready);
    assert!(stage.end().success());
    let text = fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> = text.lines().filter(|line| line.contains('(') && !line.starts_with("---")).collect();
    let timers: Vec<&&str> = calls.iter().filter(|line| line.contains("timerfd_create(")).collect();
    assert!(timers.len() >= 2, "{text}");
    for call in &calls {
        let name = call.split('(').next().unwrap_or_default();
        let is_good = match name {
            "timerfd_create" | "clock_gettime" | "clock_nanosleep" => {
                call.contains("CLOCK_MONOTONIC") || call.contains("CLOCK_BOOTTIME")
            }
            "timerfd_settime" => !call.contains("CANCEL_ON_SET"),
            _ => false,
        };
        assert!(is_good, "{call}");
    }
}

/// All Rust sources below a folder.
fn sources(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_source_of_pid_1_mentions_the_time_of_day() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    sources(&own.join("src"), &mut all);
    sources(&own.join("../../crates/reactor/src"), &mut all);
    assert!(all.len() > 30, "{}", all.len());
    for (path, text) in &all {
        for word in ["SystemTime", "ClockId::Realtime", "TimerfdClockId::Realtime", "UNIX_EPOCH", "CANCEL_ON_SET"] {
            assert!(!text.contains(word), "{path}: {word}");
        }
    }
}
