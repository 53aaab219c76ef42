//! A person is let in when the boot fails, or asked for it: PID 1 in namespaces of its own, with a script as the person. Needs root.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Stage;
use common::namespace::start_after;
use init_control::{Request, ServiceState as S};

/// Starts it as PID 1 with what the person types as its standard input; false when that cannot be done here.
fn start(stage: &mut Stage, typed: &str, words: &[&str]) -> bool {
    let person = stage.home.join("person");
    std::fs::write(&person, typed).unwrap();
    start_after(stage, &format!("exec <{}", person.display()), words)
}

/// A bundle `boot` of one oneshot that needs the file `repaired`, and a service that needs the bundle.
fn boot_that_fails() -> Stage {
    let mut stage = Stage::new();
    let up = format!("#!/bin/sh\n[ -e {}/repaired ]\n", stage.home.display());
    stage.service("disks", &[("type", "oneshot"), ("up", &up)]);
    stage.service("boot", &[("type", "bundle"), ("contents", "disks\n")]);
    stage.service("after", &[("run", "#!/bin/sh\necho runs\nexec sleep 1000\n"), ("dependencies", "boot\n")]);
    stage
}

#[test]
fn a_boot_that_fails_opens_a_shell_and_goes_on_after_it() {
    let mut stage = boot_that_fails();
    let typed = format!("echo the person is here\ntouch {}/repaired\nexit\n", stage.home.display());
    if !start(&mut stage, &typed, &["--rescue", "shell"]) {
        return;
    }
    stage.line("error: the boot needs disks: ");
    stage.line("the person is here");
    stage.line("after: runs");
    stage.until_state("boot", S::Done);
    stage.ask(&Request::Poweroff).unwrap();
    stage.wait();
}

#[test]
fn where_nobody_is_the_shell_is_not_opened_for_ever() {
    let mut stage = boot_that_fails();
    if !start(&mut stage, "", &["--rescue", "shell"]) {
        return;
    }
    stage.line("nobody is at the console");
    assert_eq!(stage.row("disks").unwrap().state, S::Broken);
    assert_eq!(stage.row("after").unwrap().state, S::Waiting);
    stage.ask(&Request::Poweroff).unwrap();
    stage.wait();
}

#[test]
fn what_is_critical_is_needed_too() {
    let mut stage = Stage::new();
    stage.service("plain", &[("type", "oneshot"), ("up", "#!/bin/sh\nexit 1\n")]);
    stage.service("grave", &[("type", "oneshot"), ("up", "#!/bin/sh\nexit 1\n"), ("critical", "")]);
    if !start(&mut stage, "echo a person\n", &["--rescue", "shell"]) {
        return;
    }
    let line = stage.line("error: the boot needs");
    assert!(line.contains("grave"), "{line}");
    stage.line("a person");
    stage.ask(&Request::Poweroff).unwrap();
    stage.wait();
}

#[test]
fn single_starts_the_boot_then_a_shell_then_the_rest() {
    let mut stage = boot_that_fails();
    std::fs::write(stage.home.join("repaired"), "").unwrap();
    stage.service("other", &[("run", "#!/bin/sh\necho other runs\nexec sleep 1000\n")]);
    if !start(&mut stage, "echo here\n", &["--rescue", "shell", "single"]) {
        return;
    }
    stage.line("info: the rest is started when this shell ends");
    stage.line("here");
    stage.line("info: the rescue shell has ended: going on");
    // Lines come in order, so it did not run before.
    stage.line("other: other runs");
    stage.until_state("after", S::Ready);
    stage.ask(&Request::Poweroff).unwrap();
    stage.wait();
}

#[test]
fn emergency_starts_nothing_before_the_shell() {
    let mut stage = boot_that_fails();
    let typed = format!("echo nothing runs\ntouch {}/repaired\n", stage.home.display());
    if !start(&mut stage, &typed, &["emergency", "--rescue", "shell"]) {
        return;
    }
    stage.line("nothing runs");
    stage.line("after: runs");
    stage.ask(&Request::Poweroff).unwrap();
    stage.wait();
}
