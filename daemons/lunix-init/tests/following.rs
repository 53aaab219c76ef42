//! How what runs follows the directory, without being told and without ever writing there.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{BINARY, Stage, is_root, skip};
use init_control::{Request, ServiceState as S};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

#[test]
fn services_come_change_and_go_with_their_directories() {
    let mut stage = Stage::new();
    stage.sleeper("stays").sleeper("changes").sleeper("goes").start();
    let stays = stage.until_state("stays", S::Ready);
    let changes = stage.until_state("changes", S::Ready);
    let goes = stage.until_state("goes", S::Ready);
    fs::write(stage.services().join("changes/data"), "new").unwrap();
    fs::rename(stage.services().join("goes"), stage.file("gone")).unwrap();
    stage.sleeper("comes");
    stage.until_state("comes", S::Ready);
    stage.until_option("goes", "gone", |row| row.is_none().then_some(()));
    assert!(!common::is_alive(goes.pid.unwrap()));
    stage.until("changes", "another process", |row| row.state == S::Ready && row.pid != changes.pid);
    assert_eq!(stage.row("stays").unwrap().pid, stays.pid);
}

#[test]
fn a_broken_service_runs_once_its_directory_is_mended() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\nexec sleep 1000\n")]);
    fs::set_permissions(stage.services().join("s/run"), fs::Permissions::from_mode(0o644)).unwrap();
    stage.service("late", &[("data/x", "")]).start();
    stage.until_state("s", S::Broken);
    stage.until_state("late", S::Broken);
    fs::set_permissions(stage.services().join("s/run"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(stage.services().join("s/run"), stage.services().join("late/run")).unwrap();
    stage.until_state("s", S::Ready);
    stage.until_state("late", S::Ready);
}

#[test]
fn a_change_that_cannot_be_read_leaves_the_service_as_it_was() {
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    let before = stage.until_state("s", S::Ready);
    fs::write(stage.services().join("s/timeout-kill"), "soon").unwrap();
    stage.line("s: its directory changed, but timeout-kill: expected a number of milliseconds, found \"soon\"; it stays as it was");
    assert_eq!(stage.row("s").unwrap().pid, before.pid);
    // Back to what it was: nothing has changed.
    fs::remove_file(stage.services().join("s/timeout-kill")).unwrap();
    stage.ask(&Request::Rescan).unwrap();
    assert_eq!(stage.row("s").unwrap().pid, before.pid);
}

#[test]
fn a_directory_that_is_gone_leaves_everything_as_it_was() {
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    let before = stage.until_state("s", S::Ready);
    fs::rename(stage.services(), stage.file("elsewhere")).unwrap();
    stage.line("services stay as they are");
    assert_eq!(stage.row("s").unwrap().pid, before.pid);
    // It comes back, and what follows is seen again.
    fs::rename(stage.file("elsewhere"), stage.services()).unwrap();
    stage.sleeper("new");
    stage.until_state("new", S::Ready);
    assert_eq!(stage.row("s").unwrap().pid, before.pid);
}

#[test]
fn a_change_undoes_the_operators_word() {
    let mut stage = Stage::new();
    stage.sleeper("s").start();
    stage.until_state("s", S::Ready);
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    fs::write(stage.services().join("s/data"), "new").unwrap();
    assert_eq!(stage.until_state("s", S::Ready).chosen, None);
}

#[test]
fn hang_up_reads_the_directory_again() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("dependencies.d/later", "")]).start();
    stage.until_state("s", S::Broken);
    stage.sleeper("later");
    stage.signal(sys::signal::HUP);
    stage.until_state("s", S::Ready);
}

/// Twenty services behind a link into a read-only place; the link is swapped: one is changed, one removed, one added.
#[test]
fn a_swapped_link_changes_exactly_what_differs() {
    let mut stage = Stage::new();
    fs::remove_dir(stage.services()).unwrap();
    for generation in ["gen1", "gen2"] {
        for number in 1..=20 {
            let changed = if generation == "gen2" && number == 1 { "# changed\n" } else { "" };
            let removed = if generation == "gen1" { 20 } else { 2 };
            if number == removed {
                continue;
            }
            let folder = stage.file(generation).join(format!("s{number}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("run"), format!("#!/bin/sh\n{changed}exec sleep 1000\n")).unwrap();
            fs::set_permissions(folder.join("run"), fs::Permissions::from_mode(0o555)).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
        }
        fs::set_permissions(stage.file(generation), fs::Permissions::from_mode(0o555)).unwrap();
    }
    symlink("profile", stage.services()).unwrap();
    symlink("gen1", stage.file("profile")).unwrap();
    stage.start();
    for number in 1..=19 {
        stage.until_state(&format!("s{number}"), S::Ready);
    }
    let pids = |stage: &Stage| -> BTreeMap<String, Option<i32>> {
        stage.ask(&Request::List).unwrap().into_iter().map(|(name, row)| (name, row.pid)).collect()
    };
    let before = pids(&stage);
    symlink("gen2", stage.file("new")).unwrap();
    fs::rename(stage.file("new"), stage.file("profile")).unwrap();
    stage.until_state("s20", S::Ready);
    stage.until_option("s2", "gone", |row| row.is_none().then_some(()));
    stage.until("s1", "restarted", |row| row.state == S::Ready && row.pid != before["s1"]);
    let after = pids(&stage);
    for number in 3..=19 {
        let name = format!("s{number}");
        assert_eq!(before[&name], after[&name], "{name}");
    }
    assert_eq!(after.len(), 19);
}

#[test]
fn a_directory_mounted_read_only_is_all_it_needs() {
    if !is_root() {
        return skip("only root can mount");
    }
    let mut stage = Stage::new();
    stage.sleeper("s").service("one", &[("type", "oneshot"), ("up", "#!/bin/sh\n")]);
    let services = stage.services();
    let script = format!(
        "mount --bind {0:?} {0:?} && mount -o remount,ro,bind {0:?} && ! touch {0:?}/x 2>/dev/null && exec {1:?} --services {0:?} --control {2:?}",
        services,
        BINARY,
        stage.socket()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]);
    stage.start_as(command);
    stage.until_state("s", S::Ready);
    stage.until_state("one", S::Done);
}
