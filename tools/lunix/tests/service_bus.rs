//! `lunix service --bus`: the same over the bus, through natsinit as the companion of a real lunix-init.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::init::Init;
use common::{Ended, lunix, soon};
use std::os::unix::fs::PermissionsExt;
use testkit::process::binary;
use testkit::server::Server;

#[test]
fn services_are_seen_and_controlled_over_the_bus() {
    let test = "services_are_seen_and_controlled_over_the_bus";
    let (Ok(natsinit), Ok(server)) = (binary("natsinit"), Server::start()) else {
        return testkit::skip::note(test, "natsinit and lunix-bus are not built");
    };
    let Some(init) = Init::start(test) else { return };
    let (draft, config) = (init.folder.join("draft"), init.folder.join("natsinit.toml"));
    std::fs::create_dir_all(&draft).unwrap();
    std::fs::write(&config, "trust = \"anyone\"\n").unwrap();
    let program = format!("{} --url {} --config {}", natsinit.display(), server.url(), config.display());
    std::fs::write(draft.join("run"), format!("#!/bin/sh\nexec {program} --ready-fd 4\n")).unwrap();
    std::fs::set_permissions(draft.join("run"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(draft.join("companion"), "").unwrap();
    std::fs::write(draft.join("notification-fd"), "4\n").unwrap();
    std::fs::rename(draft, init.folder.join("services/natsinit")).unwrap();
    init.lists(&["natsinit  ready"]);

    let url = server.url();
    let run = |words: &[&str]| Ended::from(lunix(&[&["service"], words, &["--url", &url]].concat()).output().unwrap());
    let list = run(&["list", "--bus"]);
    assert!(list.out.starts_with("NAME ") && list.out.contains("\ntalker    ready"), "{list:?}");
    assert_eq!(run(&["stop", "talker"]).code, Some(0));
    let end = soon();
    while !run(&["status", "talker"]).out.starts_with("talker: down since ") {
        assert!(end.left().is_some(), "it does not stop");
    }
    assert_eq!(run(&["why", "talker"]).out, "talker is down: the operator stopped it\n");
    assert_eq!(run(&["start", "talker"]).code, Some(0));
    assert_eq!(run(&["log", "talker", "--lines", "1"]).out, "talker: hello from me\n");
    run(&["signal", "talker", "KILL"]).refuses(77, "natsinit refuses: signal is not in the file companion");
    run(&["start", "nobody"]).refuses(65, "natsinit refuses: there is no service nobody");
    run(&["log", "--follow"]).refuses(64, "--follow: lines are followed on the control socket only");
}
