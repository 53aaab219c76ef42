//! A companion that is anything but friendly: lunix-init stays well, whatever comes on the socket it gave away.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{PATIENCE, Stage};
use init_control::{Request, ServiceState as S};
use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SendFlags};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags};
use std::os::fd::OwnedFd;
use std::time::Instant;

/// A service that is born with a socket to lunix-init and keeps it, and another one to speak of.
fn stage(companion: &str) -> Stage {
    let mut stage = Stage::new();
    stage.service(
        "bus",
        &[("run", "#!/bin/sh\necho $LISTEN_FDS $LISTEN_FDNAMES\nexec sleep 1000\n"), ("companion", companion)],
    );
    stage.sleeper("web").start();
    stage.until_state("bus", S::Ready);
    stage.until_state("web", S::Ready);
    stage
}

/// The companion's end of the socket: the service's descriptor 3, taken from its process.
fn socket(stage: &Stage) -> OwnedFd {
    let pid = stage.until_state("bus", S::Ready).pid.unwrap();
    let pidfd = rustix::process::pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
    let fd = rustix::process::pidfd_getfd(pidfd, 3, PidfdGetfdFlags::empty()).unwrap();
    net::sockopt::set_socket_timeout(&fd, net::sockopt::Timeout::Recv, Some(PATIENCE)).unwrap();
    fd
}

fn receive(socket: &OwnedFd) -> String {
    let mut buffer = [0; 8192];
    let (length, _) = net::recv(socket, &mut buffer[..], RecvFlags::empty()).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

fn ask(socket: &OwnedFd, packet: &str) -> Vec<String> {
    net::send(socket, packet.as_bytes(), SendFlags::NOSIGNAL).unwrap();
    let mut answer = Vec::new();
    loop {
        let packet = receive(socket);
        let kind = packet.split(' ').next().unwrap().to_owned();
        if kind != "event" {
            answer.push(packet);
        }
        if ["ok", "error", "end"].contains(&kind.as_str()) {
            return answer;
        }
    }
}

fn memory_kib(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_ascii_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn it_may_ask_for_what_its_file_names_and_nothing_else() {
    let stage = stage("");
    stage.line("bus: 1 init");
    let socket = socket(&stage);
    let rows = ask(&socket, "list");
    assert!(rows[0].starts_with("service name=bus state=ready") && rows[1].starts_with("service name=web"), "{rows:?}");
    assert_eq!(ask(&socket, "stop name=web"), ["ok"]);
    stage.until_state("web", S::Down);
    assert_eq!(ask(&socket, "start name=web"), ["ok"]);
    stage.until_state("web", S::Ready);
    assert!(ask(&socket, "log name=bus")[0].starts_with("line service=bus text=\"1 init\""));
    for verb in
        ["poweroff", "reboot", "halt", "kexec", "reexec", "rescan", "signal name=web signal=KILL", "once name=web"]
    {
        let word = verb.split(' ').next().unwrap();
        let refused = format!("error code=77 reason=\"{word} is not in the file companion of the service\"");
        assert_eq!(ask(&socket, verb), [refused]);
    }
    assert_eq!(ask(&socket, "start name=nobody"), ["error code=69 reason=\"there is no service nobody\""]);
}

#[test]
fn a_file_that_names_words_allows_these_alone() {
    let stage = stage("status\nsignal\n");
    let socket = socket(&stage);
    assert_eq!(ask(&socket, "signal name=web signal=CONT"), ["ok"]);
    assert_eq!(ask(&socket, "list"), ["error code=77 reason=\"list is not in the file companion of the service\""]);
    assert!(ask(&socket, "status name=web")[0].starts_with("service name=web"));
}

#[test]
fn what_nobody_may_name_breaks_the_service() {
    let mut stage = Stage::new();
    stage.service("bus", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("companion", "list\nreexec\n")]).start();
    let row = stage.until_state("bus", S::Broken);
    assert!(row.reason.contains("a companion can never ask for reexec"), "{}", row.reason);
}

#[test]
fn answers_come_whole_between_the_events() {
    let stage = stage("");
    let socket = socket(&stage);
    assert_eq!(ask(&socket, "watch").len(), 3);
    for _ in 0..20 {
        net::send(&socket, b"restart name=web", SendFlags::NOSIGNAL).unwrap();
        net::send(&socket, b"list", SendFlags::NOSIGNAL).unwrap();
    }
    let (mut answers, mut in_rows, mut last) = (0, false, 0);
    while answers < 40 {
        let packet = receive(&socket);
        let kind = packet.split(' ').next().unwrap();
        match kind {
            "event" => {
                assert!(!in_rows, "an event within rows: {packet}");
                let seq: u64 = packet.split("seq=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
                assert!(last == 0 || seq == last + 1, "{last} then {packet}");
                last = seq;
            }
            "service" => in_rows = true,
            "end" => (in_rows, answers) = (false, answers + 1),
            "ok" => answers += 1,
            other => panic!("{other}: {packet}"),
        }
    }
    assert!(last > 0);
}

#[test]
fn garbage_and_halves_are_answered_and_a_flood_waits() {
    let stage = stage("");
    let (socket, pid) = (socket(&stage), stage.pid());
    for packet in [&b"\xff\x00"[..], b"li", b"stop name=", b"stop name=\"web", &[b'a'; 4096], b" ", b"list list"] {
        net::send(&socket, packet, SendFlags::NOSIGNAL).unwrap();
        let answer = receive(&socket);
        assert!(answer.starts_with("error code=64"), "{answer}");
    }
    stage.until_state("web", S::Ready);
    // Everything that the socket holds, and then some, without reading one answer.
    let before = memory_kib(pid);
    let mut sent = 0_u32;
    let end = Instant::now() + PATIENCE;
    while sent < 100_000 {
        match net::send(&socket, b"list", SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(_) => sent += 1,
            Err(Errno::AGAIN) => break,
            Err(errno) => panic!("{errno}"),
        }
    }
    // Others are served as before.
    for _ in 0..200 {
        assert_eq!(stage.ask(&Request::List).unwrap().len(), 2);
        assert!(Instant::now() < end, "held up");
    }
    let after = memory_kib(pid);
    assert!(sent < 100_000 && after < before + 512, "{sent} requests, {before} KiB then {after}");
    stage.ask(&Request::Stop { name: "web" }).unwrap();
    stage.until_state("web", S::Down);
}

#[test]
fn events_that_are_never_read_cost_nothing_and_are_told_as_lost() {
    let mut stage = stage("");
    // Each start fails at once, which makes two events.
    stage.service("odd", &[("run", "not executable")]);
    stage.until_state("odd", S::Broken);
    let (socket, pid) = (socket(&stage), stage.pid());
    net::send(&socket, b"watch", SendFlags::NOSIGNAL).unwrap();
    let before = memory_kib(pid);
    let mut client = stage.client();
    for _ in 0..3000 {
        client.ask(&Request::Start { name: "odd" }, |_| {}).unwrap();
    }
    let after = memory_kib(pid);
    assert!(after < before + 512, "{before} KiB then {after}");
    let lost = loop {
        let packet = receive(&socket);
        if packet.starts_with("lost ") {
            break packet;
        }
    };
    assert!(lost.starts_with("lost count="), "{lost}");
    let rows: Vec<String> = std::iter::from_fn(|| Some(receive(&socket))).take(4).collect();
    assert!(rows[0].starts_with("service name=bus") && rows[3].starts_with("end seq="), "{rows:?}");
}

#[test]
fn its_socket_ends_with_its_process_and_the_next_one_has_another() {
    let stage = stage("");
    let first = socket(&stage);
    let pid = stage.row("bus").unwrap().pid;
    stage.ask(&Request::Restart { name: "bus" }).unwrap();
    stage.until("bus", "another process", |row| row.state == S::Ready && row.pid != pid);
    // Whoever still holds the old one speaks to nobody.
    assert_eq!(net::send(&first, b"stop name=web", SendFlags::NOSIGNAL), Err(Errno::PIPE));
    let second = socket(&stage);
    assert_eq!(ask(&second, "status name=web").len(), 2);
    // Its closing harms nobody either, and an empty packet is taken for that.
    net::send(&second, b"", SendFlags::NOSIGNAL).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(net::recv(&second, &mut buffer[..], RecvFlags::empty()).unwrap().0, 0);
    assert_eq!(stage.row("web").unwrap().state, S::Ready);
}
