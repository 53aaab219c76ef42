//! Trees as Void and Debian have them for runit, as s6 has them, and as s6-rc and s6-overlay have them. Where Debian has the original, the same
//! tree runs under that first; what can be seen of it must be the same under lunix-init.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{PATIENCE, Stage, skip};
use init_control::{Request, ServiceState as S};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Writes a tree: path, content; what begins with `#!` is executable. `OUT` in a content is the place for what services write.
fn plant(base: &Path, out: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(out).unwrap();
    for (name, content) in files {
        let path = base.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content.replace("OUT", out.to_str().unwrap())).unwrap();
        let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// What services wrote, by file.
fn written(out: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Waits until services have written all of `expected`.
fn until_written(out: &Path, expected: &[(&str, &str)], who: &str) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect();
    let end = Instant::now() + PATIENCE;
    loop {
        let found = written(out);
        if found == expected {
            return;
        }
        assert!(Instant::now() < end, "under {who}: {found:#?} instead of {expected:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The original, and the signal that has it end its services and then itself.
struct Original(Child, sys::signal::Signal);

impl Original {
    fn start(program: &str, services: &Path) -> Self {
        let quiet = || Stdio::null();
        let child = Command::new(program).arg(services).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
        let signal = if program == "runsvdir" { sys::signal::HUP } else { sys::signal::TERM };
        Self(child.unwrap(), signal)
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let pid = i32::try_from(self.0.id()).unwrap();
        let _ = sys::signal::send(sys::signal::Target::Process(pid), self.1);
        let _ = self.0.wait();
    }
}

fn is_installed(program: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status().unwrap().success()
}

/// As in Void's void-packages: conf, finish, check, a log, the link `supervise` to a place that can be written.
const RUNIT: &[(&str, &str)] = &[
    (
        "plain/run",
        "#!/bin/sh\nexec 2>&1\n[ -r ./conf ] && . ./conf\necho \"${WORD:-none} in $(basename $PWD)\" >>OUT/plain\nexec chpst -e ./env ./really\n",
    ),
    ("plain/conf", "WORD=configured\n"),
    ("plain/really", "#!/bin/sh\necho $COLOUR >>OUT/colour\nexec sleep 1000\n"),
    ("plain/env/COLOUR", "green\n"),
    ("plain/check", "#!/bin/sh\nexec test -e OUT/plain\n"),
    ("once/run", "#!/bin/sh\nif [ -e OUT/once ]; then exec sleep 1000; fi\nexit 3\n"),
    ("once/finish", "#!/bin/sh\necho \"$1 $2\" >>OUT/once\n"),
    ("off/run", "#!/bin/sh\necho started >>OUT/off\nexec sleep 1000\n"),
    ("off/down", ""),
    ("logged/run", "#!/bin/sh\nexec 2>&1\necho to the log\necho also to the log >&2\nexec sleep 1000\n"),
    ("logged/log/run", "#!/bin/sh\nexec cat >>OUT/log\n"),
];

const RUNIT_WRITES: &[(&str, &str)] = &[
    ("colour", "green\n"),
    ("log", "to the log\nalso to the log\n"),
    ("once", "3 0\n"),
    ("plain", "configured in plain\n"),
];

#[test]
fn a_tree_of_void_runs_as_under_runit() {
    if !is_installed("runsvdir") || !is_installed("chpst") {
        return skip("runit is not installed");
    }
    let mut stage = Stage::new();
    let (theirs, out) = (stage.file("theirs"), stage.file("out-theirs"));
    plant(&theirs, &out, RUNIT);
    for name in ["plain", "once", "off", "logged", "logged/log"] {
        let place = stage.file("run").join(name.replace('/', "-"));
        fs::create_dir_all(&place).unwrap();
        symlink(place, theirs.join(name).join("supervise")).unwrap();
    }
    let original = Original::start("runsvdir", &theirs);
    until_written(&out, RUNIT_WRITES, "runit");
    drop(original);
    let out = stage.file("out");
    plant(&stage.services(), &out, RUNIT);
    for name in ["plain", "once", "off", "logged", "logged/log"] {
        symlink("/run/runit/supervise.none", stage.services().join(name).join("supervise")).unwrap();
    }
    stage.start();
    until_written(&out, RUNIT_WRITES, "lunix-init");
    assert_eq!(stage.row("off").unwrap().state, S::Down);
    stage.until_state("logged", S::Ready);
    assert_eq!(stage.row("logged/log").unwrap().state, S::Ready);
}

const S6: &[(&str, &str)] = &[
    ("ready/run", "#!/bin/sh\necho early >&7\necho up >>OUT/ready\nexec sleep 1000 7>&-\n"),
    ("ready/notification-fd", "7\n"),
    ("script/run", "#!/usr/bin/execlineb -P\nforeground { redirfd -a 1 OUT/script echo execline } sleep 1000\n"),
    ("ends/run", "#!/bin/sh\nif [ -e OUT/ends ]; then exec sleep 1000; fi\nkill -11 $$\n"),
    ("ends/finish", "#!/bin/sh\necho \"$1 $2 $3\" >>OUT/ends\n"),
    ("never/run", "#!/bin/sh\nexit 1\n"),
    ("never/finish", "#!/bin/sh\necho \"$1 $2 $3\" >>OUT/never\nexit 125\n"),
    (
        "gentle/run",
        "#!/bin/sh\ntrap 'echo told >>OUT/gentle; exit 0' USR1\necho up >>OUT/gentle\nwhile :; do sleep 0.05; done\n",
    ),
    ("gentle/down-signal", "USR1\n"),
    ("deaf/run", "#!/bin/sh\ntrap '' TERM\necho up >>OUT/deaf\nexec sleep 1000\n"),
    ("deaf/finish", "#!/bin/sh\necho \"$1 $2\" >>OUT/deaf\n"),
    ("deaf/timeout-kill", "50\n"),
    ("off/run", "#!/bin/sh\necho started >>OUT/off\nexec sleep 1000\n"),
    ("off/down", ""),
    ("logged/run", "#!/bin/sh\necho one\nexec sleep 1000\n"),
    ("logged/log/run", "#!/bin/sh\nexec cat >>OUT/log\n"),
];

const S6_WRITES: &[(&str, &str)] = &[
    ("deaf", "up\n"),
    ("ends", "256 11 ends\n"),
    ("gentle", "up\n"),
    ("log", "one\n"),
    ("never", "1 0 never\n"),
    ("ready", "up\n"),
    ("script", "execline\n"),
];

const S6_WRITES_IN_THE_END: &[(&str, &str)] = &[
    ("deaf", "up\n256 9\n"),
    ("ends", "256 11 ends\n"),
    ("gentle", "up\ntold\n"),
    ("log", "one\n"),
    ("never", "1 0 never\n"),
    ("ready", "up\n"),
    ("script", "execline\n"),
];

#[test]
fn a_tree_of_s6_runs_as_under_s6() {
    if !is_installed("s6-svscan") || !is_installed("execlineb") {
        return skip("s6 is not installed");
    }
    let mut stage = Stage::new();
    let (theirs, out) = (stage.file("theirs"), stage.file("out-theirs"));
    plant(&theirs, &out, S6);
    let original = Original::start("s6-svscan", &theirs);
    until_written(&out, S6_WRITES, "s6");
    for name in ["gentle", "deaf"] {
        let status = Command::new("s6-svc").args(["-wD", "-T", "10000", "-d"]).arg(theirs.join(name)).status().unwrap();
        assert!(status.success(), "s6-svc: {status}");
    }
    until_written(&out, S6_WRITES_IN_THE_END, "s6");
    drop(original);
    let out = stage.file("out");
    plant(&stage.services(), &out, S6);
    stage.start();
    until_written(&out, S6_WRITES, "lunix-init");
    for name in ["gentle", "deaf"] {
        stage.ask(&Request::Stop { name }).unwrap();
        stage.until_state(name, S::Down);
    }
    until_written(&out, S6_WRITES_IN_THE_END, "lunix-init");
    stage.until_state("ready", S::Ready);
    assert_eq!(stage.row("never").unwrap().state, S::Broken);
    assert_eq!(stage.row("off").unwrap().state, S::Down);
}

/// As in s6-overlay's documentation: a bundle `user` says what starts; `run` is not executable, `up` is a line.
const S6_RC: &[(&str, &str)] = &[
    ("user/type", "bundle\n"),
    ("user/contents.d/web", ""),
    ("user/contents.d/prepare", ""),
    ("base/type", "bundle\n"),
    ("prepare/type", "oneshot\n"),
    ("prepare/up", "# make the place ready\nforeground { redirfd -w 1 OUT/prepare echo prepared } touch OUT/touched\n"),
    ("prepare/down", "rm OUT/touched\n"),
    ("prepare/dependencies.d/base", ""),
    ("web/type", "longrun\n"),
    ("web/run", "_#!/bin/sh\necho hello from web\nexec sleep 1000\n"),
    ("web/dependencies", "# the older form\n  prepare\n"),
    ("web/producer-for", "web-log\n"),
    ("web/pipeline-name", "web-pipeline\n"),
    ("web-log/type", "longrun\n"),
    ("web-log/run", "_#!/usr/bin/execlineb -P\nredirfd -a 1 OUT/log cat\n"),
    ("web-log/consumer-for", "web\n"),
    ("web-log/notification-fd", "3\n"),
    ("extra/type", "longrun\n"),
    ("extra/run", "_#!/bin/sh\necho extra >>OUT/extra\nexec sleep 1000\n"),
    ("extra/dependencies.d/helper", ""),
    ("helper/type", "longrun\n"),
    ("helper/run", "_#!/bin/sh\nexec sleep 1000\n"),
    ("helper/flag-essential", ""),
    ("nothing/type", "oneshot\n"),
    ("nothing/up", "\n"),
    ("user/contents.d/nothing", ""),
];

fn plant_s6_rc(stage: &Stage) {
    let files: Vec<(&str, &str)> =
        S6_RC.iter().filter(|(name, _)| *name != "web-log/notification-fd").copied().collect();
    plant(&stage.services(), &stage.file("out"), &files);
    for name in ["web", "web-log", "extra", "helper"] {
        let path = stage.services().join(name).join("run");
        let content = fs::read_to_string(&path).unwrap();
        fs::write(&path, content.strip_prefix('_').unwrap()).unwrap();
    }
}

#[test]
fn a_tree_of_s6_rc_runs_without_being_compiled() {
    if !is_installed("execlineb") {
        return skip("execline is not installed");
    }
    let mut stage = Stage::new();
    plant_s6_rc(&stage);
    stage.start();
    let out = stage.file("out");
    let writes = [("log", "hello from web\n"), ("prepare", "prepared\n"), ("touched", "")];
    until_written(&out, &writes, "lunix-init");
    for name in ["user", "base", "prepare", "web-pipeline", "nothing"] {
        let state = if name == "web-pipeline" { S::Down } else { S::Done };
        assert_eq!(stage.until_state(name, state).restarts, 0, "{name}");
    }
    stage.until_state("web", S::Ready);
    assert_eq!((stage.row("extra").unwrap().state, stage.row("helper").unwrap().state), (S::Down, S::Down));
    // What is started brings with it what it depends on.
    stage.ask(&Request::Start { name: "extra" }).unwrap();
    stage.until_state("extra", S::Ready);
    stage.until_state("helper", S::Ready);
    let refusal = stage.ask(&Request::Stop { name: "helper" }).unwrap_err();
    assert_eq!(refusal, (78, "helper: helper is essential: it may be restarted, not stopped".to_owned()));
    // What is said of a bundle is said of its members.
    stage.ask(&Request::Stop { name: "web-pipeline" }).unwrap();
    stage.until_state("web", S::Down);
    stage.until_state("web-log", S::Down);
    assert!(stage.end().success());
    assert!(!out.join("touched").exists(), "down was not executed");
}

#[test]
fn without_execline_a_line_is_broken_and_the_reason_says_so() {
    let mut stage = Stage::new();
    plant_s6_rc(&stage);
    let mut command = stage.command();
    command.env("PATH", "/bin-without-execline");
    stage.start_as(command);
    let row = stage.until_state("prepare", S::Broken);
    assert_eq!(row.reason, "up: a line for execlineb(1), which is not installed");
    assert_eq!(stage.row("web").unwrap().state, S::Waiting);
}

#[test]
fn a_template_runs_once_for_each_of_its_instances() {
    let mut stage = Stage::new();
    let out = stage.file("out");
    let files = [
        ("getty@/run", "#!/bin/sh\necho \"$1 $INSTANCE ${BAUD:-default}\" >>OUT/$1\nexec sleep 1000\n"),
        ("getty@/env/BAUD", "9600\n"),
        ("getty@/instances/tty1", ""),
        ("getty@/instances/ttyS0/BAUD", "115200\n"),
        ("getty@/log/run", "#!/bin/sh\nexec cat\n"),
    ];
    plant(&stage.services(), &out, &files);
    symlink("getty@", stage.services().join("getty@linked")).unwrap();
    stage.start();
    let writes = [("linked", "linked linked 9600\n"), ("tty1", "tty1 tty1 9600\n"), ("ttyS0", "ttyS0 ttyS0 115200\n")];
    until_written(&out, &writes, "lunix-init");
    let before = stage.until_state("getty@ttyS0", S::Ready);
    stage.until_state("getty@tty1/log", S::Ready);
    assert!(stage.row("getty@").is_none(), "the template itself is no service");
    // One more instance touches no other; one that is gone ends.
    fs::write(stage.services().join("getty@/instances/tty2"), "").unwrap();
    stage.until_state("getty@tty2", S::Ready);
    fs::remove_file(stage.services().join("getty@/instances/tty1")).unwrap();
    stage.until_option("getty@tty1", "gone", |row| row.is_none().then_some(()));
    assert_eq!(stage.row("getty@ttyS0").unwrap().pid, before.pid);
}

#[test]
fn privileges_are_what_the_files_say() {
    if !common::is_root() {
        return skip("only root may become somebody else");
    }
    let mut stage = Stage::new();
    let out = stage.file("out");
    let files = [
        (
            "s/run",
            "#!/bin/sh\n{ id -u; id -g; id -G; ulimit -n; ulimit -H -n; ulimit -c; grep CapEff /proc/self/status; } >OUT/s\nexec sleep 1000\n",
        ),
        ("s/user", "1234\n"),
        ("s/group", "99\n42\n43\n"),
        ("s/limits", "nofile 100 200\ncore 0\n"),
        ("s/capabilities", "CAP_NET_BIND_SERVICE\n"),
        ("bad/run", "#!/bin/sh\n"),
        ("bad/capabilities", "CAP_FLY\n"),
    ];
    plant(&stage.services(), &out, &files);
    fs::set_permissions(&out, fs::Permissions::from_mode(0o777)).unwrap();
    stage.start();
    let writes = [("s", "1234\n99\n99 42 43\n100\n200\n0\nCapEff:\t0000000000000400\n")];
    until_written(&out, &writes, "lunix-init");
    let reason = stage.until_state("bad", S::Broken).reason;
    assert_eq!(reason, "capabilities: expected names of capabilities, such as CAP_NET_BIND_SERVICE, found \"CAP_FLY\"");
}
