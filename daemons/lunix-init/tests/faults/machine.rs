//! Machines without what a machine has: no devices, no room, nothing that could be written to.

use crate::common::namespace::{self, init_of};
use crate::common::{BINARY, Stage, is_root, skip};
use crate::faults::until;
use init_control::{Client, Request, ServiceState as S};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use sys::signal::{self, Target};

const POWERED_OFF: Option<i32> = Some(2);

#[test]
fn without_devices_and_with_closed_descriptors_it_boots() {
    for closed in ["0<&- 1>&- 2>&-", "1>&-", "0<&- 2>&-"] {
        let mut stage = Stage::new();
        let out = stage.file("out").display().to_string();
        let run = format!(
            "#!/bin/sh\nread line || echo nothing to read >>{out}\necho said\necho said >&2\necho done >>{out}\nexec sleep 1000\n"
        );
        stage.service("s", &[("run", &run)]);
        if !namespace::start_after(&mut stage, &format!("mount -t tmpfs none /dev; exec {closed}"), &[]) {
            return;
        }
        stage.until_state("s", S::Ready);
        assert_eq!(stage.until_file("out", |text| text.ends_with("done\n")), "nothing to read\ndone\n");
        assert_eq!(stage.log_lines(), ["s: said", "s: said"]);
        // Nothing of its own has landed where a program writes its errors.
        let init = init_of(&stage);
        for number in 0..3 {
            let name = fs::read_link(format!("/proc/{init}/fd/{number}")).unwrap();
            let name = name.display().to_string();
            let is_own = ["anon_inode", "socket:", "services"].iter().any(|word| name.contains(word));
            assert!(!is_own, "{closed}: {number} is {name}");
        }
        stage.ask(&Request::Poweroff).unwrap();
        assert_eq!(stage.wait().signal(), POWERED_OFF);
    }
}

#[test]
fn a_full_run_takes_the_memory_of_overrides_and_nothing_else() {
    let mut stage = Stage::new();
    stage.sleeper("s");
    let run = stage.file("run").display().to_string();
    fs::create_dir(&run).unwrap();
    let fill =
        format!("mount -t tmpfs -o size=4k none {run}; dd if=/dev/zero of={run}/filler bs=4k count=1 2>/dev/null");
    if !namespace::start_after(&mut stage, &fill, &["--overrides", &format!("{run}/overrides")]) {
        return;
    }
    stage.until_state("s", S::Ready);
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    stage.line("run/overrides: No space left on device");
    // It holds as long as this lunix-init does.
    stage.ask(&Request::Rescan).unwrap();
    assert_eq!(stage.row("s").unwrap().chosen, Some(false));
    let root = format!("/proc/{}/root{run}", init_of(&stage));
    assert_eq!(fs::read_to_string(format!("{root}/overrides")).unwrap_or_default(), "");
    fs::remove_file(format!("{root}/filler")).unwrap();
    stage.ask(&Request::Start { name: "s" }).unwrap();
    stage.until_state("s", S::Ready);
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    until("it is written down", || {
        fs::read_to_string(format!("{root}/overrides")).is_ok_and(|text| text.contains("stopped"))
    });
}

#[test]
fn a_socket_that_found_no_room_is_made_at_the_next_hang_up() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\necho up\nexec sleep 1000\n")]);
    let run = stage.file("run").display().to_string();
    fs::create_dir(&run).unwrap();
    // A place for the directory itself, and for nothing in it.
    let Some(mut command) = namespace::command(&stage, &format!("mount -t tmpfs -o nr_inodes=1 none {run}")) else {
        return;
    };
    command.args(["--control", &format!("{run}/c")]);
    stage.spawn(command);
    stage.line("No space left on device");
    stage.line("s: up");
    let init = init_of(&stage);
    let enter = ["-t", &init.to_string(), "-m", "mount", "-o", "remount,nr_inodes=10", &run];
    assert!(Command::new("nsenter").args(enter).status().unwrap().success());
    signal::send(Target::Process(init), signal::HUP).unwrap();
    // The way to it, seen from outside.
    symlink(format!("/proc/{init}/root{run}/c"), stage.socket()).unwrap();
    stage.until_it_answers().until_state("s", S::Ready);
    // And when somebody has removed it.
    fs::remove_file(format!("/proc/{init}/root{run}/c")).unwrap();
    signal::send(Target::Process(init), signal::HUP).unwrap();
    stage.until_it_answers().until_state("s", S::Ready);
}

#[test]
fn with_nothing_to_write_to_it_runs_and_ends() {
    let mut stage = Stage::new();
    stage.service(
        "s",
        &[("run", "#!/bin/sh\ntrue >/x && echo writable\ntrue >x && echo writable\necho up\nexec sleep 1000\n")],
    );
    let all =
        "for m in / $(cut -d' ' -f5 /proc/self/mountinfo); do mount -o remount,bind,ro $m 2>/dev/null; done; true";
    let Some(mut command) = namespace::command(&stage, all) else { return };
    command.arg("--no-mounts");
    stage.spawn(command);
    stage.line("cannot listen on");
    stage.line("s: up");
    signal::send(Target::Process(init_of(&stage)), signal::PWR).unwrap();
    assert_eq!(stage.wait().signal(), POWERED_OFF);
    let lines = stage.rest_of_lines();
    assert!(!lines.iter().any(|line| line.contains("writable")), "{lines:?}");
}

/// As somebody without any right.
fn as_nobody(stage: &Stage, program: &str, words: &[&str]) -> Option<Command> {
    if !is_root() {
        skip("only root can become somebody else");
        return None;
    }
    let owner = Command::new("chown").args(["-R", "65534:65534"]).arg(&stage.home).status();
    assert!(owner.unwrap().success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]).args(words);
    Some(command)
}

#[test]
fn an_ordinary_user_has_a_supervisor_of_its_own() {
    let mut stage = Stage::new();
    let run = "#!/bin/sh\necho as $(id -u)\n(sleep 1000 & echo orphan $!)\nexec sleep 1000\n";
    stage.service("own", &[("run", run), ("user", "65534:65534\n"), ("limits", "nofile 64\n")]);
    stage.service("other", &[("run", "#!/bin/sh\n"), ("user", "0:0\n")]);
    let services = stage.services().display().to_string();
    let socket = stage.socket().display().to_string();
    let Some(command) = as_nobody(&stage, BINARY, &["--services", &services, "--control", &socket]) else { return };
    stage.start_as(command);
    assert_eq!(stage.line("own: as"), "own: as 65534");
    let orphan: i32 = stage.line("orphan").rsplit(' ').next().unwrap().parse().unwrap();
    let other = stage.until_state("other", S::Broken);
    assert!(other.reason.starts_with("user: cannot set the"), "{other:?}");
    // Its files are its own, and so are the changes in them.
    stage.sleeper("new");
    stage.until_state("new", S::Ready);
    stage.ask(&Request::Restart { name: "own" }).unwrap();
    assert_eq!(stage.line("own: as"), "own: as 65534");
    assert!(stage.end().success());
    until("the orphan is gone", || !Path::new(&format!("/proc/{orphan}")).exists());
}

#[test]
fn in_a_container_without_mounts_it_is_pid_1_of_an_ordinary_user() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\necho process $$ of $PPID\n(sleep 0.01 &)\nexec sleep 1000\n")]);
    stage.service(
        "end",
        &[
            ("run", "#!/bin/sh\ntrap 'echo in order; exit' TERM\necho >&3\nwhile :; do sleep 0.05; done\n"),
            ("notification-fd", "3\n"),
        ],
    );
    // Neither /proc nor /sys, a bare /dev, no right outside.
    let shell =
        "mount -t tmpfs none /proc && mount -t tmpfs none /sys && mount -t tmpfs none /dev && exec \"$0\" \"$@\"";
    let container = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount", "--ipc"];
    let mut words: Vec<&str> = container.to_vec();
    words.extend(["sh", "-c", shell, BINARY, "--no-mounts", "--services"]);
    let (services, socket) = (stage.services().display().to_string(), stage.socket().display().to_string());
    words.extend([services.as_str(), "--control", socket.as_str()]);
    let Some(probe) = as_nobody(&stage, "unshare", &container).map(|mut probe| probe.arg("true").status()) else {
        return;
    };
    if !probe.is_ok_and(|status| status.success()) {
        return skip("users may not make namespaces here");
    }
    let Some(command) = as_nobody(&stage, "unshare", &words) else { return };
    stage.start_as(command);
    stage.line(" of 1");
    stage.until_state("end", S::Ready);
    let before = stage.until_state("s", S::Ready).pid;
    // Root outside is nobody inside, and may look.
    assert!(Client::connect(&stage.socket(), crate::common::PATIENCE).is_ok());
    stage.sleeper("comes");
    stage.until_state("comes", S::Ready);
    assert_eq!(stage.row("s").unwrap().pid, before);
    signal::send(Target::Process(init_of(&stage)), signal::PWR).unwrap();
    stage.line("end: in order");
    assert_eq!(stage.wait().signal(), POWERED_OFF);
}
