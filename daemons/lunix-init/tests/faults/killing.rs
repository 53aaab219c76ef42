//! Everything is killed in turn, and everything comes back.

use crate::common::{Stage, skip};
use crate::faults::{count, has, until, until_at_rest};
use init_control::ServiceState as S;
use std::fs;
use sys::signal::{self, Target};
use testkit::rng::Rng;

/// Reads what it is handed and throws it away.
const KEEPER: &str = "#!/usr/bin/env python3
import array, os, select, socket
at = 3 + os.environ['LISTEN_FDNAMES'].split(':').index('lunix-log')
link = socket.socket(fileno=at)
os.write(5, b'\\n'); os.close(5)
poll = select.poll(); poll.register(link, select.POLLIN)
while True:
    for fd, _ in poll.poll():
        if fd == link.fileno():
            text, rights, _, _ = link.recvmsg(512, socket.CMSG_SPACE(4))
            if not text: raise SystemExit(0)
            for _, _, data in rights:
                for got in array.array('i', data[:4]): poll.register(got, select.POLLIN)
        elif not os.read(fd, 65536): poll.unregister(fd); os.close(fd)
";

fn scene(stage: &mut Stage) -> Vec<&'static str> {
    let talks = "#!/bin/sh\necho begins\nwhile :; do echo talks; sleep 0.05; done\n";
    let ready = "#!/bin/sh\nsleep 0.01\necho >&3\nexec sleep 1000\n";
    stage.service("log", &[("run", KEEPER), ("type", "log\n"), ("notification-fd", "5\n")]);
    stage.service("talks", &[("run", talks), ("log/run", "#!/bin/sh\nexec cat >/dev/null\n")]);
    stage.service("finishes", &[("run", talks), ("finish", "#!/bin/sh\necho finished\n")]);
    stage.service("bus", &[("run", ready), ("notification-fd", "3\n")]);
    stage.service("on-bus", &[("run", ready), ("notification-fd", "3\n"), ("dependencies.d/bus", "")]);
    stage.service("parent", &[("run", "#!/bin/sh\nsleep 1000 &\nsleep 1000 &\nwait\n")]);
    stage.service("once", &[("type", "oneshot\n"), ("up", "#!/bin/sh\n")]);
    stage.sleeper("plain");
    vec!["log", "talks", "talks/log", "finishes", "bus", "on-bus", "parent", "plain"]
}

/// The processes whose parent this is.
fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// True for the first process of a session: what was started as a service's.
fn leads(pid: i32) -> bool {
    // The sixth word of all, the fourth after the name (`man 5 proc_pid_stat`).
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let session = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(3)?.parse().ok());
    session == Some(pid)
}

#[test]
fn everything_killed_in_any_order_comes_back_once() {
    if !has("python3") {
        return skip("the log service of the test is a program in python");
    }
    let mut stage = Stage::new();
    let names = scene(&mut stage);
    stage.start();
    for name in &names {
        stage.until_state(name, S::Ready);
    }
    let mut rng = Rng::printed("everything_killed_in_any_order_comes_back_once");
    for _ in 0..count(60, 1000) {
        // What runs now: services, their scripts, and their children.
        let own = children(stage.pid());
        let all: Vec<i32> = own.iter().flat_map(|&pid| children(pid)).chain(own.iter().copied()).collect();
        let Some(&victim) = rng.choose(&all) else { continue };
        // It may be gone by now.
        let _ = signal::send(Target::Process(victim), signal::KILL);
        if rng.below(4) == 0 {
            stage.row("plain").unwrap();
        }
    }
    for name in &names {
        // The more often it was killed, the longer it waits.
        stage.ask(&init_control::Request::Restart { name }).unwrap();
        stage.until_state(name, S::Ready);
    }
    // One process for each, all of them alive, and nothing else.
    until("at rest", || {
        let mut pids: Vec<i32> = names.iter().filter_map(|name| stage.row(name).unwrap().pid).collect();
        let mut own = children(stage.pid());
        // What a killed one had started has nobody else now; it leads nothing.
        own.retain(|&pid| leads(pid));
        pids.sort_unstable();
        own.sort_unstable();
        pids.len() == names.len() && pids == own
    });
    assert_eq!(stage.row("once").unwrap().state, S::Done);
    assert!(stage.end().success());
}

#[test]
fn a_log_service_that_never_reads_holds_up_only_those_that_talk() {
    if !has("python3") {
        return skip("the log service of the test is a program in python");
    }
    let mut stage = Stage::new();
    scene(&mut stage);
    let flood = "#!/bin/sh\nn=0\nwhile :; do n=$((n+1)); echo $n >../../count; head -c 20000 /dev/zero; done\n";
    stage.service("flood", &[("run", flood)]).start();
    let log = stage.until_state("log", S::Ready).pid.unwrap();
    stage.until_state("flood", S::Ready);
    signal::send(Target::Process(log), signal::number_of("STOP").unwrap()).unwrap();
    let flood = stage.row("flood").unwrap().pid.unwrap();
    // It waits for its reader, as it would for a full disk.
    until("the pipe is full", || {
        let list = children(flood);
        let waits =
            |pid: &i32| fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|place| place.contains("pipe"));
        let calls =
            |pid: &i32| fs::read_to_string(format!("/proc/{pid}/syscall")).is_ok_and(|call| call.starts_with("1 "));
        list.iter().any(|pid| waits(pid) || calls(pid))
    });
    until_at_rest(stage.pid());
    let plain = stage.row("plain").unwrap().pid;
    stage.ask(&init_control::Request::Restart { name: "plain" }).unwrap();
    stage.until("plain", "restarted", |row| row.state == S::Ready && row.pid != plain);
    // Its death frees them.
    let before: u64 = stage.until_file("count", |text| text.ends_with('\n')).trim().parse().unwrap();
    signal::send(Target::Process(log), signal::KILL).unwrap();
    stage.until_file("count", |text| text.trim().parse::<u64>().is_ok_and(|now| now > before + 20));
}
