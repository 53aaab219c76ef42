//! How everything comes to an end.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{PATIENCE, Stage, is_alive};
use init_control::ServiceState as S;
use std::time::{Duration, Instant};
use sys::signal::TERM;

#[test]
fn services_end_before_what_they_depend_on() {
    let mut stage = Stage::new();
    let run = |name: &str| {
        format!(
            "#!/bin/sh\ntrap 'sleep 0.1; echo {name} >>../../order; exit' TERM\necho >&3\nwhile :; do sleep 0.01; done\n"
        )
    };
    stage.service("bus", &[("run", &run("bus")), ("notification-fd", "3")]);
    stage.service("middle", &[("run", &run("middle")), ("notification-fd", "3"), ("dependencies.d/bus", "")]);
    stage.service("top", &[("run", &run("top")), ("notification-fd", "3"), ("dependencies.d/middle", "")]);
    stage.start();
    stage.until_state("top", S::Ready);
    assert!(stage.end().success());
    assert_eq!(std::fs::read_to_string(stage.file("order")).unwrap(), "top\nmiddle\nbus\n");
    assert!(!stage.socket().exists());
}

#[test]
fn what_does_not_end_is_killed_at_the_limit() {
    let mut stage = Stage::new();
    stage.service("deaf", &[("run", "#!/bin/sh\ntrap '' TERM\necho deaf\nwhile :; do sleep 0.02; done\n")]);
    let mut command = stage.command();
    command.args(["--stop-limit-ms", "300"]);
    stage.start_as(command);
    stage.line("deaf");
    let begin = Instant::now();
    assert!(stage.end().success());
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert!(
        stage.rest_of_lines().iter().any(|line| line == "lunix-init: warn: services did not end in time: killing them")
    );
}

#[test]
fn a_second_request_has_less_patience() {
    let mut stage = Stage::new();
    stage.service("deaf", &[("run", "#!/bin/sh\ntrap '' TERM\necho deaf\nwhile :; do sleep 0.02; done\n")]).start();
    stage.line("deaf");
    stage.signal(TERM);
    stage.line("info: shutdown");
    stage.signal(TERM);
    let begin = Instant::now();
    stage.wait();
    assert!(begin.elapsed() < Duration::from_secs(10), "the limit of 30 s was not shortened");
}

#[test]
fn orphans_of_services_are_not_left_behind() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\n(setsid sleep 1000 & echo orphan $!)\nexec sleep 1000\n")]).start();
    let orphan: i32 = stage.line("orphan").rsplit(' ').next().unwrap().parse().unwrap();
    stage.until_state("s", S::Ready);
    assert!(stage.end().success());
    let end = Instant::now() + PATIENCE;
    while is_alive(orphan) {
        assert!(Instant::now() < end, "the orphan lives on");
    }
}

#[test]
fn an_end_during_the_start_is_orderly_too() {
    let mut stage = Stage::new();
    stage.service("slow", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("notification-fd", "3")]);
    stage.service("crash", &[("run", "#!/bin/sh\nexit 1\n")]);
    stage.service("broken", &[("data/x", "")]);
    stage.service("later", &[("run", "#!/bin/sh\n"), ("dependencies.d/slow", "")]).start();
    stage.until_state("slow", S::Starting);
    assert!(stage.end().success());
}
