//! lunix-init as PID 1, in a PID, mount and host-name namespace of its own. Needs root.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::namespace::{init_of, start};
use common::{PATIENCE, Stage};
use init_control::{Request, ServiceState as S};
use std::os::unix::process::ExitStatusExt;
use std::time::Instant;

/// How the init of a PID namespace ends tells what it asked the kernel for (`man 2 reboot`).
fn ends_by(stage: &mut Stage, signal: i32) {
    assert_eq!(stage.wait().signal(), Some(signal));
}

const POWERED_OFF: i32 = 2;
const REBOOTED: i32 = 1;

#[test]
fn it_supervises_reaps_orphans_and_powers_off() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\necho pid $$ of init $PPID lo $(cat /sys/class/net/lo/flags)\nfor i in 1 2 3 4 5; do (sleep 0.05 &); done\nexec sleep 1000\n")]);
    let end = "#!/bin/sh\ntrap 'echo ended in order; exit' TERM\necho >&3\nwhile :; do sleep 0.02; done\n";
    stage.service("orderly", &[("run", end), ("notification-fd", "3")]);
    if !start(&mut stage) {
        return;
    }
    let line = stage.line("s: pid");
    assert!(line.contains("of init 1 "), "{line}");
    stage.until_state("orderly", S::Ready);
    let limit = Instant::now() + PATIENCE;
    // The orphans' end needs no sign: none may be left, dead or alive.
    let children = || {
        let init = init_of(&stage);
        std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap().split_whitespace().count()
    };
    while children() != 2 {
        assert!(Instant::now() < limit, "orphans are left");
    }
    stage.ask(&Request::Poweroff).unwrap();
    ends_by(&mut stage, POWERED_OFF);
    let lines = stage.rest_of_lines();
    assert!(lines.contains(&"orderly: ended in order".to_owned()), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("lunix-init: info: goodbye"));
}

#[test]
fn strays_are_ended_too_and_what_is_deaf_is_killed() {
    let mut stage = Stage::new();
    stage.service(
        "s",
        &[(
            "run",
            "#!/bin/sh\nsetsid sh -c 'trap \"\" TERM; echo deaf; while :; do sleep 0.05; done' &\nexec sleep 1000\n",
        )],
    );
    if !start(&mut stage) {
        return;
    }
    stage.line("deaf");
    stage.ask(&Request::Reboot).unwrap();
    ends_by(&mut stage, REBOOTED);
}

#[test]
fn the_signals_of_busybox_are_understood() {
    for (number, expected, word) in [
        (sys::signal::USR2, POWERED_OFF, "poweroff"),
        (sys::signal::TERM, REBOOTED, "reboot"),
        (sys::signal::USR1, POWERED_OFF, "halt"),
        (sys::signal::INT, REBOOTED, "reboot"),
        (sys::signal::PWR, POWERED_OFF, "poweroff"),
    ] {
        let mut stage = Stage::new();
        stage.service("s", &[("run", "#!/bin/sh\necho up\nexec sleep 1000\n")]);
        if !start(&mut stage) {
            return;
        }
        stage.line("s: up");
        sys::signal::send(sys::signal::Target::Process(init_of(&stage)), number).unwrap();
        stage.line(&format!("info: {word}"));
        ends_by(&mut stage, expected);
    }
}
