//! lunix-init as PID 1 crashes, in namespaces of its own. Needs root.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Stage;
use common::namespace::{command, init_of, start};
use init_control::{Request, ServiceState as S};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// How the init of a PID namespace ends when it asked the kernel to switch off (`man 2 reboot`).
const POWERED_OFF: i32 = 2;

#[test]
fn pid_1_goes_on_after_crashes_and_gives_its_place_away() {
    let mut stage = Stage::new();
    stage.sleeper("a");
    stage.service("b", &[("run", "#!/bin/sh\nread line <go\necho told\nexec sleep 1000\n")]);
    let fifo = stage.services().join("b/go");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    if !start(&mut stage) {
        return;
    }
    let before = ["a", "b"].map(|name| stage.until_state(name, S::Ready));
    let init = init_of(&stage);
    let rows = |stage: &Stage| ["a", "b"].map(|name| stage.row(name).unwrap());
    for signal in [11, 6] {
        sys::signal::send(sys::signal::Target::Process(init), signal).unwrap();
        stage.line("goes on after a crash");
        assert_eq!(rows(&stage), before);
    }
    stage.ask(&Request::Reexec).unwrap();
    stage.line("goes on in place of another program");
    assert_eq!((rows(&stage), init_of(&stage)), (before.clone(), init));
    // The third within a minute: a person is asked for. In a container that is a shell, which here finds nothing to read.
    sys::signal::send(sys::signal::Target::Process(init), 11).unwrap();
    stage.line("error: too many crashes: /bin/sh on the console; services go on as they are");
    stage.line("/bin/sh has ended: services are looked after again");
    stage.line("goes on after a crash");
    assert_eq!(rows(&stage), before);
    std::fs::write(&fifo, "go\n").unwrap();
    stage.line("b: told");
    stage.ask(&Request::Poweroff).unwrap();
    assert_eq!(stage.wait().signal(), Some(POWERED_OFF));
}

#[test]
fn while_a_person_is_at_work_the_dead_are_buried_and_remembered() {
    let mut stage = Stage::new();
    stage.sleeper("a").sleeper("b").service("up", &[("type", "oneshot\n"), ("up", "#!/bin/sh\nread line <go\n")]);
    let (go, input) = (stage.services().join("up/go"), stage.file("input"));
    for path in [&go, &input] {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }
    // Open for both, so that the shell waits instead of reading an end.
    let commands = std::fs::OpenOptions::new().read(true).write(true).open(&input).unwrap();
    let Some(command) = command(&stage, "true") else { return };
    stage.start_reading(command, commands.try_clone().unwrap().into());
    let a = stage.until_state("a", S::Ready).pid;
    let b = stage.until_state("b", S::Ready);
    let init = init_of(&stage);
    for crash in 1..=3 {
        sys::signal::send(sys::signal::Target::Process(init), 7).unwrap();
        stage.line(&format!("crashes_in_60_s={crash}"));
    }
    stage.line("too many crashes: /bin/sh on the console");
    // Who dies now is buried at once, and what came of it is known afterwards.
    let write = |text: String| std::io::Write::write_all(&mut &commands, text.as_bytes()).unwrap();
    write(format!("kill -9 {}; while test -e /proc/{0}; do :; done; echo >&2 buried\n", a.unwrap()));
    stage.line("buried");
    std::fs::write(&go, "go\n").unwrap();
    write("exit\n".to_owned());
    stage.line("goes on after a crash");
    stage.until("a", "started again", |row| row.state == S::Ready && row.pid != a && row.restarts == 1);
    stage.until_state("up", S::Done);
    assert_eq!(stage.row("b").unwrap(), b);
    stage.ask(&Request::Poweroff).unwrap();
    assert_eq!(stage.wait().signal(), Some(POWERED_OFF));
}
