//! `lunix service` against a real lunix-init.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::Ended;
use common::init::Init;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn services_are_listed_stopped_and_started() {
    let Some(init) = Init::start("services_are_listed_stopped_and_started") else { return };
    init.lists(&["NAME ", "talker  ready"]);
    assert_eq!(init.run(&["service", "stop", "talker"]).code, Some(0));
    init.lists(&["talker  down", "stopped by the operator"]);
    assert_eq!(init.run(&["service", "start", "talker"]).code, Some(0));
    init.lists(&["talker  ready"]);
    assert_eq!(init.run(&["service", "restart", "talker"]).code, Some(0));
    init.run(&["service", "status", "nobody"]).refuses(69, "lunix-init refuses: there is no service nobody");
    init.run(&["service", "start", "nobody"]).refuses(69, "lunix-init refuses: ");
    let log = init.run(&["service", "log", "talker"]).out;
    assert!(log.lines().all(|line| line == "talker: hello from me") && log.lines().count() >= 2, "{log}");
    init.run(&["service", "log", "other"]).refuses(69, "lunix-init refuses: there is no service other");
    assert_eq!(init.run(&["service", "log", "--lines", "1"]).out, "talker: hello from me\n");
}

#[test]
fn a_status_shows_the_process_and_the_newest_lines() {
    let Some(init) = Init::start("a_status_shows_the_process_and_the_newest_lines") else { return };
    let status = init.run(&["service", "status", "talker"]).out;
    let begins = |word: &str| status.lines().any(|line| line.trim_start().starts_with(word));
    assert!(
        status.starts_with("talker: ready since ") && status.contains("  type      longrun, wanted up\n"),
        "{status}"
    );
    assert!(begins("process ") && status.ends_with("  log       hello from me\n"), "{status}");
    assert_eq!(init.run(&["service", "signal", "talker", "KILL"]).code, Some(0));
    init.lists(&["last killed by signal 9"]);
    init.run(&["service", "signal", "talker", "DANCE"]).refuses(64, "lunix-init refuses: there is no signal DANCE");
    assert_eq!(init.run(&["service", "stop", "talker"]).code, Some(0));
    init.lists(&["talker  down"]);
    assert_eq!(init.run(&["service", "once", "talker"]).code, Some(0));
    init.lists(&["talker  ready"]);
}

#[test]
fn lines_are_followed_as_they_come() {
    let Some(init) = Init::start("lines_are_followed_as_they_come") else { return };
    let control = init.control();
    let arguments = ["service", "log", "--follow", "--lines", "0", "talker", "--control", &control];
    let log = testkit::process::Process::spawn("lunix", &mut common::lunix(&arguments)).unwrap();
    // It may have asked before or after: each start makes one more line.
    let end = common::soon();
    while log.printed().is_empty() {
        assert_eq!(init.run(&["service", "restart", "talker"]).code, Some(0));
        init.lists(&["talker  ready"]);
        assert!(end.left().is_some(), "no line comes");
    }
    assert!(log.printed().lines().all(|line| line == "talker: hello from me"), "{}", log.printed());
    init.run(&["service", "log", "--follow", "other"]).refuses(69, "lunix-init refuses: there is no service other");
}

#[test]
fn another_lunix_init_takes_over_and_services_go_on() {
    let Some(init) = Init::start("another_lunix_init_takes_over_and_services_go_on") else { return };
    init.lists(&["talker  ready"]);
    let pid =
        || init.run(&["service", "list"]).out.lines().nth(1).unwrap().split_whitespace().nth(3).map(str::to_owned);
    let before = pid();
    assert_eq!(init.run(&["init", "reexec"]).code, Some(0));
    assert_eq!(pid(), before);
    assert_eq!(init.run(&["service", "log", "talker"]).out, "talker: hello from me\n");
}

#[test]
fn others_may_look_only() {
    let test = "others_may_look_only";
    let Some(init) = Init::start(test) else { return };
    if !rustix::process::geteuid().is_root() {
        return testkit::skip::note(test, "only root can become another user");
    }
    let control = init.folder.join("sock").display().to_string();
    let nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", env!("CARGO_BIN_EXE_lunix")]);
        Ended::from(command.args(arguments).args(["--control", &control]).output().unwrap())
    };
    let list = nobody(&["service", "list"]);
    assert!(list.code == Some(0) && list.out.contains("talker"), "{list:?}");
    for command in [&["service", "stop", "talker"][..], &["poweroff"], &["reboot"], &["halt"], &["init", "reexec"]] {
        nobody(command).refuses(77, "lunix-init refuses: ");
    }
    init.lists(&["talker  ready"]);
}

#[test]
fn why_and_tree_follow_what_services_wait_for() {
    let Some(init) = Init::start("why_and_tree_follow_what_services_wait_for") else { return };
    let folder = init.folder.join("draft");
    std::fs::create_dir_all(folder.join("dependencies.d")).unwrap();
    std::fs::write(folder.join("dependencies.d/talker"), "").unwrap();
    std::fs::write(folder.join("run"), "#!/bin/sh\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(folder.join("run"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(init.run(&["service", "stop", "talker"]).code, Some(0));
    init.lists(&["talker", "down"]);
    std::fs::rename(folder, init.folder.join("services/follower")).unwrap();
    init.lists(&["follower", "waiting"]);
    let why = init.run(&["service", "why", "follower"]);
    assert_eq!(why.out, "follower is waiting: it waits for talker\ntalker is down: the operator stopped it\n");
    assert_eq!(init.run(&["service", "tree"]).out, "follower waiting\n  talker down\n");
    assert_eq!(init.run(&["service", "why", "nobody"]).code, Some(69));
}
