//! `lunix service` against a real lunix-init.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Ended, lunix, soon};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use testkit::TempDir;
use testkit::process::{Process, binary};

struct Init {
    folder: TempDir,
    process: Process,
}

impl Drop for Init {
    fn drop(&mut self) {
        // One that has ended already, as some tests want, has left nothing.
        let _ = self.process.end(soon());
    }
}

impl Init {
    fn start(test: &str) -> Option<Self> {
        let program = match binary("lunix-init") {
            Ok(program) => program,
            Err(error) => {
                testkit::skip::note(test, &error.to_string());
                return None;
            }
        };
        let folder = TempDir::new("svc").unwrap();
        let service = folder.join("services/talker");
        std::fs::create_dir_all(&service).unwrap();
        std::fs::write(service.join("run"), "#!/bin/sh\necho hello from me\nexec sleep 1000\n").unwrap();
        std::fs::set_permissions(service.join("run"), PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new(program);
        command.arg("--services").arg(folder.join("services")).arg("--control").arg(folder.join("sock"));
        let mut process = Process::spawn("lunix-init", &mut command).unwrap();
        process.line(soon(), "hello from me").unwrap();
        Some(Self { folder, process })
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let control = self.folder.join("sock").display().to_string();
        Ended::from(lunix(&[arguments, &["--control", &control]].concat()).output().unwrap())
    }

    /// Waits until the list has these words.
    fn lists(&self, words: &[&str]) {
        let deadline = soon();
        loop {
            let list = self.run(&["service", "list"]);
            if words.iter().all(|word| list.out.contains(word)) {
                return;
            }
            assert!(deadline.left().is_some(), "{words:?} in {list:?}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
fn services_are_listed_stopped_and_started() {
    let Some(init) = Init::start("services_are_listed_stopped_and_started") else { return };
    init.lists(&["NAME ", "talker  ready"]);
    assert_eq!(init.run(&["service", "stop", "talker"]).code, Some(0));
    init.lists(&["talker  down", "stopped by the operator"]);
    assert_eq!(init.run(&["service", "start", "talker"]).code, Some(0));
    init.lists(&["talker  ready"]);
    assert_eq!(init.run(&["service", "restart", "talker"]).code, Some(0));
    init.run(&["service", "start", "nobody"]).refuses(69, "lunix-init refuses: ");
    let log = init.run(&["service", "log", "talker"]).out;
    assert!(log.lines().all(|line| line == "talker: hello from me") && log.lines().count() >= 2, "{log}");
    assert_eq!(init.run(&["service", "log", "other"]).out, "");
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
