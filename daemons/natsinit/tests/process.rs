//! The real daemon, a real bus and a real lunix-init with services of the test's own.

mod common;

use common::{init, service, soon};
use rustix::process::Signal;
use testkit::TempDir;
use testkit::server::Server;

#[test]
fn services_are_listed_their_deaths_are_events_and_a_new_init_is_found_again() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("natsinit").unwrap());
    service(&folder, "alpha", &[("run", "#!/bin/sh\nexec sleep 1000\n")]);
    let mut supervisor = init(&folder);
    let control = folder.join("init.sock");
    let mut natsinit = server.daemon("natsinit", &["--control", control.to_str().unwrap()]).unwrap();
    let mut bus = server.client().unwrap();
    bus.subscribe("init.service.alpha.*").unwrap();
    let list = bus.request("init.list", b"", soon()).unwrap().json();
    assert_eq!(list["items"][0]["subject"], "init.service.alpha.ready");
    let pid = list["items"][0]["pid"].as_i64().unwrap();

    let raw = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(raw, Signal::KILL).unwrap();
    let exited = bus.next_where(soon(), "the death", |message| message.subject.ends_with(".exited")).unwrap().json();
    assert_eq!((&exited["pid"], &exited["signal"]), (&pid.into(), &9.into()));
    let ready = bus.next_where(soon(), "the restart", |message| message.subject.ends_with(".ready")).unwrap().json();
    assert_ne!(ready["pid"], pid);

    bus.subscribe("init.generation.*").unwrap();
    service(&folder, "gamma", &[("run", "#!/bin/sh\nexec sleep 1000\n")]);
    let begun = bus.next_where(soon(), "begun", |message| message.subject == "init.generation.begun").unwrap().json();
    assert_eq!((&begun["added"][0], &begun["kept"]), (&"gamma".into(), &1.into()));
    let done = bus.next_where(soon(), "done", |message| message.subject == "init.generation.done").unwrap().json();
    assert!(done["generation"].as_u64().unwrap() > 1 && done["took_ms"].is_u64());
    std::fs::remove_dir_all(folder.join("services/gamma")).unwrap();
    bus.next_where(soon(), "removed", |message| message.subject == "init.generation.done").unwrap();

    supervisor.signal(Signal::TERM).unwrap();
    supervisor.exit(soon()).unwrap();
    natsinit.line(soon(), "lunix-init does not answer").unwrap();
    let stale = bus.request("init.list", b"", soon()).unwrap().json();
    assert_eq!(stale["note"], "lunix-init does not answer: this is how it was");
    service(&folder, "beta", &[("run", "#!/bin/sh\nexec sleep 1000\n")]);
    let mut supervisor = init(&folder);
    natsinit.line(soon(), "lunix-init answers").unwrap();
    let list = bus.request("init.list", b"", soon()).unwrap().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    supervisor.signal(Signal::TERM).unwrap();
    supervisor.exit(soon()).unwrap();
}
