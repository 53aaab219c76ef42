//! What services say by sd_notify, and the descriptors that are held for them.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{PATIENCE, Stage, is_alive, skip};
use init_control::{Reply, Request, ServiceState as S, What};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What every script begins with: `say` sends a datagram, with descriptors when there are any.
const PRELUDE: &str = "#!/usr/bin/env python3
import array, os, signal, socket, sys, time
address = os.environ.get('NOTIFY_SOCKET', '')
if address.startswith('@'): address = '\\0' + address[1:]
def say(text, fds=[]):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
    s.sendmsg([text.encode()], rights, 0, address)
";

fn script(body: &str) -> String {
    format!("{PRELUDE}{body}")
}

fn has_python(test: &str) -> bool {
    let found = Command::new("python3").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        skip(&format!("{test}: python3 is not installed"));
    }
    found
}

#[test]
fn a_service_tells_its_status_and_when_it_has_reloaded() {
    if !has_python("status") {
        return;
    }
    let mut stage = Stage::new();
    let run = script(
        "def reload(*_):
    say('RELOADING=1\\nMONOTONIC_USEC=%d\\nSTATUS=reading' % (time.monotonic_ns() // 1000))
    say('READY=1\\nSTATUS=serving 2')
signal.signal(signal.SIGHUP, reload)
say('READY=1\\nSTATUS=serving 1')
while True: signal.pause()
",
    );
    stage.service("s", &[("run", &run), ("notify-socket", "")]).start();
    stage.until_state("s", S::Ready);
    assert_eq!(stage.until("s", "serving", |row| !row.status.is_empty()).status, "serving 1");
    let mut watch = stage.client();
    watch.send(&Request::Watch).unwrap();
    while !matches!(watch.reply().unwrap(), Reply::End { .. }) {}
    stage.ask(&Request::Reload { name: "s" }).unwrap();
    // Once for the request, once for the answer of the service.
    let mut reloaded = 0;
    while reloaded < 2 {
        if let Reply::Event(event) = watch.reply().unwrap() {
            assert_eq!(event.what, What::Reloaded);
            reloaded += 1;
        }
    }
    assert_eq!(stage.row("s").unwrap().status, "serving 2");
}

#[test]
fn who_does_not_say_that_it_is_alive_is_killed_and_started_again() {
    if !has_python("watchdog") {
        return;
    }
    let mut stage = Stage::new();
    let run = script(
        "open('../../out', 'a').write(os.environ['WATCHDOG_USEC'] + '\\n')
say('READY=1')
if os.path.exists('../../hung'):
    while True: time.sleep(0.05); say('WATCHDOG=1')
for n in range(6): time.sleep(0.1); say('WATCHDOG=1')
open('../../hung', 'w')
time.sleep(1000)
",
    );
    stage.service("s", &[("run", &run), ("notify-socket", ""), ("watchdog", "400\n")]).start();
    let row = stage.until("s", "started again", |row| row.state == S::Ready && row.restarts == 1);
    assert_eq!(stage.until_file("out", |text| text.lines().count() == 2), "400000\n400000\n");
    // Longer than its limit, and it lives.
    let end = Instant::now() + std::time::Duration::from_millis(900);
    while Instant::now() < end {
        assert_eq!(stage.row("s").unwrap().pid, row.pid);
    }
}

#[test]
fn the_process_that_a_service_names_takes_the_place_of_the_first() {
    if !has_python("main process") {
        return;
    }
    let mut stage = Stage::new();
    let run = script(
        "child = os.fork()
if child == 0:
    os.setsid()
    while True: time.sleep(1000)
say('MAINPID=%d\\nREADY=1' % child)
open('../../child', 'w').write(str(child))
time.sleep(0.2)
",
    );
    stage.service("s", &[("run", &run), ("notify-socket", "")]).start();
    stage.until_state("s", S::Ready);
    let child: i32 = stage.until_file("child", |text| !text.is_empty()).parse().unwrap();
    stage.until_file("child", |_| stage.row("s").unwrap().pid == Some(child));
    assert_eq!(stage.row("s").unwrap().restarts, 0);
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    assert!(!is_alive(child));
}

#[test]
fn what_a_service_gave_into_keeping_it_gets_back_when_it_starts_again() {
    if !has_python("store") {
        return;
    }
    let mut stage = Stage::new();
    let run = script(
        "ours = os.environ.get('LISTEN_PID') == str(os.getpid())
if ours:
    names = os.environ['LISTEN_FDNAMES'].split(':')
    at = 3 + names.index('state')
    open('../../out', 'a').write(os.environ['LISTEN_FDS'] + ' ' + os.environ['LISTEN_FDNAMES'] + ' ' + os.pread(at, 99, 0).decode())
else:
    fd = os.memfd_create('state')
    os.write(fd, b'kept\\n')
    say('FDSTORE=1\\nFDNAME=state', [fd])
    say('FDSTORE=1\\nFDNAME=other', [0, 1])
    say('FDSTOREREMOVE=1\\nFDNAME=other')
say('READY=1')
time.sleep(1000)
",
    );
    stage.service("s", &[("run", &run), ("notify-socket", "")]).start();
    let row = stage.until_state("s", S::Ready);
    sys::signal::send(sys::signal::Target::Process(row.pid.unwrap()), sys::signal::KILL).unwrap();
    assert_eq!(stage.until_file("out", |text| text.ends_with('\n')), "1 state kept\n");
    stage.until("s", "started again", |row| row.state == S::Ready && row.restarts == 1);
    // Stopped by the operator, it begins anew.
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    stage.ask(&Request::Start { name: "s" }).unwrap();
    stage.until_state("s", S::Ready);
    assert_eq!(stage.until_file("out", |_| true), "1 state kept\n");
}

#[test]
fn while_a_service_is_away_its_clients_wait_and_are_not_refused() {
    if !has_python("sockets") {
        return;
    }
    let mut stage = Stage::new();
    let path = stage.file("s.sock");
    let run = script(
        "assert os.environ['LISTEN_PID'] == str(os.getpid()) and os.environ['LISTEN_FDNAMES'] == 'client:other'
s = socket.socket(fileno=3)
while True:
    c, _ = s.accept()
    c.sendall(b'hello\\n')
    c.close()
",
    );
    let sockets =
        format!("client stream {} 0600\nother dgram @lunix-init-test-{}\n", path.display(), std::process::id());
    stage.service("s", &[("run", &run), ("sockets", &sockets)]).start();
    stage.until_state("s", S::Ready);
    let end = Instant::now() + PATIENCE;
    for _ in 0..30 {
        assert!(Instant::now() < end);
        if let Some(pid) = stage.row("s").unwrap().pid {
            let _ = sys::signal::send(sys::signal::Target::Process(pid), sys::signal::KILL);
        }
        // Refused nobody, whoever was there in this moment. One that was accepted by the killed process hears nothing.
        let mut client = UnixStream::connect(&path).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = client.write(b"x");
        let mut text = String::new();
        if client.read_to_string(&mut text).is_ok_and(|length| length > 0) {
            assert_eq!(text, "hello\n");
        }
        stage.ask(&Request::Restart { name: "s" }).unwrap();
    }
    // Held over a stop, and gone with the directory.
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    UnixStream::connect(&path).unwrap();
    std::fs::rename(stage.services().join("s"), stage.file("gone")).unwrap();
    stage.until_option("s", "gone", |row| row.is_none().then_some(()));
    assert!(!path.exists());
}
