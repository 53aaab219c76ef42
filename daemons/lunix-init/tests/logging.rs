//! Where the output of services goes: to the one of type log, and to the ring while that is away.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Stage, skip};
use init_control::{Reply, Request, ServiceState as S};
use std::process::{Command, Stdio};

/// Takes the ends it is given and writes what comes out of them to a file, each piece with the name of its service.
const KEEPER: &str = "#!/usr/bin/env python3
import array, os, select, socket
at = 3 + os.environ['LISTEN_FDNAMES'].split(':').index('lunix-log')
link = socket.socket(fileno=at)
out = open('../../kept', 'a', buffering=1)
os.write(5, b'\\n'); os.close(5)
names = {}
poll = select.poll()
poll.register(link, select.POLLIN)
while True:
    for fd, _ in poll.poll():
        if fd == link.fileno():
            text, rights, _, _ = link.recvmsg(512, socket.CMSG_SPACE(4))
            if not text: raise SystemExit(0)
            for _, _, data in rights:
                for got in array.array('i', data[:4]):
                    names[got] = text.decode().split('name=')[1]
                    poll.register(got, select.POLLIN)
        else:
            text = os.read(fd, 65536)
            if not text: poll.unregister(fd); os.close(fd)
            for line in text.decode().splitlines(): out.write(names[fd] + ' ' + line + '\\n')
";

fn has_python() -> bool {
    let found = Command::new("python3").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        skip("python3 is not installed");
    }
    found
}

/// The lines of the ring that are from this service.
fn ring(stage: &Stage, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut each = |reply: &Reply<'_>| {
        if let Reply::Line(text) = reply {
            lines.push(text.to_string());
        }
    };
    stage.client().ask(&Request::Log { name: None, follow: false }, &mut each).unwrap();
    lines.retain(|line| line.starts_with(name));
    lines
}

#[test]
fn the_log_service_gets_the_output_of_all_and_loses_nothing_by_its_death() {
    if !has_python() {
        return;
    }
    let mut stage = Stage::new();
    let counts = "#!/bin/sh\nn=0\nwhile [ $n -lt 60 ]; do n=$((n+1)); echo $n; sleep 0.02; done\nexec sleep 1000\n";
    stage.service("log", &[("run", KEEPER), ("type", "log\n"), ("notification-fd", "5\n")]);
    stage.service("counts", &[("run", counts), ("dependencies.d/log", "")]).start();
    let log = stage.until_state("log", S::Ready);
    stage.until_file("kept", |text| text.contains("counts 20\n"));
    sys::signal::send(sys::signal::Target::Process(log.pid.unwrap()), sys::signal::KILL).unwrap();
    stage.until("log", "started again", |row| row.state == S::Ready && row.restarts == 1);
    let kept = stage.until_file("kept", |text| text.contains("counts 60\n"));
    let numbers: Vec<u32> = kept.lines().filter_map(|line| line.strip_prefix("counts ")?.parse().ok()).collect();
    // What the killed one had read and not written is its own loss: it writes at once.
    assert_eq!(numbers, (1..=60).collect::<Vec<u32>>());
    assert!(ring(&stage, "counts").is_empty());
    // A service that comes later is handed over, too.
    stage.service("late", &[("run", "#!/bin/sh\necho here I am\nexec sleep 1000\n")]);
    stage.until_file("kept", |text| text.contains("late here I am\n"));
}

#[test]
fn without_a_log_service_and_when_it_stays_away_the_ring_takes_everything() {
    if !has_python() {
        return;
    }
    let mut stage = Stage::new();
    let flood = "#!/bin/sh\nn=0\nwhile :; do n=$((n+1)); echo \"$n $LONG\"; echo $n >../../count; done\n";
    stage.service("flood", &[("run", flood), ("env/LONG", &"x".repeat(200))]);
    stage.service("log", &[("run", KEEPER), ("type", "log\n"), ("notification-fd", "5\n"), ("down-signal", "KILL\n")]);
    stage.service("second", &[("run", KEEPER), ("type", "log\n"), ("notification-fd", "5\n")]).start();
    let reason = stage.until_state("second", S::Broken).reason;
    assert_eq!(reason, "type: log is of type log already, and there can be only one");
    stage.until_state("log", S::Ready);
    stage.until_file("kept", |text| text.lines().count() > 10);
    stage.ask(&Request::Stop { name: "log" }).unwrap();
    stage.line("the log service is away");
    let count = |stage: &Stage| stage.until_file("count", |text| text.ends_with('\n')).trim().parse::<u64>().unwrap();
    let before = count(&stage);
    // More than a pipe holds: it is not held up.
    stage.until_file("count", |text| text.trim().parse::<u64>().is_ok_and(|now| now > before + 1_000));
    assert!(!ring(&stage, "flood").is_empty());
    stage.ask(&Request::Start { name: "log" }).unwrap();
    stage.until_state("log", S::Ready);
    let lines = stage.until_file("kept", |_| true).lines().count();
    stage.until_file("kept", |text| text.lines().count() > lines + 10);
}
