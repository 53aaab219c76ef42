//! natslog as the log service of a real lunix-init: it is given the output of all services.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{configuration, message, soon};
use rustix::process::Signal;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use testkit::TempDir;
use testkit::process::{Process, binary};
use testkit::server::Server;

/// Writes a service directory; what begins with `#!` is executable.
fn service(services: &Path, name: &str, files: &[(&str, &str)]) {
    for (file, content) in files {
        let path = services.join(name).join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }
}

fn start_init(folder: &TempDir) -> Process {
    let (services, control) =
        (folder.join("services").display().to_string(), folder.join("control").display().to_string());
    let arguments = ["--services", &services, "--control", &control, "--ready-fd", "3"];
    let mut init = Process::spawn_notifying("lunix-init", binary("lunix-init").unwrap(), &arguments, &[]).unwrap();
    init.ready(soon()).unwrap();
    init
}

#[test]
fn the_output_of_services_goes_to_the_bus_and_nothing_is_lost_when_natslog_dies() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("log").unwrap());
    let mut bus = server.client().unwrap();
    bus.subscribe("log.*.*").unwrap();
    bus.flush(soon()).unwrap();
    let config = configuration(folder.path(), "");
    let program = binary("natslog").unwrap();
    let run = format!(
        "#!/bin/sh\nexec {} --config {} --url {} --ready-fd 7\n",
        program.display(),
        config.display(),
        server.url()
    );
    let socket = format!("log dgram {}/log 0666\n", folder.path().display());
    let services = folder.join("services");
    let log = [("run", run.as_str()), ("type", "log\n"), ("notification-fd", "7\n"), ("sockets", &socket)];
    service(&services, "natslog", &log);
    let counts =
        "#!/bin/sh\nn=0\nwhile [ $n -lt 200 ]; do n=$((n+1)); echo count $n; sleep 0.01; done\nexec sleep 1000\n";
    service(&services, "counter", &[("run", counts), ("dependencies.d/natslog", "")]);
    let loud = "#!/bin/sh\necho 'loud: error: it broke' >&2\nprintf 'no end of line'\nexit 0\n";
    service(&services, "loud", &[("run", loud), ("finish", "#!/bin/sh\nexit 125\n"), ("dependencies.d/natslog", "")]);
    let mut init = start_init(&folder);
    let found = bus.next_where(soon(), "loud", |event| event.subject == "log.loud.err").unwrap();
    assert_eq!((message(&found).as_str(), &found.json()["program"]), ("it broke", &"loud".into()));
    let at_least = |event: &testkit::bus::Message, wanted: u32| {
        message(event)
            .strip_prefix("count ")
            .and_then(|number| number.parse::<u32>().ok())
            .is_some_and(|number| number >= wanted)
    };
    bus.next_where(soon(), "count 30", |event| at_least(event, 30)).unwrap();
    kill_natslog(&config.display().to_string());
    // The socket is lunix-init's: a message sent now waits there.
    let sender = std::os::unix::net::UnixDatagram::unbound().unwrap();
    sender.send_to(b"<13>meanwhile", folder.join("log")).unwrap();
    bus.next_where(soon(), "meanwhile", |event| message(event) == "meanwhile").unwrap();
    bus.next_where(soon(), "count 200", |event| at_least(event, 200)).unwrap();
    let mut after = server.client().unwrap();
    let tail = after.request("log.tail", br#"{"source":"counter","since":0,"count":1000}"#, soon()).unwrap().json();
    let kept: Vec<u32> = tail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["message"].as_str().unwrap().strip_prefix("count ").unwrap().parse().unwrap())
        .collect();
    let first = *kept.first().unwrap();
    assert!(first > 30 && first < 200, "{first}");
    assert_eq!(kept, (first..=200).collect::<Vec<_>>());
    assert!(init.end(soon()).unwrap().success());
}

/// Kills the natslog with this configuration, and no other.
fn kill_natslog(config: &str) {
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let command = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&str> = command.split('\0').collect();
        if words.first().is_some_and(|program| program.ends_with("natslog")) && words.contains(&config) {
            rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
            return;
        }
    }
    panic!("no natslog with {config}");
}
