//! One lunix-init gives its process to another: services notice nothing.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{BINARY, Stage, is_alive};
use init_control::{Reply, Request, ServiceState as S};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;

/// Asks it to give its place away; the refusal's sentence when it does not.
fn exchange(stage: &Stage) -> Result<(), String> {
    stage.ask(&Request::Reexec).map(|_| ()).map_err(|(_, sentence)| sentence)
}

fn log(stage: &Stage) -> Vec<String> {
    let mut lines = Vec::new();
    let mut each = |reply: &Reply<'_>| {
        if let Reply::Line(text) = reply {
            lines.push(text.to_string());
        }
    };
    stage.client().ask(&Request::Log { name: None, follow: false }, &mut each).unwrap();
    lines
}

#[test]
fn services_keep_their_processes_states_and_histories() {
    let mut stage = Stage::new();
    stage.sleeper("plain").sleeper("stopped").service("up", &[("type", "oneshot\n"), ("up", "#!/bin/sh\ntrue\n")]);
    stage.service("crashing", &[("run", "#!/bin/sh\nexit 3\n")]);
    stage.service("broken", &[("run", "#!/no/such/interpreter\n")]);
    stage.service("silent", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("notification-fd", "3")]);
    stage.start();
    stage.until_state("plain", S::Ready);
    stage.ask(&Request::Stop { name: "stopped" }).unwrap();
    stage.until_state("stopped", S::Down);
    stage.until_state("broken", S::Broken);
    stage.until_state("up", S::Done);
    stage.until_state("silent", S::Starting);
    stage.until("crashing", "in its fifth delay", |row| row.state == S::Backoff && row.restarts >= 4);
    let names = ["plain", "stopped", "up", "broken", "silent"];
    let before: Vec<_> = names.iter().map(|name| stage.row(name).unwrap()).collect();
    exchange(&stage).unwrap();
    stage.line("goes on in place of another program (services=6, records_lost=0)");
    let after: Vec<_> = names.iter().map(|name| stage.row(name).unwrap()).collect();
    assert_eq!(before, after);
    assert!(stage.row("crashing").unwrap().restarts >= 4);
    // Its delay goes on, and ends.
    let restarts = stage.row("crashing").unwrap().restarts;
    stage.until("crashing", "started again", |row| row.restarts > restarts);
    // What happens from now on is seen as ever.
    stage.ask(&Request::Start { name: "stopped" }).unwrap();
    stage.until_state("stopped", S::Ready);
    let pid = before[0].pid.unwrap();
    sys::signal::send(sys::signal::Target::Process(pid), sys::signal::KILL).unwrap();
    stage.until("plain", "another process", |row| row.pid.is_some_and(|new| new != pid));
    assert!(stage.end().success());
}

#[test]
fn again_and_again_nothing_is_lost_or_left_open() {
    let mut stage = Stage::new();
    stage.sleeper("a").sleeper("b").start();
    let pid = stage.until_state("a", S::Ready).pid;
    stage.until_state("b", S::Ready);
    let open = || std::fs::read_dir(format!("/proc/{}/fd", stage.pid())).unwrap().count();
    exchange(&stage).unwrap();
    stage.row("a").unwrap();
    let first = open();
    for _ in 0..10 {
        exchange(&stage).unwrap();
        assert_eq!(stage.row("a").unwrap().pid, pid);
    }
    // A client of before may not have been dropped yet, the first time.
    stage.until_seen("no more descriptors than before", || (open() <= first).then_some(()));
    let name = std::fs::read_to_string(format!("/proc/{}/comm", stage.pid())).unwrap();
    assert_eq!(name, "lunix-init\n");
}

#[test]
fn no_line_is_lost_not_even_one_that_has_only_begun() {
    let mut stage = Stage::new();
    let run = "#!/bin/sh\necho before\nprintf 'begun '\necho >&3\nread line <go\necho and ended\nexec sleep 1000\n";
    stage.service("talker", &[("run", run), ("notification-fd", "3")]);
    let fifo = stage.services().join("talker/go");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    stage.start();
    stage.until_state("talker", S::Ready);
    stage.line("talker: before");
    exchange(&stage).unwrap();
    std::fs::write(&fifo, "go\n").unwrap();
    stage.line("talker: begun and ended");
    let lines = log(&stage);
    assert_eq!(lines, ["talker: before", "talker: begun and ended"]);
}

#[test]
fn listening_sockets_stay_open_and_what_is_in_keeping_is_kept() {
    let mut stage = Stage::new();
    let path = stage.file("web.sock");
    let run = "#!/bin/sh\necho fds $LISTEN_FDS $LISTEN_FDNAMES\nexec sleep 1000\n";
    let sockets = format!("web stream {} 0600\nnet stream 127.0.0.1:0\n", path.display());
    stage.service("server", &[("run", run), ("sockets", &sockets)]);
    stage.start();
    let pid = stage.until_state("server", S::Ready).pid;
    let waiting = UnixStream::connect(&path).unwrap();
    exchange(&stage).unwrap();
    assert_eq!(stage.row("server").unwrap().pid, pid);
    UnixStream::connect(&path).unwrap();
    stage.ask(&Request::Restart { name: "server" }).unwrap();
    stage.until("server", "another process", |row| row.state == S::Ready && row.pid != pid);
    stage.line("server: fds 2 web:net");
    stage.line("server: fds 2 web:net");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(waiting);
    assert!(stage.end().success());
    assert!(!path.exists(), "the socket's path is removed in the end");
}

#[test]
fn a_stop_that_is_under_way_goes_on_and_its_limit_holds() {
    let mut stage = Stage::new();
    let deaf = "#!/bin/sh\ntrap '' TERM\necho >&3\nwhile :; do sleep 0.05; done\n";
    stage.service("deaf", &[("run", deaf), ("notification-fd", "3"), ("timeout-kill", "700"), ("down", "")]);
    stage.start();
    stage.ask(&Request::Start { name: "deaf" }).unwrap();
    stage.until_state("deaf", S::Ready);
    stage.ask(&Request::Stop { name: "deaf" }).unwrap();
    exchange(&stage).unwrap();
    assert_eq!(stage.row("deaf").unwrap().state, S::Stopping);
    stage.until_state("deaf", S::Down);
}

#[test]
fn a_program_that_cannot_take_over_leaves_the_old_one_running() {
    let mut stage = Stage::new();
    stage.sleeper("a");
    // The program is looked for where it was started from.
    let own = stage.file("init");
    std::fs::copy(BINARY, &own).unwrap();
    let mut command = Command::new(&own);
    command.arg("--services").arg(stage.services()).arg("--control").arg(stage.socket());
    stage.start_as(command);
    let before = stage.until_state("a", S::Ready);
    let replace = |content: &[u8]| {
        let draft = stage.file("draft");
        std::fs::write(&draft, content).unwrap();
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&draft, &own).unwrap();
    };
    for (content, why) in [
        (&b"not a program"[..], "Exec format error"),
        (b"#!/bin/sh\nexit 64\n", "it says no (exited 64)"),
        (b"#!/bin/sh\nkill -SEGV $$\n", "it was ended by signal 11"),
    ] {
        replace(content);
        let sentence = exchange(&stage).unwrap_err();
        assert!(sentence.contains("cannot take over") && sentence.contains(why), "{sentence}");
        assert_eq!(stage.row("a"), Some(before.clone()));
    }
    // A good one is taken.
    replace(&std::fs::read(BINARY).unwrap());
    exchange(&stage).unwrap();
    assert_eq!(stage.row("a"), Some(before));
}

#[test]
fn what_changed_meanwhile_is_taken_over_afterwards() {
    let mut stage = Stage::new();
    stage.sleeper("kept").sleeper("goes").start();
    let kept = stage.until_state("kept", S::Ready);
    let gone = stage.until_state("goes", S::Ready).pid.unwrap();
    std::fs::rename(stage.services().join("goes"), stage.file("elsewhere")).unwrap();
    exchange(&stage).unwrap();
    stage.until_option("goes", "gone", |row| row.is_none().then_some(()));
    assert!(!is_alive(gone));
    assert_eq!(stage.row("kept"), Some(kept));
}

#[test]
fn sd_notify_goes_on_under_the_same_address() {
    let mut stage = Stage::new();
    let script = concat!(
        "#!/usr/bin/env python3\nimport os, socket, sys, time\n",
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n",
        "s.connect('\\0' + os.environ['NOTIFY_SOCKET'][1:])\n",
        "s.send(b'READY=1\\nSTATUS=first')\n",
        "for line in open('go'):\n    s.send(line.encode())\n",
        "time.sleep(1000)\n"
    );
    if Command::new("python3").arg("--version").output().is_err() {
        return common::skip("python3 is not here");
    }
    stage.service("s", &[("run", script), ("notify-socket", ""), ("watchdog", "60000")]);
    let fifo = stage.services().join("s/go");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    stage.start();
    let before = stage.until("s", "with a status", |row| row.status == "first");
    exchange(&stage).unwrap();
    assert_eq!(stage.row("s").unwrap(), before);
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    pipe.write_all(b"STATUS=second\n").unwrap();
    drop(pipe);
    let after = stage.until_seen("another status", || stage.row("s").filter(|row| row.status == "second"));
    assert_eq!((after.pid, after.state), (before.pid, S::Ready));
}

#[test]
fn only_who_may_command_may_ask_for_it() {
    let mut stage = Stage::new();
    stage.start();
    if !common::is_root() {
        return common::skip("only root can become somebody else");
    }
    let python = "import os, socket, sys\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.connect(sys.argv[1])\ns.send(b'reexec')\nprint(s.recv(4096).decode())";
    let output = Command::new("python3").args(["-c", python]).arg(stage.socket()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("error code=77"), "{text}");
}
