//! Programs that cannot be run, and directories that hold what nobody expects.

use crate::common::{PATIENCE, Row, Stage, is_root};
use crate::faults::{count, until, until_at_rest};
use init_control::{Request, ServiceState as S};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Instant;

const SLEEP: &str = "#!/bin/sh\nexec sleep 1000\n";

#[test]
fn a_program_that_cannot_be_run_is_broken_until_it_is_mended() {
    let mut stage = Stage::new();
    stage.service("missing", &[("data/x", "")]);
    stage.service("not-executable", &[("run", "exit 0\n")]);
    stage.service("no-format", &[("run", "#!/bin/sh\n")]);
    stage.service("no-interpreter", &[("run", "#!/no/such/interpreter -x\n")]);
    stage.service("is-a-directory", &[("run/x", "")]);
    stage.service("dangling", &[("data/x", "")]);
    stage.service("loops", &[("data/x", "")]);
    let services = stage.services();
    fs::write(services.join("no-format/run"), "no program\n").unwrap();
    symlink("/no/such/program", services.join("dangling/run")).unwrap();
    symlink("run", services.join("loops/run")).unwrap();
    stage.start();
    for (name, reason) in [
        ("missing", "run: expected an executable file of this name, found none"),
        ("not-executable", "run: not executable, or on a file system mounted noexec"),
        ("no-format", "run: neither a program nor a script that begins with #!"),
        ("no-interpreter", "run: its interpreter /no/such/interpreter -x does not exist"),
        ("is-a-directory", "run: expected an executable file"),
        ("dangling", "run: it is a link that leads nowhere"),
        ("loops", "Too many levels of symbolic links (os error 40)"),
    ] {
        let row = stage.until_state(name, S::Broken);
        assert!(row.reason.ends_with(reason), "{name}: {row:?}");
        assert_eq!((row.pid, row.restarts), (None, 0));
    }
    // No loop: nothing at all happens until something changes.
    until_at_rest(stage.pid());
    for name in ["missing", "not-executable", "no-format", "no-interpreter", "dangling", "loops"] {
        let run = services.join(name).join("run");
        let _ = fs::remove_file(&run);
        fs::write(&run, SLEEP).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for name in ["missing", "not-executable", "no-format", "no-interpreter", "dangling", "loops"] {
        stage.until_state(name, S::Ready);
    }
}

#[test]
fn what_dies_at_once_is_started_ever_more_slowly() {
    let mut stage = Stage::new();
    stage.service("dies", &[("run", "#!/bin/sh\nexit 1\n")]).start();
    let row = stage.until("dies", "slow", |row| row.restarts >= 3 && row.state == S::Backoff);
    // At once, then after 100 and 200 ms; the next time is 400 ms away or more.
    assert!(row.reason.contains("starts again in ") && !row.reason.contains(" in 100 ms"), "{row:?}");
    assert!(row.restarts < 20, "{row:?}");
}

/// Puts a fifo, a socket, a device and a link to something endless under these names.
fn plant(stage: &Stage, service: &str, names: [&str; 4]) {
    let folder = stage.services().join(service);
    let [fifo, socket, device, endless] = names.map(|name| folder.join(name));
    for path in [&fifo, &socket, &device, &endless] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
    }
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o755), 0).unwrap();
    drop(UnixListener::bind(&socket).unwrap());
    if !is_root()
        || mknodat(CWD, &device, FileType::CharacterDevice, Mode::from_raw_mode(0o755), makedev(5, 1)).is_err()
    {
        symlink("/dev/console", &device).unwrap();
    }
    symlink("/dev/zero", &endless).unwrap();
}

#[test]
fn fifos_sockets_devices_and_what_never_ends_hold_nothing_up() {
    let mut stage = Stage::new();
    stage.sleeper("good");
    for name in ["programs", "files", "variables", "folders", "elsewhere"] {
        stage.sleeper(name);
    }
    plant(&stage, "programs", ["finish", "reload", "up", "down-signal"]);
    plant(&stage, "files", ["type", "user", "limits", "sockets"]);
    plant(&stage, "variables", ["env/A", "env/B", "env/C", "env/D"]);
    plant(&stage, "folders", ["log", "env", "dependencies.d", "instances"]);
    plant(&stage, "elsewhere", ["data/a", "data/b", "data/c", "data/d"]);
    plant(&stage, "", ["fifo", "socket", "device", "endless"]);
    for name in ["run-fifo", "run-socket", "run-device", "run-endless"] {
        fs::create_dir(stage.services().join(name)).unwrap();
    }
    plant(&stage, "", ["run-fifo/run", "run-socket/run", "run-device/run", "run-endless/run"]);
    // The whole machine seen from within a service: it is not walked through.
    symlink("/", stage.services().join("elsewhere/data/root")).unwrap();
    symlink("/proc", stage.services().join("elsewhere/proc")).unwrap();
    let begin = Instant::now();
    stage.start();
    stage.until_state("good", S::Ready);
    stage.until_state("elsewhere", S::Ready);
    for name in ["programs", "files", "variables", "folders", "run-fifo", "run-socket", "run-device", "run-endless"] {
        let row = stage.until_state(name, S::Broken);
        assert!(!row.reason.is_empty(), "{name}: {row:?}");
    }
    assert_eq!(stage.row("fifo"), None);
    stage.ask(&Request::Rescan).unwrap();
    assert!(stage.end().success());
    assert!(begin.elapsed() < PATIENCE);
}

#[test]
fn huge_files_cost_neither_time_nor_memory() {
    let mut stage = Stage::new();
    for name in ["big-data", "big-type", "big-variable", "big-dependencies"] {
        stage.sleeper(name);
    }
    for file in ["big-data/data", "big-type/type", "big-dependencies/dependencies", "big-data/readme"] {
        fs::File::create(stage.services().join(file)).unwrap().set_len(1 << 33).unwrap();
    }
    fs::create_dir(stage.services().join("big-variable/env")).unwrap();
    fs::File::create(stage.services().join("big-variable/env/X")).unwrap().set_len(1 << 33).unwrap();
    stage.start();
    stage.until_state("big-data", S::Ready);
    for name in ["big-type", "big-variable", "big-dependencies"] {
        let row = stage.until_state(name, S::Broken);
        assert!(row.reason.contains("File too large"), "{name}: {row:?}");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", stage.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(peak < 32 * 1024, "{peak} kB");
}

#[test]
fn a_template_without_instances_is_watched_for_its_first() {
    let mut stage = Stage::new();
    stage.service("one@", &[("run", SLEEP)]).service("two@", &[("run", SLEEP), ("instances/.keep", "")]).start();
    fs::write(stage.services().join("two@/instances/x"), "").unwrap();
    stage.until_state("two@x", S::Ready);
    until_at_rest(stage.pid());
    fs::create_dir(stage.file("instances")).unwrap();
    fs::write(stage.file("instances/y"), "").unwrap();
    fs::rename(stage.file("instances"), stage.services().join("one@/instances")).unwrap();
    stage.until_state("one@y", S::Ready);
}

#[test]
fn names_at_the_limit_are_names_and_longer_ones_are_told() {
    let mut stage = Stage::new();
    let (longest, longer) = ("n".repeat(64), "n".repeat(65));
    let odd = ["-n", "a b", "ünï", "a=b", "*", "a'b", longest.as_str()];
    for name in odd {
        stage.sleeper(name);
    }
    stage.sleeper(&longer).sleeper("line\nend").sleeper("quo\"te").sleeper("back\\slash").start();
    for name in odd {
        stage.until_state(name, S::Ready);
        stage.ask(&Request::Stop { name }).unwrap();
        stage.until_state(name, S::Down);
    }
    let rows = stage.ask(&Request::List).unwrap();
    let broken: Vec<_> = rows.iter().filter(|(_, row)| row.state == S::Broken).collect();
    assert_eq!(broken.len(), 4, "{broken:?}");
    let is_told = |row: &Row| row.reason.contains("expected a name of at most 64 printable bytes");
    assert!(broken.iter().all(|(_, row)| is_told(row)), "{broken:?}");
    // The same again, not once more.
    let count = rows.len();
    stage.ask(&Request::Rescan).unwrap();
    assert_eq!(stage.ask(&Request::List).unwrap().len(), count);
}

#[test]
fn there_is_no_end_of_services() {
    let mut stage = Stage::new();
    // Most without processes of their own, so that the machine that tests is no limit; a full run starts more of them.
    let (all, running) = (4097, count(40, 600));
    for number in 1..running {
        stage.sleeper(&format!("s{number}"));
    }
    stage.service("s@", &[("run", SLEEP), ("down", "")]);
    let instances = stage.services().join("s@/instances");
    fs::create_dir(&instances).unwrap();
    for number in running..=all {
        fs::write(instances.join(format!("{number}")), "").unwrap();
    }
    stage.start();
    assert_eq!(stage.ask(&Request::List).unwrap().len(), all);
    stage.ask(&Request::Start { name: "s@4097" }).unwrap();
    for name in (1..running).map(|number| format!("s{number}")).chain(["s@4097".to_owned()]) {
        until(&name, || stage.ask(&Request::Status { name: &name }).unwrap()[0].1.state == S::Ready);
    }
    assert!(stage.end().success());
}
