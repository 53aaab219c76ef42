//! The real daemon, a real bus, real processes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use rustix::process::Signal;
use serde_json::Value;
use std::process::{Child, Command};
use testkit::server::Server;
use testkit::{Deadline, TempDir};

/// A process of a name that nothing else on this machine has: a copy of `sleep`.
fn start(folder: &TempDir, name: &str) -> Child {
    let program = folder.join(name);
    std::fs::copy("/bin/sleep", &program).unwrap();
    Command::new(program).arg("60").spawn().unwrap()
}

fn soon() -> Deadline {
    Deadline::seconds(10)
}

/// True where the kernel lets natsps listen; otherwise the list says why, and only requests can be tested.
fn has_events(bus: &mut testkit::bus::Bus) -> bool {
    let list = bus.request("process.list", b"", soon()).unwrap().json();
    let note = list["note"].as_str().unwrap_or_default().to_owned();
    if !note.is_empty() {
        assert!(note.starts_with("no events: the kernel refuses the process connector"), "{note}");
        testkit::skip::note("natsps events", &note);
    }
    note.is_empty()
}

/// The list, as soon as natsps has subscribed again: it is connected a moment before.
fn list_when_served(bus: &mut testkit::bus::Bus) -> Value {
    let deadline = soon();
    loop {
        let answer = bus.request("process.list", b"", soon()).unwrap();
        if !answer.header.starts_with("NATS/1.0 503") {
            return answer.json();
        }
        assert!(deadline.left().is_some(), "nobody serves process.list");
    }
}

#[test]
fn a_running_program_is_found_and_one_that_does_not_run_fails_at_once() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("ps").unwrap());
    let mut program = start(&folder, "lunix-find");
    let _natsps = server.daemon("natsps", &[]).unwrap();
    let mut bus = server.client().unwrap();
    let found = bus.request("ps.lunix-find", b"", soon()).unwrap();
    assert_eq!(found.text(), program.id().to_string());
    let none = bus.request("ps.no-such-program", b"", soon()).unwrap();
    assert!(none.header.starts_with("NATS/1.0 503") && none.payload.is_empty(), "{none:?}");
    program.kill().unwrap();
    program.wait().unwrap();
}

#[test]
fn starts_and_ends_are_events_with_numbers_that_the_list_shares() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("ps").unwrap());
    let _natsps = server.daemon("natsps", &[]).unwrap();
    let mut bus = server.client().unwrap();
    if !has_events(&mut bus) {
        return;
    }
    bus.subscribe("process.lunix-events.*").unwrap();
    bus.flush(soon()).unwrap();
    let mut program = start(&folder, "lunix-events");
    let started = bus.next(soon()).unwrap();
    assert_eq!(started.subject, "process.lunix-events.started");
    assert_eq!(started.json()["pid"], program.id());
    let list = bus.request("process.list", b"null", soon()).unwrap().json();
    assert_eq!(list["epoch"], started.json()["epoch"]);
    assert!(list["seq"].as_u64() >= started.json()["seq"].as_u64());
    let is_it = |item: &&Value| item["subject"] == "process.lunix-events.started" && item["pid"] == program.id();
    assert_eq!(list["items"].as_array().unwrap().iter().filter(is_it).count(), 1);
    program.kill().unwrap();
    program.wait().unwrap();
    let exited = bus.next(soon()).unwrap();
    assert_eq!((exited.subject.as_str(), &exited.json()["signal"]), ("process.lunix-events.exited", &Value::from(9)));
    assert!(exited.json()["seq"].as_u64() > started.json()["seq"].as_u64());
}

#[test]
fn what_happens_while_the_bus_is_away_is_published_when_it_is_back() {
    let (mut server, folder) = (Server::start().unwrap(), TempDir::new("ps").unwrap());
    let mut natsps = server.daemon("natsps", &[]).unwrap();
    if !has_events(&mut server.client().unwrap()) {
        return;
    }
    server.kill().unwrap();
    natsps.line(soon(), "is away").unwrap();
    let mut program = start(&folder, "lunix-outage");
    server.restart().unwrap();
    let mut bus = server.client().unwrap();
    bus.subscribe("process.lunix-outage.started").unwrap();
    natsps.line(soon(), "connected to").unwrap();
    // Whoever subscribed too late for the event has the list: that is the recipe.
    let list = list_when_served(&mut bus);
    let subjects: Vec<&str> =
        list["items"].as_array().unwrap().iter().filter_map(|item| item["subject"].as_str()).collect();
    assert!(subjects.contains(&"process.lunix-outage.started"), "{subjects:?}");
    program.kill().unwrap();
    program.wait().unwrap();
}

#[test]
fn a_broken_configuration_is_refused_at_the_start_and_ignored_at_a_reload() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("ps").unwrap());
    let path = folder.join("natsps.toml");
    let path = path.to_str().unwrap();
    std::fs::write(path, "processes_max = 5000\n").unwrap();
    let mut natsps = server.daemon("natsps", &["--config", path]).unwrap();
    std::fs::write(path, "\nprocesses_maximum = 1\n").unwrap();
    natsps.signal(Signal::HUP).unwrap();
    let line = natsps.line(soon(), "the old configuration stays").unwrap();
    let expected = "natsps.toml:2:1: unknown field `processes_maximum`, expected `processes_max`";
    assert!(line.contains(expected), "{line}");
    let pid = server.client().unwrap().request("ps.natsps", b"", soon()).unwrap();
    assert!(!pid.payload.is_empty());

    let program = testkit::process::binary("natsps").unwrap();
    let checked = Command::new(&program).args(["--check-config", "--config", path]).output().unwrap();
    assert_eq!(checked.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&checked.stderr).contains(expected));
    std::fs::write(path, "processes_max = 3\n").unwrap();
    let checked = Command::new(&program).args(["--check-config", "--config", path]).output().unwrap();
    assert!(String::from_utf8_lossy(&checked.stderr).contains("processes_max = 3: expected 16 to 1048576"));
}

#[test]
fn stock_tools_see_the_service_and_bad_arguments_get_an_error_in_the_headers() {
    let server = Server::start().unwrap();
    let _natsps = server.daemon("natsps", &[]).unwrap();
    let mut bus = server.client().unwrap();
    let info = bus.request("$SRV.INFO.natsps", b"", soon()).unwrap().json();
    assert_eq!(
        (&info["name"], &info["type"]),
        (&Value::from("natsps"), &Value::from("io.nats.micro.v1.info_response"))
    );
    let bad = bus.request("process.list", b"{\"class\":", soon()).unwrap();
    assert!(bad.header.contains("Nats-Service-Error-Code: 400"), "{}", bad.header);
    let stats = bus.request("$SRV.STATS.natsps", b"", soon()).unwrap().json();
    assert_eq!(stats["endpoints"][1]["num_errors"], 1);
}

#[test]
fn it_ends_in_order_and_its_recording_can_be_played_again() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("ps").unwrap());
    let trace = folder.join("inputs.trace");
    let mut natsps = server.daemon("natsps", &["--record", trace.to_str().unwrap()]).unwrap();
    server.client().unwrap().request("ps.natsps", b"", soon()).unwrap();
    natsps.signal(Signal::TERM).unwrap();
    assert!(natsps.exit(soon()).unwrap().success());
    let text = std::fs::read_to_string(trace).unwrap();
    let mut inputs = text.lines().map(|line| line.split_once(" {").map(|(_, json)| format!("{{{json}")).unwrap());
    let first: natsps::machine::Input = serde_json::from_str(&inputs.next().unwrap()).unwrap();
    assert!(matches!(first, natsps::machine::Input::Scanned { first: true, .. }));
    let others: Vec<natsps::machine::Input> = inputs.map(|json| serde_json::from_str(&json).unwrap()).collect();
    let finds =
        others.iter().filter(|input| matches!(input, natsps::machine::Input::Find { name, .. } if name == "natsps"));
    assert_eq!(finds.count(), 1);
}
