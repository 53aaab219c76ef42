//! What the bus may ask of lunix-init, through its companion: a real bus, a real lunix-init that starts natsinit as one of its services.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{companion, init, service, soon};
use serde_json::Value;
use testkit::bus::Bus;
use testkit::server::Server;
use testkit::{Deadline, TempDir};

/// A lunix-init with a companion and a service to speak of; they end with what is returned.
struct Stage {
    server: Server,
    folder: TempDir,
    init: testkit::process::Process,
    bus: Bus,
}

fn stage(words: &str, configuration: &str) -> Stage {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("natsinit-control").unwrap());
    service(
        &folder,
        "web",
        &[("run", "#!/bin/sh\ntrap 'echo got hup' HUP\necho there\nwhile :; do sleep 0.02; done\n")],
    );
    companion(&folder, &server.url(), words, configuration);
    let mut init = init(&folder);
    init.line(soon(), "connected to").unwrap();
    let bus = server.client().unwrap();
    let mut stage = Stage { server, folder, init, bus };
    stage.until_answered();
    stage
}

impl Stage {
    /// Waits until natsinit has subscribed: until then nobody answers.
    fn until_answered(&mut self) {
        let end = soon();
        let nobody =
            |answer: testkit::Result<testkit::bus::Message>| answer.is_ok_and(|answer| !answer.text().is_empty());
        while !nobody(self.bus.request("init.list", b"", Deadline::seconds(1))) {
            assert!(end.left().is_some(), "nobody answers init.list");
        }
    }

    fn ask(&mut self, subject: &str, payload: &str) -> Result<Value, (String, String)> {
        let answer = self.bus.request(subject, payload.as_bytes(), soon()).unwrap();
        let headers = answer.header.clone();
        let header = |name: &str| {
            let line = headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_default().to_owned()
        };
        match header("Nats-Service-Error-Code") {
            code if code.is_empty() => Ok(answer.json()),
            code => Err((code, header("Nats-Service-Error"))),
        }
    }

    fn refused(&mut self, subject: &str, payload: &str) -> (String, String) {
        self.ask(subject, payload).unwrap_err()
    }

    /// The process of natsinit.
    fn companion_pid(&mut self) -> u64 {
        self.ask("init.status.natsinit", "").unwrap()["pid"].as_u64().unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Killed, it would leave its services behind.
        let _ = self.init.end(soon());
    }
}

#[test]
fn verbs_are_passed_on_and_answered_with_the_services_state() {
    let mut stage = stage("", "trust = \"anyone\"\n");
    let status = stage.ask("init.status.web", "").unwrap();
    assert_eq!((&status["name"], &status["type"], &status["wanted"]), (&"web".into(), &"longrun".into(), &true.into()));
    stage.bus.subscribe("init.service.web.*").unwrap();
    let stopping = stage.ask("init.control.stop.web", "{}").unwrap();
    assert!(stopping["override"] == "stopped" && stopping["wanted"] == false, "{stopping}");
    stage.bus.next_where(soon(), "stopped", |message| message.subject.ends_with(".stopped")).unwrap();
    let started = stage.ask("init.control.start.web", "").unwrap();
    assert!(started["wanted"] == true && started.get("override").is_none(), "{started}");
    stage.bus.next_where(soon(), "ready", |message| message.subject.ends_with(".ready")).unwrap();
    let pid = stage.ask("init.status.web", "null").unwrap()["pid"].clone();
    stage.ask("init.control.restart.web", "").unwrap();
    stage.bus.next_where(soon(), "ready", |message| message.subject.ends_with(".ready")).unwrap();
    assert_ne!(stage.ask("init.status.web", "").unwrap()["pid"], pid);

    // What it has no words for is refused, by lunix-init or here; so is what makes no sense.
    let not_named = |verb: &str| ("403".to_owned(), format!("{verb} is not in the file companion of the service"));
    assert_eq!(stage.refused("init.control.poweroff", ""), not_named("poweroff"));
    assert_eq!(stage.refused("init.control.signal.web", "KILL"), not_named("signal"));
    assert_eq!(stage.refused("init.control.reexec", "").0, "400");
    assert_eq!(stage.refused("init.control.start.web", "now").0, "400");
    assert_eq!(stage.refused("init.status.nobody", ""), ("404".into(), "there is no service nobody".into()));
}

#[test]
fn words_in_the_file_allow_more_and_the_argument_comes_in_every_form() {
    let mut stage = stage("list\nwatch\nstatus\nlog\nsignal\n", "trust = \"anyone\"\n");
    // It hears the signal once it has said so.
    let end = soon();
    while !stage.ask("init.log.web", "").unwrap()["lines"].to_string().contains("there") {
        assert!(end.left().is_some(), "web says nothing");
    }
    for argument in ["HUP", "\"HUP\"", "{\"signal\":\"SIGHUP\"}", "1"] {
        stage.ask("init.control.signal.web", argument).unwrap();
        stage.init.line(soon(), "web: got hup").unwrap();
    }
    assert_eq!(stage.refused("init.control.signal.web", "DANCE"), ("400".into(), "there is no signal DANCE".into()));
    assert_eq!(stage.refused("init.control.stop.web", "").0, "403");
    for argument in ["2", "\"2\"", "{\"lines\":2}"] {
        let tail = stage.ask("init.log.web", argument).unwrap();
        let hup = serde_json::json!({"service": "web", "line": "got hup"});
        assert_eq!(tail["lines"], serde_json::json!([hup, hup]), "{argument}");
    }
    let all = stage.ask("init.log", "").unwrap();
    assert!(all["lines"].as_array().unwrap().iter().any(|line| line["service"] == "natsinit"), "{all}");
}

#[test]
fn a_bus_of_which_nothing_is_said_gives_no_commands() {
    let mut stage = stage("", "");
    assert!(stage.ask("init.status.web", "").is_ok());
    for subject in ["init.control.stop.web", "init.log.web"] {
        let (code, why) = stage.refused(subject, "");
        assert!(code == "403" && why.starts_with("natsinit trusts nobody on this bus"), "{code} {why}");
    }
    assert_eq!(stage.ask("init.status.web", "").unwrap()["wanted"], true);
}

#[test]
fn without_a_socket_of_its_own_it_only_looks() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("natsinit-looks").unwrap());
    service(&folder, "web", &[("run", "#!/bin/sh\nexec sleep 1000\n")]);
    let config = folder.join("natsinit.toml");
    std::fs::write(&config, "trust = \"anyone\"\n").unwrap();
    let init = init(&folder);
    let (control, config) = (folder.join("init.sock"), config.to_str().unwrap().to_owned());
    let natsinit = server.daemon("natsinit", &["--config", &config, "--control", control.to_str().unwrap()]).unwrap();
    let bus = server.client().unwrap();
    let mut stage = Stage { server, folder, init, bus };
    let why = "natsinit is not the companion of lunix-init here: it only looks";
    assert_eq!(stage.refused("init.control.stop.web", ""), ("403".into(), why.into()));
    assert_eq!(stage.ask("init.status.web", "").unwrap()["state"], "ready");
    assert_eq!(stage.ask("init.log", "").unwrap()["lines"], serde_json::json!([]));
    drop(natsinit);
}

#[test]
fn it_is_confined_and_a_new_one_takes_its_place() {
    let mut stage = stage("", "trust = \"anyone\"\n");
    let pid = stage.companion_pid();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    assert_eq!((field("Seccomp:"), field("NoNewPrivs:")), ("2".to_owned(), "1".to_owned()));
    // The configuration is read again within those bounds.
    std::fs::write(stage.folder.join("natsinit.toml"), "trust = \"nobody\"\n").unwrap();
    let raw = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(raw, rustix::process::Signal::HUP).unwrap();
    stage.init.line(soon(), "configuration read again").unwrap();
    assert_eq!(stage.refused("init.control.stop.web", "").0, "403");
    // So is a bus that goes away and comes back.
    stage.server.kill().unwrap();
    stage.init.line(soon(), "is away").unwrap();
    stage.server.restart().unwrap();
    stage.init.line(soon(), "connected to").unwrap();
    stage.bus = stage.server.client().unwrap();
    stage.until_answered();
    assert_eq!(stage.companion_pid(), pid);
    rustix::process::kill_process(raw, rustix::process::Signal::KILL).unwrap();
    stage.init.line(soon(), "connected to").unwrap();
    stage.until_answered();
    assert_ne!(stage.companion_pid(), pid);
}
