//! Who may command, on a bus with accounts: the kernel says who connects, the bus passes that on, natsinit decides.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{companion, init, service, soon};
use std::process::Command;
use testkit::bus::Bus;
use testkit::process::{Process, binary};
use testkit::{Deadline, TempDir};

/// A bus on which natsinit and `near` share an account, users of this machine have one that is named in what it asks, and `mute` has one
/// that is not. Returns its address for passwords, too.
fn bus(folder: &TempDir) -> (Process, String) {
    let import = |share: &str| {
        let one =
            |subject: &str| format!("{{ service: {{ account: SYSTEM, subject: \"{subject}\" }}, share: {share} }}");
        ["init.control.>", "init.status.*", "init.log"].map(one).join("\n")
    };
    let text = format!(
        "listen: \"127.0.0.1:-1\"\nunix: [\"{}\"]\nunix_mode: \"666\"\n\
         accounts {{\n\
         SYSTEM {{ users: [{{ user: natsinit, password: secret }}, {{ user: near, password: secret }}]\n\
           exports: [{{ service: \"init.control.>\" }}, {{ service: \"init.status.*\" }}, {{ service: \"init.log\" }}] }}\n\
         LOCAL {{ imports: [{}] }}\n\
         MUTE {{ users: [{{ user: mute, password: secret }}], imports: [{}] }}\n\
         }}\n\
         local {{ rules: [{{ uid: \"0-65000\", account: LOCAL }}] }}\n",
        folder.join("bus.sock").display(),
        import("true"),
        import("false"),
    );
    let conf = folder.join("bus.conf");
    std::fs::write(&conf, text).unwrap();
    let arguments = ["--config", conf.to_str().unwrap(), "--ready-fd", "3"];
    let mut bus = Process::spawn_notifying("lunix-bus", binary("lunix-bus").unwrap(), &arguments, &[]).unwrap();
    bus.ready(soon()).unwrap();
    let line = bus.line(soon(), "Listening for client connections on 127.0.0.1:").unwrap();
    let address = line.rsplit(' ').next().unwrap().to_owned();
    (bus, address)
}

/// Code of the error, or nothing.
fn code(bus: &mut Bus, subject: &str) -> String {
    let answer = bus.request(subject, b"", soon()).unwrap();
    let line = answer.header.lines().find_map(|line| line.strip_prefix("Nats-Service-Error-Code: ").map(str::to_owned));
    line.unwrap_or_default()
}

#[test]
fn the_bus_says_who_asks_and_natsinit_who_may() {
    let folder = TempDir::new("natsinit-accounts").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (_bus, address) = bus(&folder);
    service(&folder, "web", &[("run", "#!/bin/sh\nexec sleep 1000\n")]);
    companion(&folder, &format!("nats://natsinit:secret@{address}"), "", "trust = \"accounts\"\n");
    let mut supervisor = init(&folder);
    let with_password = |user: &str| Bus::connect(&format!("nats://{user}:secret@{address}"), soon()).unwrap();
    let mut near = with_password("near");
    let end = soon();
    while near.request("init.status.web", b"", Deadline::seconds(1)).map_or(true, |answer| answer.text().is_empty()) {
        assert!(end.left().is_some(), "nobody answers");
    }
    // In its own account, where the permissions of the bus decide.
    assert_eq!(code(&mut near, "init.control.restart.web"), "");
    // From another account that does not say who asks: looking is free.
    let mut mute = with_password("mute");
    assert_eq!(code(&mut mute, "init.status.web"), "");
    assert_eq!((code(&mut mute, "init.control.stop.web"), code(&mut mute, "init.log")), ("403".into(), "403".into()));
    // The user that natsinit runs as; no header of his own changes that, nor makes anybody else of another.
    let unix = format!("unix://{}", folder.join("bus.sock").display());
    let mut owner = Bus::connect(&unix, soon()).unwrap();
    assert_eq!(code(&mut owner, "init.control.restart.web"), "");
    assert_eq!(code(&mut owner, "init.log"), "");
    // Somebody else, in no group that matters.
    if rustix::process::geteuid().is_root() {
        let lunix = binary("lunix").unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=61234", "--regid=61234", "--clear-groups"]).arg(lunix);
        let output = command.args(["req", "-u", &unix, "init.control.stop.web"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("commands are taken from root and the group session"), "{said}");
        assert_eq!(output.status.code(), Some(77));
    }
    supervisor.end(soon()).unwrap();
}
