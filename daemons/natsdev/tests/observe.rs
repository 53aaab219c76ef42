//! Whose messages are believed: udevd's rebroadcast where udevd runs, the kernel's otherwise, and nobody else's. In a network
//! namespace of its own, where this process may send what only udevd may send outside.
#![expect(clippy::unwrap_used, reason = "a test")]

use proto_uevent::{Action, Encoder};
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, SendFlags, SocketType};
use std::path::Path;
use std::process::Command;
use testkit::bus::Bus;
use testkit::process::{Process, binary};
use testkit::{Deadline, TempDir};

const INSIDE: &str = "NATSDEV_TEST_INSIDE";
const DEVPATH: &[u8] = b"/devices/pretended/ttyUSB7/tty/ttyUSB7";

fn soon() -> Deadline {
    Deadline::seconds(20)
}

/// Runs the test of this name again as root of namespaces of its own. True in there.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let possible = Command::new("unshare").args(["-rnm", "true"]).status().is_ok_and(|status| status.success());
    if !possible || binary("lunix-bus").is_err() {
        testkit::skip::note(test, "takes user namespaces (unshare -rnm) and a built lunix-bus");
        return false;
    }
    let again = std::env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rnm"]).arg(again).args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    assert!(command.status().unwrap().success());
    false
}

/// A bus on a unix socket and natsdev beside it.
fn start(folder: &Path) -> (Process, Process, Bus) {
    let socket = folder.join("bus.sock");
    let mut command = Command::new(binary("lunix-bus").unwrap());
    command.args(["--addr", "127.0.0.1", "--port", "-1", "--unix"]).arg(&socket);
    let bus = Process::spawn("bus", &mut command).unwrap();
    let url = format!("unix://{}", socket.display());
    let client = testkit::vm::wait_for_bus(&url, soon()).unwrap();
    let arguments = ["--observe", "--url", &url, "--ready-fd", "3"];
    let mut natsdev =
        Process::spawn_notifying("natsdev", Path::new(env!("CARGO_BIN_EXE_natsdev")), &arguments, &[]).unwrap();
    natsdev.ready(soon()).unwrap();
    (bus, natsdev, client)
}

fn send(group: u32, message: &[u8]) {
    let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::DGRAM, Some(KOBJECT_UEVENT)).unwrap();
    let sent = rustix::net::sendto(&socket, message, SendFlags::empty(), &SocketAddrNetlink::new(0, group));
    // The kernel itself does not listen to these, which is reported; the group has the message nevertheless.
    assert!(matches!(sent, Ok(_) | Err(rustix::io::Errno::CONNREFUSED)), "{sent:?}");
}

fn rebroadcast(action: Action) -> Vec<u8> {
    let mut buffer = [0; 512];
    let mut encoder = Encoder::udev(&mut buffer);
    encoder.property(b"ACTION", action.as_str().as_bytes()).property(b"DEVPATH", DEVPATH);
    encoder.property(b"SUBSYSTEM", b"tty").property(b"DEVNAME", b"/dev/ttyUSB7").property(b"SEQNUM", b"4711");
    encoder.finish_udev(b"tty", None, 0).unwrap().to_vec()
}

#[test]
fn udevds_rebroadcast_is_heard_where_udevd_runs() {
    if !inside("udevds_rebroadcast_is_heard_where_udevd_runs") {
        return;
    }
    let folder = TempDir::new("natsdev-observe").unwrap();
    assert!(Command::new("mount").args(["-t", "tmpfs", "run", "/run"]).status().unwrap().success());
    std::fs::create_dir("/run/udev").unwrap();
    std::fs::write("/run/udev/control", "").unwrap();
    let (_bus, _natsdev, mut client) = start(folder.path());
    client.subscribe("hardware.tty.*").unwrap();
    for (action, subject) in [(Action::Add, "hardware.tty.add"), (Action::Remove, "hardware.tty.remove")] {
        send(2, &rebroadcast(action));
        let event = client.next(soon()).unwrap();
        assert_eq!((event.subject.as_str(), &event.json()["node"]), (subject, &"/dev/ttyUSB7".into()));
    }
}

#[test]
fn a_pretended_kernel_is_not_believed() {
    if !inside("a_pretended_kernel_is_not_believed") {
        return;
    }
    let folder = TempDir::new("natsdev-pretended").unwrap();
    assert!(Command::new("mount").args(["-t", "tmpfs", "run", "/run"]).status().unwrap().success());
    let (_bus, _natsdev, mut client) = start(folder.path());
    client.subscribe("hardware.>").unwrap();
    let mut buffer = [0; 512];
    let mut encoder = Encoder::kernel(&mut buffer, Action::Add, DEVPATH);
    encoder.property(b"SUBSYSTEM", b"tty").property(b"DEVNAME", b"ttyUSB7").property(b"SEQNUM", b"1");
    send(1, encoder.finish().unwrap());
    send(1, &rebroadcast(Action::Add));
    // Two answers: when the second leaves, the turn in which the messages were read is over.
    for _ in 0..2 {
        let list = client.request("hardware.list", b"tty", soon()).unwrap().json();
        assert!(!list.to_string().contains("ttyUSB7"), "{list}");
    }
    let heard = client.drain().unwrap();
    assert!(heard.iter().all(|message| !message.text().contains("ttyUSB7")), "{heard:?}");
}
