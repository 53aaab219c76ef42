//! How services come up.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Stage, is_root, skip};
use init_control::ServiceState as S;
use std::fs;

fn writes(stage: &Stage, word: &str, then: &str) -> String {
    format!("#!/bin/sh\necho {word} >>{}\n{then}\n", stage.file("order").display())
}

#[test]
fn services_start_when_what_they_depend_on_is_ready() {
    let mut stage = Stage::new();
    let bus = writes(&stage, "bus", "sleep 0.2\necho ready >>../../order\necho >&4\nexec sleep 1000");
    stage.service("bus", &[("run", &bus), ("notification-fd", "4\n")]);
    let a = writes(&stage, "a", "exec sleep 1000");
    stage.service("a", &[("run", &a), ("dependencies.d/middle", "")]);
    let middle = writes(&stage, "middle", "echo >&4\nexec sleep 1000");
    stage.service("middle", &[("run", &middle), ("notification-fd", "4"), ("dependencies.d/bus", "")]);
    stage.start();
    let waiting = stage.until("a", "waiting or up", |row| row.state != S::Down);
    assert!(waiting.state == S::Ready || waiting.reason.starts_with("waits for middle"), "{waiting:?}");
    stage.until_state("a", S::Ready);
    let order = stage.until_file("order", |text| text.lines().count() == 4);
    assert_eq!(order, "bus\nready\nmiddle\na\n");
}

#[test]
fn a_notification_descriptor_closed_without_a_line_is_no_readiness() {
    let mut stage = Stage::new();
    stage
        .service("mute", &[("run", "#!/bin/sh\nexec 3>&-\necho running\nexec sleep 1000\n"), ("notification-fd", "3")]);
    stage.start();
    stage.line("mute: running");
    assert_eq!(stage.row("mute").unwrap().state, S::Starting);
}

#[test]
fn sd_notify_counts_from_the_service_and_its_children_and_from_nobody_else() {
    if std::process::Command::new("perl").arg("-v").output().is_err() {
        return skip("perl is needed to send a datagram");
    }
    const SEND: &str = "#!/bin/sh
exec perl -MSocket -e '
    (my $address = $ENV{NOTIFY_SOCKET}) =~ s/^@/\\0/;
    socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
    send($s, \"STATUS=here\\nREADY=1\\n\", 0, pack_sockaddr_un($address)) or die $!;
    sleep 1000'
";
    let mut stage = Stage::new();
    stage.service("own", &[("run", SEND), ("notify-socket", "")]);
    stage.service("child", &[("run", "#!/bin/sh\n./send &\nexec sleep 1000\n"), ("send", SEND), ("notify-socket", "")]);
    // Knows the address by a trick, and is believed nothing.
    let spy = "#!/bin/sh\necho $NOTIFY_SOCKET >../../address\nexec sleep 1000\n";
    stage.service("quiet", &[("run", spy), ("notify-socket", "")]);
    stage.service("liar", &[("run", "#!/bin/sh\nwhile ! test -s ../../address; do sleep 0.01; done\nNOTIFY_SOCKET=$(cat ../../address) exec ./send\n"), ("send", SEND)]);
    stage.start();
    stage.until_state("own", S::Ready);
    stage.until_state("child", S::Ready);
    stage.until_file("address", |text| text.starts_with('@'));
    assert_eq!(stage.row("quiet").unwrap().state, S::Starting);
}

#[test]
fn oneshots_run_once_and_hold_back_what_depends_on_them() {
    let mut stage = Stage::new();
    let up = writes(&stage, "up", "sleep 0.1");
    stage.service("mount", &[("type", "oneshot\n"), ("up", &up), ("down", "#!/bin/sh\necho down >>../../order\n")]);
    let user = writes(&stage, "user", "exec sleep 1000");
    stage.service("user", &[("run", &user), ("dependencies.d/mount", "")]);
    stage.service("bad", &[("type", "oneshot"), ("up", "#!/bin/sh\nexit 3\n")]);
    stage.service("never", &[("run", "#!/bin/sh\nexit\n"), ("dependencies.d/bad", "")]);
    stage.start();
    stage.until_state("user", S::Ready);
    assert_eq!(stage.row("mount").unwrap().state, S::Done);
    let bad = stage.until_state("bad", S::Broken);
    assert_eq!(bad.reason, "up exited 3: not started again");
    assert_eq!(stage.row("never").unwrap().reason, "waits for bad");
    // A service without notification is ready before its shell has come to the first line.
    stage.until_file("order", |text| text == "up\nuser\n");
    assert!(stage.end().success());
    assert_eq!(fs::read_to_string(stage.file("order")).unwrap(), "up\nuser\ndown\n");
}

#[test]
fn a_circle_of_dependencies_and_a_missing_one_are_named() {
    let mut stage = Stage::new();
    stage.service("a", &[("run", "#!/bin/sh\n"), ("dependencies.d/b", "")]);
    stage.service("b", &[("run", "#!/bin/sh\n"), ("dependencies.d/a", "")]);
    stage.service("c", &[("run", "#!/bin/sh\n"), ("dependencies.d/nobody", "")]);
    stage.sleeper("fine").start();
    stage.until_state("fine", S::Ready);
    let circle = stage.row("a").unwrap();
    assert_eq!(
        (circle.state, circle.reason.as_str()),
        (S::Broken, "dependencies.d: the dependencies run in a circle: a, b, a")
    );
    assert_eq!(stage.row("c").unwrap().reason, "dependencies.d/nobody: there is no such service");
    stage.line("lunix-init: error: c: broken: dependencies.d/nobody: there is no such service");
}

#[test]
fn the_environment_is_inits_own_changed_by_env() {
    let mut stage = Stage::new();
    stage.service(
        "env",
        &[
            ("run", "#!/bin/sh\necho \"A=$A B=$B C=$C D=${D-unset}\"\nexec sleep 1000\n"),
            ("env/A", "from the file \nsecond line"),
            ("env/D", ""),
        ],
    );
    let mut command = stage.command();
    command.env("A", "from init").env("B", "kept").env("C", "").env("D", "gone");
    stage.start_as(command);
    assert_eq!(stage.line("A="), "env: A=from the file B=kept C= D=unset");
}

#[test]
fn a_service_runs_as_the_user_its_file_names() {
    if !is_root() {
        return skip("only root can become somebody else");
    }
    let mut stage = Stage::new();
    stage.service(
        "other",
        &[("run", "#!/bin/sh\necho \"$(id -u) $(id -g) $(id -G)\"\nexec sleep 1000\n"), ("user", "12345:54321\n")],
    );
    stage.service("named", &[("run", "#!/bin/sh\necho \"$(id -un)\"\nexec sleep 1000\n"), ("user", "nobody")]);
    stage.service("unknown", &[("run", "#!/bin/sh\n"), ("user", "no-such-user")]);
    stage.start();
    let unknown = stage.until_state("unknown", S::Broken);
    assert_eq!(unknown.reason, "user: there is no user no-such-user in /etc/passwd");
    stage.until_state("other", S::Ready);
    let mut lines = [stage.line(": "), stage.line(": "), stage.line(": ")];
    lines.sort();
    assert!(
        lines.contains(&"other: 12345 54321 54321".to_owned()) && lines.contains(&"named: nobody".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_service_inherits_nothing_but_what_it_is_given() {
    let mut stage = Stage::new();
    let run = "#!/bin/sh
ls /proc/$$/fd >../../fds
grep Sig[BI] /proc/self/status >../../signals
echo in $(readlink /proc/$$/fd/0) limit $(ulimit -n)
exec sleep 1000
";
    stage.service("clean", &[("run", run)]);
    let inner = format!(
        "trap '' HUP; exec 7</dev/null; ulimit -Sn 500; exec {:?} --services {:?} --control {:?}",
        common::BINARY,
        stage.services(),
        stage.socket()
    );
    let mut command = std::process::Command::new("sh");
    command.arg("-c").arg(inner);
    stage.start_as(command);
    assert_eq!(stage.line("limit"), "clean: in /dev/null limit 500");
    let fds = fs::read_to_string(stage.file("fds")).unwrap();
    // A shell keeps its script open, at 10 or above.
    let low: Vec<&str> = fds.lines().filter(|fd| fd.len() == 1).collect();
    assert_eq!(low, ["0", "1", "2"]);
    let signals = fs::read_to_string(stage.file("signals")).unwrap();
    assert_eq!(signals, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

#[test]
fn a_logger_reads_what_its_service_writes_and_loses_nothing_by_its_death() {
    let mut stage = Stage::new();
    stage.service("web", &[
        ("run", "#!/bin/sh\ni=0\nwhile test $i -lt 50; do i=$((i+1)); echo line $i; sleep 0.01; done\necho to init >&2\nexec sleep 1000\n"),
        ("log/run", "#!/bin/sh\nread a && echo $a >>../../../logged\nread b && echo $b >>../../../logged\n"),
    ]);
    stage.start();
    stage.line("web: to init");
    let logged = stage.until_file("logged", |text| text.lines().count() >= 6);
    let expected: Vec<String> = (1..=6).map(|number| format!("line {number}")).collect();
    assert_eq!(logged.lines().take(6).collect::<Vec<_>>(), expected);
    assert!(stage.row("web/log").unwrap().restarts >= 2);
}

#[test]
fn a_down_file_keeps_a_service_down() {
    let mut stage = Stage::new();
    stage.service("off", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("down", "")]);
    stage.sleeper("on").start();
    stage.until_state("on", S::Ready);
    let off = stage.row("off").unwrap();
    assert_eq!((off.state, off.wanted, off.chosen), (S::Down, false, None));
}

#[test]
fn the_ready_descriptor_gets_a_line_end_and_is_closed() {
    let mut stage = Stage::new();
    stage.sleeper("a");
    let inner = format!("exec {:?} --services {:?} --ready-fd 5", common::BINARY, stage.services());
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("{{ {{ timeout 5 sh -c '{inner}' 5>&1 >/dev/null & echo $! >pid; }} | head -c 1 | od -An -tx1; }}; kill $(cat pid)"))
        .current_dir(&stage.home)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0a");
}
