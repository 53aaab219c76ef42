//! What people say on the control socket.
#![expect(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test")]

mod common;

use common::{BINARY, PATIENCE, Stage, is_root, skip};
use init_control::{Client, Reply, Request, ServiceState as S};
use std::process::Command;
use std::time::Instant;

#[test]
fn stop_and_start_are_overrides_shown_until_undone() {
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    stage.until_state("s", S::Ready);
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    let row = stage.until_state("s", S::Down);
    assert_eq!((row.wanted, row.chosen, row.pid), (false, Some(false), None));
    // Reading the directory again does not undo it.
    stage.ask(&Request::Rescan).unwrap();
    assert_eq!(stage.row("s").unwrap().state, S::Down);
    stage.ask(&Request::Start { name: "s" }).unwrap();
    assert_eq!(stage.until_state("s", S::Ready).chosen, None);
}

#[test]
fn a_service_with_a_down_file_can_be_started_and_stopped() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("down", "")]).start();
    stage.ask(&Request::Start { name: "s" }).unwrap();
    assert_eq!(stage.until_state("s", S::Ready).chosen, Some(true));
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    assert_eq!(stage.until_state("s", S::Down).chosen, None);
}

#[test]
fn restart_replaces_the_process_and_forgets_the_backoff() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\ntest -e ../../good || exit 1\nexec sleep 1000\n")]).start();
    stage.line("starts again in 800 ms");
    std::fs::write(stage.file("good"), "").unwrap();
    stage.ask(&Request::Restart { name: "s" }).unwrap();
    let first = stage.until_state("s", S::Ready);
    stage.ask(&Request::Restart { name: "s" }).unwrap();
    stage.until("s", "another process", |row| row.state == S::Ready && row.pid != first.pid);
}

#[test]
fn stop_uses_the_services_own_signal_and_then_kills_its_whole_group() {
    let mut stage = Stage::new();
    let run =
        "#!/bin/sh\ntrap 'echo got usr1' USR1\ntrap '' TERM\nsleep 1000 &\necho child $!\nwhile :; do wait; done\n";
    stage.service("s", &[("run", run), ("down-signal", "USR1\n"), ("timeout-kill", "300\n")]).start();
    let child: i32 = stage.line("child").rsplit(' ').next().unwrap().parse().unwrap();
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.line("s: got usr1");
    stage.until_state("s", S::Down);
    let end = Instant::now() + PATIENCE;
    while common::is_alive(child) {
        assert!(Instant::now() < end, "the child was left behind");
    }
}

#[test]
fn signal_reaches_the_process() {
    let mut stage = Stage::new();
    stage
        .service("s", &[("run", "#!/bin/sh\ntrap 'echo hup' HUP\necho there\nwhile :; do sleep 0.02; done\n")])
        .start();
    stage.line("s: there");
    stage.ask(&Request::Signal { name: "s", signal: "HUP" }).unwrap();
    stage.line("s: hup");
    assert_eq!(
        stage.ask(&Request::Signal { name: "s", signal: "DANCE" }),
        Err((64, "there is no signal DANCE".to_owned()))
    );
}

#[test]
fn what_cannot_be_done_is_refused_in_a_sentence() {
    let mut stage = Stage::new();
    stage.service("broken", &[("data/x", "")]).start();
    let refused = |request: &Request<'_>| stage.ask(request).unwrap_err();
    assert_eq!(refused(&Request::Start { name: "nobody" }), (69, "there is no service nobody".to_owned()));
    assert_eq!(refused(&Request::Poweroff).0, 64);
    let (code, reason) = refused(&Request::Start { name: "broken" });
    assert_eq!((code, reason.as_str()), (78, "broken: run: expected an executable file of this name, found none"));
}

#[test]
fn garbage_on_the_socket_is_answered_and_harms_nobody() {
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType};
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    rustix::net::connect(&socket, &SocketAddrUnix::new(stage.socket()).unwrap()).unwrap();
    for (packet, begin) in [
        (&b"\xff\x00garbage"[..], "error code=64"),
        (b"dance", "error code=64"),
        (&[b'a'; 2000], "error code=64"),
        (b"status name=s", "service name=s"),
    ] {
        rustix::net::send(&socket, packet, SendFlags::empty()).unwrap();
        let mut buffer = [0; 4096];
        let (length, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty()).unwrap();
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(answer.starts_with(begin), "{answer}");
    }
    stage.until_state("s", S::Ready);
}

#[test]
fn others_may_look_and_not_touch() {
    if !is_root() {
        return skip("only root can become nobody");
    }
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    stage.until_state("s", S::Ready);
    let ask = |packet: &str| {
        let script = format!(
            "use Socket; socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0) or die; connect($s, pack_sockaddr_un('{}')) or die $!; send($s, '{packet}', 0); recv($s, my $b, 4096, 0); print $b",
            stage.socket().display()
        );
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "perl", "-e", &script])
            .output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Ok(answer) = ask("status name=s") else { return skip("setpriv and perl are needed") };
    assert!(answer.starts_with("service name=s state=ready"), "{answer}");
    for verb in [
        "stop name=s",
        "start name=s",
        "restart name=s",
        "signal name=s signal=KILL",
        "log",
        "rescan",
        "reexec",
        "poweroff",
        "reboot",
        "halt",
    ] {
        let word = verb.split(' ').next().unwrap();
        assert_eq!(
            ask(verb).unwrap(),
            format!("error code=77 reason=\"{word} needs root or the user lunix-init runs as\"")
        );
    }
    assert_eq!(stage.row("s").unwrap().state, S::Ready);
}

#[test]
fn a_watcher_that_does_not_read_is_told_what_it_lost_and_holds_up_nobody() {
    let mut stage = Stage::new();
    // Each start fails at once, which makes two events.
    stage.service("s", &[("run", "not executable")]).start();
    let mut slow = stage.client();
    slow.send(&Request::Watch).unwrap();
    let first = loop {
        if let Reply::End { seq, .. } = slow.reply().unwrap() {
            break seq;
        }
    };
    let end = Instant::now() + PATIENCE;
    let mut client = stage.client();
    for _ in 0..2000 {
        client.ask(&Request::Start { name: "s" }, |_| {}).unwrap();
        assert!(Instant::now() < end, "held up");
    }
    let (mut last, mut lost) = (first, 0);
    while last < first + 4000 {
        match slow.reply().unwrap() {
            Reply::Event(event) => {
                assert_eq!(event.seq, last + 1, "events are without holes");
                last = event.seq;
            }
            Reply::Lost(count) => {
                lost += count;
                assert!(matches!(slow.reply().unwrap(), Reply::Service(row) if row.name == "s"));
                let Reply::End { seq, .. } = slow.reply().unwrap() else { panic!("the rows have no end") };
                assert_eq!(seq, last + count, "what was lost is counted");
                last = seq;
            }
            _ => {}
        }
    }
    assert!(lost > 100, "{lost}");
}

#[test]
fn clients_are_bounded() {
    let mut stage = Stage::new();
    stage.start();
    let mut held: Vec<Client> = Vec::new();
    let refused = loop {
        let mut client = stage.client();
        let mut refusal = None;
        let outcome = client.ask(&Request::List, |reply| {
            if let Reply::Refused { code, .. } = reply {
                refusal = Some(*code)
            }
        });
        if refusal.is_some() || outcome.is_err() {
            break refusal;
        }
        held.push(client);
        assert!(held.len() < 100, "no bound");
    };
    assert!(held.len() >= 12 && refused.is_none_or(|code| code == 75), "{} {refused:?}", held.len());
    drop(held);
    let end = Instant::now() + PATIENCE;
    while stage.client().ask(&Request::List, |_| {}).is_err() {
        assert!(Instant::now() < end, "no place is free again");
    }
}

#[test]
fn a_second_lunix_init_does_not_take_the_socket() {
    let mut stage = Stage::new();
    stage.start();
    let output = stage.command().output().unwrap();
    assert_eq!(output.status.code(), Some(71));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ddress already in use"), "{output:?}");
    assert_eq!(stage.ask(&Request::List).unwrap().len(), 0);
}

#[test]
fn check_config_tells_what_is_wrong() {
    let mut stage = Stage::new();
    stage.sleeper("fine");
    let check = |stage: &Stage| {
        let output =
            Command::new(BINARY).arg("--check-config").arg("--services").arg(stage.services()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check(&stage), (Some(0), "lunix-init: info: 1 services read, 0 of them broken\n".to_owned()));
    stage.service("bad", &[("run", "#!/bin/sh\n"), ("down-signal", "DANCE")]);
    let (code, text) = check(&stage);
    assert_eq!(code, Some(78));
    assert!(
        text.contains("bad: down-signal: expected a signal, such as TERM, SIGTERM or 15, found \"DANCE\""),
        "{text}"
    );
}

#[test]
fn the_operators_word_outlives_lunix_init_and_not_a_change_of_the_service() {
    let mut stage = Stage::new();
    stage
        .sleeper("stopped")
        .sleeper("changed")
        .sleeper("plain")
        .service("off", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("down", "")]);
    let with_file = |stage: &Stage| {
        let mut command = stage.command();
        command.arg("--overrides").arg(stage.file("overrides"));
        command
    };
    let command = with_file(&stage);
    stage.start_as(command);
    for name in ["stopped", "changed"] {
        stage.until_state(name, S::Ready);
        stage.ask(&Request::Stop { name }).unwrap();
        stage.until_state(name, S::Down);
    }
    stage.ask(&Request::Start { name: "off" }).unwrap();
    stage.until_state("off", S::Ready);
    assert!(stage.end().success());
    std::fs::write(stage.services().join("changed/data"), "new").unwrap();
    let command = with_file(&stage);
    stage.start_as(command);
    for (name, state, chosen) in [
        ("stopped", S::Down, Some(false)),
        ("off", S::Ready, Some(true)),
        ("changed", S::Ready, None),
        ("plain", S::Ready, None),
    ] {
        assert_eq!(stage.until_state(name, state).chosen, chosen, "{name}");
    }
    // Undone, it is forgotten.
    stage.ask(&Request::Start { name: "stopped" }).unwrap();
    stage.until_state("stopped", S::Ready);
    stage.until_file("overrides", |text| text.lines().count() == 1 && text.contains("name=off"));
}
