//! What happens when services end by themselves.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{PATIENCE, Stage};
use init_control::{Reply, Request, ServiceState as S, What};
use std::time::{Duration, Instant};
use sys::signal::{KILL, Target, send};

#[test]
fn a_killed_service_is_back_at_once() {
    let mut stage = Stage::new();
    stage.sleeper("bus").start();
    let before = stage.until_state("bus", S::Ready);
    send(Target::Process(before.pid.unwrap()), KILL).unwrap();
    let after = stage.until("bus", "restarted", |row| row.state == S::Ready && row.pid != before.pid);
    assert_eq!(after.restarts, 1);
    assert_eq!(stage.line("bus:"), "lunix-init: warn: bus: killed by signal 9; starts again at once");
}

#[test]
fn a_crash_loop_backs_off() {
    let mut stage = Stage::new();
    stage.service("crash", &[("run", "#!/bin/sh\nexit 3\n")]).start();
    let begin = Instant::now();
    for delay in [100, 200, 400] {
        stage.line(&format!("lunix-init: warn: crash: exited 3; starts again in {delay} ms"));
    }
    assert!(begin.elapsed() >= Duration::from_millis(250), "it did not wait");
}

#[test]
fn what_cannot_be_executed_is_broken_and_told_in_a_sentence() {
    let mut stage = Stage::new();
    stage.service("empty", &[("data/x", "")]);
    stage.service("plain", &[("run", "no exec bit")]);
    stage.service("shebang", &[("run", "#!/no/such/shell\n")]);
    stage.service("garbage", &[("run", "#!/bin/sh\n")]);
    std::fs::write(stage.services().join("garbage/run"), b"\x00\x01\x02").unwrap();
    stage.service("dangling", &[("data/x", "")]);
    std::os::unix::fs::symlink("/no/such/file", stage.services().join("dangling/run")).unwrap();
    std::os::unix::fs::symlink("/no/such/dir", stage.services().join("gone")).unwrap();
    stage.service("number", &[("run", "#!/bin/sh\n"), ("timeout-kill", "soon\n")]);
    stage.service("kind", &[("run", "#!/bin/sh\n"), ("type", "web\n")]);
    std::fs::write(stage.services().join("README"), "not a service").unwrap();
    stage.sleeper("fine").start();
    stage.until_state("fine", S::Ready);
    let expected = [
        ("empty", "run: expected an executable file of this name, found none"),
        ("plain", "run: not executable, or on a file system mounted noexec"),
        ("shebang", "run: its interpreter /no/such/shell does not exist"),
        ("garbage", "run: neither a program nor a script that begins with #!"),
        ("dangling", "run: it is a link that leads nowhere"),
        ("gone", "it is a link that leads nowhere"),
        ("number", "timeout-kill: expected a number of milliseconds, found \"soon\""),
        ("kind", "type: expected longrun, oneshot, bundle or log, found \"web\""),
    ];
    for (name, reason) in expected {
        let row = stage.until_state(name, S::Broken);
        assert_eq!((row.reason.as_str(), row.restarts), (reason, 0), "{name}");
    }
    assert_eq!(stage.ask(&Request::List).unwrap().len(), expected.len() + 1);
}

#[test]
fn an_unsupported_file_is_named() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("control/t", "#!/bin/sh\n")]).start();
    stage.line("lunix-init: warn: s: control is not supported and has no effect");
    stage.until_state("s", S::Ready);
}

#[test]
fn finish_learns_how_it_ended_and_125_means_never_again() {
    let mut stage = Stage::new();
    let finish = "#!/bin/sh\necho \"$1 $2 $3\" >>../../ends; test $4 -gt 1 || exit 1\ntest $1 != 9 || exit 125\n";
    let run = "#!/bin/sh\nif test -e ../../second; then exit 9; fi\ntouch ../../second\nkill -11 $$\n";
    stage.service("s", &[("run", run), ("finish", finish)]).start();
    let row = stage.until_state("s", S::Broken);
    assert_eq!(row.reason, "finish exited 125");
    assert_eq!(stage.until_file("ends", |text| text.lines().count() == 2), "256 11 s\n9 0 s\n");
}

#[test]
fn permanent_exits_end_the_loop_only_where_they_are_listed() {
    let mut stage = Stage::new();
    stage.service("ours", &[("run", "#!/bin/sh\nexit 78\n"), ("permanent-exits", "")]);
    stage.service("foreign", &[("run", "#!/bin/sh\nexit 78\n")]).start();
    assert_eq!(stage.until_state("ours", S::Broken).reason, "run exited 78: not started again");
    stage.until("foreign", "started again", |row| row.restarts >= 2);
}

#[test]
fn a_flood_of_output_is_bounded_and_disturbs_nobody() {
    let mut stage = Stage::new();
    stage.service(
        "flood",
        &[("run", "#!/bin/sh\nexec yes ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n")],
    );
    stage.service("calm", &[("run", "#!/bin/sh\necho calm words\nexec sleep 1000\n")]);
    let mut command = stage.command();
    command.env("LC_ALL", "C");
    stage.start_as(command);
    stage.until_state("flood", S::Ready);
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", stage.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmData")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let read_log = || {
        let (mut bytes, mut dropped_lines) = (0, 0);
        stage
            .client()
            .ask(&Request::Log { name: None, follow: false }, |reply| match reply {
                Reply::Line(line) => bytes += line.bytes().count(),
                Reply::End { dropped, .. } => dropped_lines = *dropped,
                Reply::Ok
                | Reply::Refused { .. }
                | Reply::Service(_)
                | Reply::Usage(_)
                | Reply::Event(_)
                | Reply::Lost(_)
                | Reply::Unknown => {}
            })
            .unwrap();
        (bytes, dropped_lines)
    };
    let end = Instant::now() + PATIENCE;
    while read_log().1 < 5000 {
        assert!(Instant::now() < end, "no flood");
    }
    let before = memory();
    while read_log().1 < 20_000 {
        assert!(Instant::now() < end, "no flood");
    }
    let (bytes, _) = read_log();
    assert!(bytes <= 64 * 1024, "{bytes}");
    assert!(memory() <= before + 64, "memory grew from {before} kB to {} kB", memory());
    assert!(stage.end().success());
}

#[test]
fn a_storm_of_deaths_is_survived_and_every_service_comes_back() {
    let mut stage = Stage::new();
    for number in 0..30 {
        stage.sleeper(&format!("s{number}"));
    }
    // Orphans by the hundred come to lunix-init meanwhile.
    stage.service("orphans", &[("run", "#!/bin/sh\nfor i in $(seq 300); do (sleep 0.05 &) ; done\nexec sleep 1000\n")]);
    stage.start();
    for _ in 0..3 {
        for (_, row) in stage.ask(&Request::List).unwrap() {
            if let Some(pid) = row.pid {
                let _ = send(Target::Process(pid), KILL);
            }
        }
    }
    let end = Instant::now() + PATIENCE;
    while !stage.ask(&Request::List).unwrap().iter().all(|(_, row)| row.state == S::Ready) {
        assert!(Instant::now() < end, "not all are back");
        std::thread::sleep(Duration::from_millis(5));
    }
    let zombies = || {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", stage.pid())).unwrap();
        children
            .split_whitespace()
            .filter(|pid| {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                stat.contains(") Z ")
            })
            .count()
    };
    while zombies() > 0 {
        assert!(Instant::now() < end, "zombies are left");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn events_are_numbered_without_a_gap_and_tell_how_it_ended() {
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    let pid = stage.until_state("s", S::Ready).pid.unwrap();
    let mut watch = stage.client();
    watch.send(&Request::Watch).unwrap();
    let seq = loop {
        if let Reply::End { seq, .. } = watch.reply().unwrap() {
            break seq;
        }
    };
    send(Target::Process(pid), KILL).unwrap();
    let mut told = Vec::new();
    while told.len() < 3 {
        let Reply::Event(event) = watch.reply().unwrap() else { panic!("no event") };
        assert_eq!(event.seq, seq + 1 + u64::try_from(told.len()).unwrap());
        if event.what == What::Exited {
            assert_eq!((event.pid, event.ended), (Some(pid), Some(init_control::Ended::Signal(9))));
        }
        told.push(event.what);
    }
    assert_eq!(told, [What::Exited, What::Started, What::Ready]);
}
