//! The real program as an ordinary user would run it beside udevd or in a container: `--observe`, against the real bus.
#![expect(clippy::unwrap_used, reason = "a test")]

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use testkit::bus::Bus;
use testkit::process::{Process, binary};
use testkit::vm::wait_for_bus;
use testkit::{Deadline, TempDir};

const NATSDEV: &str = env!("CARGO_BIN_EXE_natsdev");

fn soon() -> Deadline {
    Deadline::seconds(20)
}

struct House {
    folder: TempDir,
    url: String,
    _bus: Process,
}

impl House {
    /// A bus on a free loopback port; `None`, with a line why, when the bus is not built.
    fn open() -> Option<Self> {
        let program = match binary("lunix-bus") {
            Ok(program) => program,
            Err(why) => {
                testkit::skip::note("natsdev against a bus", &why.to_string());
                return None;
            }
        };
        let port = testkit::qemu::free_port().unwrap();
        let bus =
            Process::spawn("bus", Command::new(program).args(["--addr", "127.0.0.1", "--port", &port.to_string()]))
                .unwrap();
        let url = format!("nats://127.0.0.1:{port}");
        wait_for_bus(&url, soon()).unwrap();
        Some(Self { folder: TempDir::new("natsdev").unwrap(), url, _bus: bus })
    }

    fn natsdev(&self) -> Process {
        let state = self.folder.path().join("state");
        let arguments = ["--observe", "--url", &self.url, "--ready-fd", "3", "--state", &state.to_string_lossy()];
        let mut natsdev = Process::spawn_notifying("natsdev", Path::new(NATSDEV), &arguments, &[]).unwrap();
        natsdev.ready(soon()).unwrap();
        natsdev
    }

    fn list(&self, argument: &[u8]) -> Value {
        let mut bus = Bus::connect(&self.url, soon()).unwrap();
        bus.request("hardware.list", argument, soon()).unwrap().json()
    }
}

#[test]
fn numbers_outlive_a_kill_and_nothing_is_announced_twice() {
    let Some(house) = House::open() else { return };
    let natsdev = house.natsdev();
    let before = house.list(b"");
    assert!(before.get("items").unwrap().is_array());
    let mut bus = Bus::connect(&house.url, soon()).unwrap();
    bus.subscribe("hardware.*.*").unwrap();
    // Dropping kills: nothing is left to it but the state it wrote in time.
    drop(natsdev);
    let _again = house.natsdev();
    let after = house.list(b"null");
    assert_eq!(before.get("epoch"), after.get("epoch"));
    assert_eq!((before.get("seq"), before.get("items")), (after.get("seq"), after.get("items")));
    assert!(bus.drain().unwrap().is_empty());
}

#[test]
fn a_class_is_asked_for_in_every_form_and_an_unknown_one_refused() {
    let Some(house) = House::open() else { return };
    let _natsdev = house.natsdev();
    let all = house.list(b"{}");
    let of_class = |class: &str| {
        let subject = format!("hardware.{class}.add");
        let items = all.get("items").unwrap().as_array().unwrap();
        items.iter().filter(|item| item.get("subject").unwrap() == &subject).count()
    };
    for argument in ["input", "\"input\"", "{\"class\":\"input\"}"] {
        let listed = house.list(argument.as_bytes());
        assert_eq!(listed.get("items").unwrap().as_array().unwrap().len(), of_class("input"), "{argument}");
    }
    let mut bus = Bus::connect(&house.url, soon()).unwrap();
    let refused = bus.request("hardware.list", b"toaster", soon()).unwrap();
    assert!(refused.payload.is_empty(), "{refused:?}");
}

#[test]
fn a_broken_configuration_is_a_sentence_and_exit_78() {
    let folder = TempDir::new("natsdev-config").unwrap();
    let path = folder.path().join("natsdev.toml");
    for (text, said) in [
        ("devices_max = 1\n", "devices_max = 1: expected 64 to 65536"),
        ("[[node]]\nname = \"x\"\nmode = \"rw\"\n", "node rule for x: mode = \"rw\": expected octal, as \"0660\""),
        (
            "[[node]]\nname = \"x\"\nmode = \"0600\"\ngroup = \"no-such-group\"\n",
            "no group no-such-group on this machine",
        ),
        ("\n colour = 1\n", "natsdev.toml:2:2: unknown field `colour`"),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = Command::new(NATSDEV).args(["--check-config", "--config"]).arg(&path).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
