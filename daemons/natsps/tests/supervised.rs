//! What a daemon says to its supervisor by `sd_notify`: the same of all event daemons.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use rustix::process::Signal;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;
use testkit::process::Process;
use testkit::server::Server;
use testkit::{Deadline, TempDir};

fn heard(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let count = socket.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

#[test]
fn a_supervisor_hears_when_it_is_ready_reloads_and_ends() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("notify").unwrap());
    let path = folder.join("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_natsps"));
    command.arg("--url").arg(server.url()).env("NOTIFY_SOCKET", &path);
    let mut natsps = Process::spawn("natsps", &mut command).unwrap();
    assert_eq!(heard(&socket), "READY=1");
    natsps.signal(Signal::HUP).unwrap();
    let reloading = heard(&socket);
    let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").map(str::parse::<u64>);
    assert!(matches!(micros, Some(Ok(1..))), "{reloading}");
    assert_eq!(heard(&socket), "READY=1");
    natsps.signal(Signal::TERM).unwrap();
    assert_eq!(heard(&socket), "STOPPING=1");
    assert!(natsps.exit(Deadline::seconds(10)).unwrap().success());
}

#[test]
fn a_supervisor_that_is_gone_keeps_nobody_from_working() {
    let server = Server::start().unwrap();
    for wrong in ["/nonexistent/lunix/socket", "nonsense"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_natsps"));
        command.arg("--url").arg(server.url()).env("NOTIFY_SOCKET", wrong);
        let mut natsps = Process::spawn("natsps", &mut command).unwrap();
        natsps.line(Deadline::seconds(10), "supervisor").unwrap();
        let mut bus = server.client().unwrap();
        let deadline = Deadline::seconds(10);
        while bus.request("process.list", b"", deadline).unwrap().header.starts_with("NATS/1.0 503") {
            assert!(deadline.left().is_some(), "nobody serves process.list");
        }
    }
}
