//! Clients by the hundred, clients that do not read, output without end.

use crate::common::{PATIENCE, Stage};
use crate::faults::{count, until};
use init_control::{Client, Error, Reply, Request, ServiceState as S};
use std::fs;
use sys::signal::{self, Target};

#[test]
fn a_hundred_clients_are_answered_or_refused_and_nobody_waits() {
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    let mut pid = stage.until_state("s", S::Ready).pid.unwrap();
    for _ in 0..count(2, 20) {
        let mut clients: Vec<Client> = (0..100).map(|_| stage.client()).collect();
        let (mut answered, mut refused) = (0, 0);
        for client in &mut clients {
            let mut is_refused = false;
            let outcome =
                client.ask(&Request::List, |reply| is_refused |= matches!(reply, Reply::Refused { code: 75, .. }));
            match outcome {
                Ok(()) if !is_refused => answered += 1,
                // Refused, and closed before it could ask.
                Ok(()) | Err(Error::Closed | Error::Socket(_)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(answered >= 12 && answered + refused == 100, "{answered} answered, {refused} refused");
        // What it is there for goes on meanwhile.
        signal::send(Target::Process(pid), signal::KILL).unwrap();
        drop(clients);
        until("there is room again", || stage.client().ask(&Request::List, |_| {}).is_ok());
        pid = stage.until("s", "back", |row| row.state == S::Ready && row.pid != Some(pid)).pid.unwrap();
        // Otherwise it would come back ever more slowly.
        stage.ask(&Request::Restart { name: "s" }).unwrap();
        pid = stage.until("s", "afresh", |row| row.state == S::Ready && row.pid != Some(pid)).pid.unwrap();
    }
}

#[test]
fn clients_that_send_and_never_read_cost_nothing() {
    let mut stage = Stage::new();
    for number in 0..100 {
        stage.sleeper(&format!("s{number}"));
    }
    stage.start();
    stage.until_state("s99", S::Ready);
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", stage.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let before = memory();
    let mut slow: Vec<Client> = (0..10).map(|_| stage.client()).collect();
    for client in &mut slow {
        // Until it is cut off, or nobody takes what it sends any more.
        for _ in 0..50 {
            if client.send(&Request::List).is_err() {
                break;
            }
        }
    }
    for number in 0..20 {
        let name = format!("s{number}");
        let pid = stage.row(&name).unwrap().pid.unwrap();
        signal::send(Target::Process(pid), signal::KILL).unwrap();
        stage.until(&name, "back", |row| row.state == S::Ready && row.pid != Some(pid));
    }
    assert!(memory() <= before + 256, "memory grew from {before} kB to {} kB", memory());
    drop(slow);
}

#[test]
fn output_without_end_costs_neither_memory_nor_anybodys_turn() {
    let mut stage = Stage::new();
    let amount = count(16, 1024);
    let flood =
        format!("#!/bin/sh\nhead -c {amount}M /dev/zero | tr '\\0' 'x'\necho\necho all written\nexec sleep 1000\n");
    let lines = format!("#!/bin/sh\nyes 'a line' | head -c {}M\nexec sleep 1000\n", amount / 8);
    stage.service("flood", &[("run", &flood)]).service("lines", &[("run", &lines)]).sleeper("calm").start();
    let end = std::time::Instant::now() + PATIENCE * u32::try_from(count(1, 20)).unwrap();
    let mut calm = stage.until_state("calm", S::Ready).pid.unwrap();
    let mut restarts = 0;
    while !stage.log_lines().iter().any(|line| line == "flood: all written") {
        assert!(std::time::Instant::now() < end, "the flood does not end");
        signal::send(Target::Process(calm), signal::KILL).unwrap();
        calm = stage.until("calm", "back", |row| row.state == S::Ready && row.pid != Some(calm)).pid.unwrap();
        stage.ask(&Request::Restart { name: "calm" }).unwrap();
        calm = stage.until("calm", "back", |row| row.state == S::Ready && row.pid != Some(calm)).pid.unwrap();
        restarts += 1;
    }
    let status = fs::read_to_string(format!("/proc/{}/status", stage.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
    let kilobytes: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kilobytes < 16 * 1024, "{peak}");
    println!("{amount} MiB, {restarts} restarts meanwhile, at most {peak}");
}
