//! A cgroup of version 2 for each service. Where none can be made, each test says so and is left out.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{PATIENCE, Stage, is_alive, skip};
use init_control::{Reply, Request, ServiceState as S, What};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The cgroup of a process: its path below the mount of version 2.
fn cgroup_of(pid: i32) -> PathBuf {
    let table = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = table.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    mounts.into_iter().find(|mount| mount.join("cgroup.procs").exists()).unwrap_or(mounts[0]).join(path)
}

/// True when lunix-init may make cgroups here.
fn may_make() -> bool {
    let probe = cgroup_of(std::process::id().cast_signed()).join(format!("probe-{}", std::process::id()));
    let made = fs::create_dir(&probe).is_ok();
    let _ = fs::remove_dir(&probe);
    if !made {
        skip("this test may not make cgroups");
    }
    made
}

fn until(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// Waits for an event of a service; returns its sentence.
fn until_told(stage: &Stage, name: &str, wanted: What, then: impl FnOnce()) -> String {
    let mut watch = stage.client();
    watch.send(&Request::Watch).unwrap();
    while !matches!(watch.reply().unwrap(), Reply::End { .. }) {}
    then();
    loop {
        if let Reply::Event(event) = watch.reply().unwrap()
            && event.service == Some(name)
            && event.what == wanted
        {
            return event.reason.to_string();
        }
    }
}

const WITH_ORPHAN: &str =
    "#!/bin/sh\nsetsid sh -c 'trap \"\" TERM HUP; echo left $$; while :; do sleep 0.05; done' &\nexec sleep 1000\n";

fn number_at_the_end(line: &str) -> i32 {
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn every_service_is_born_in_a_cgroup_of_its_name_that_goes_with_it() {
    if !may_make() {
        return;
    }
    let mut stage = Stage::new();
    stage
        .sleeper("a.b")
        .service("logged", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("log/run", "#!/bin/sh\nexec cat\n")]);
    stage.service("ends", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("finish", "#!/bin/sh\ncat /proc/self/cgroup\n")]);
    stage.start();
    let groups = ["a.b", "logged", "logged/log"].map(|name| cgroup_of(stage.until_state(name, S::Ready).pid.unwrap()));
    let names: Vec<_> = groups.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a%2eb", "logged", "logged%2flog"]);
    let base = groups[0].parent().unwrap().to_owned();
    assert_eq!(base.file_name().unwrap().to_str().unwrap(), format!("lunix-{}", stage.pid()));
    stage.until_state("ends", S::Ready);
    stage.ask(&Request::Stop { name: "ends" }).unwrap();
    assert!(stage.line("ends: 0::").ends_with("/ends"));
    stage.ask(&Request::Stop { name: "a.b" }).unwrap();
    until("the cgroup of a stopped service stays", || !groups[0].exists() && !base.join("ends").exists());
    assert!(groups[1].exists());
    stage.end();
    assert!(!base.exists());
}

#[test]
fn what_a_process_leaves_behind_is_gone_before_the_next_one_starts() {
    if !may_make() {
        return;
    }
    let mut stage = Stage::new();
    stage.service("s", &[("run", WITH_ORPHAN), ("finish", "#!/bin/sh\necho finished\n")]).start();
    let first = number_at_the_end(&stage.line("s: left"));
    let main = stage.row("s").unwrap().pid.unwrap();
    sys::signal::send(sys::signal::Target::Process(main), sys::signal::TERM).unwrap();
    let second = number_at_the_end(&stage.line("s: left"));
    assert!(!is_alive(first) && is_alive(second));
    let row = stage.until_state("s", S::Ready);
    assert_eq!(row.restarts, 1);
    let group = cgroup_of(row.pid.unwrap());
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    assert!(!is_alive(second));
    until("its cgroup stays", || !group.exists());
    let lines = stage.line("s: finished");
    assert_eq!(lines, "s: finished");
}

#[test]
fn children_that_are_to_be_kept_survive_restart_and_stop() {
    if !may_make() {
        return;
    }
    let mut stage = Stage::new();
    stage.service("s", &[("run", WITH_ORPHAN), ("flag-keep-children", "")]).start();
    let first = number_at_the_end(&stage.line("s: left"));
    stage.ask(&Request::Restart { name: "s" }).unwrap();
    let second = number_at_the_end(&stage.line("s: left"));
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    assert!(is_alive(first) && is_alive(second));
    // They came to lunix-init as orphans, and end with it.
    assert!(fs::read_to_string(format!("/proc/{first}/stat")).unwrap().contains(&format!(" S {} ", stage.pid())));
    stage.end();
    until("what was kept outlives lunix-init", || !is_alive(first) && !is_alive(second));
}

#[test]
fn a_service_that_multiplies_and_is_deaf_is_stopped_within_its_time() {
    if !may_make() {
        return;
    }
    let mut stage = Stage::new();
    // Each generation starts the next in a session of its own, and dies.
    let spore = "#!/bin/sh\ntrap '' TERM HUP INT\nsetsid ./spore &\nsleep 0.02\n";
    let run = "#!/bin/sh\ntrap '' TERM\nfor i in 1 2 3 4 5 6 7 8; do ./spore & done\necho grown\nwhile :; do sleep 0.05; done\n";
    stage.service("s", &[("run", run), ("spore", spore), ("timeout-kill", "100")]).start();
    stage.line("s: grown");
    let group = cgroup_of(stage.row("s").unwrap().pid.unwrap());
    let begin = Instant::now();
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    until("something of it still grows", || !group.exists());
    assert!(begin.elapsed().as_millis() >= 100);
}

#[test]
fn settings_are_the_kernels_and_what_it_refuses_is_named() {
    if !may_make() {
        return;
    }
    let mut stage = Stage::new();
    let run = ("run", "#!/bin/sh\nexec sleep 1000\n");
    stage.service("good", &[run, ("cgroup/cgroup.max.depth", "3\n")]);
    stage.service("refused", &[run, ("cgroup/cgroup.max.depth", "99999999999\n")]);
    stage.service("odd", &[run, ("cgroup/cgroup.max.depth", "deep\n")]);
    stage.service("unknown", &[run, ("cgroup/memory.fun", "1\n")]);
    stage.service("missing", &[run, ("cgroup/hugetlb.1KB.max", "max\n")]);
    stage.start();
    stage.line("warn: missing: cgroup/hugetlb.1KB.max: not on this kernel, and without effect");
    let group = cgroup_of(stage.until_state("good", S::Ready).pid.unwrap());
    stage.until_state("missing", S::Ready);
    assert_eq!(fs::read_to_string(group.join("cgroup.max.depth")).unwrap(), "3\n");
    let reason = |name: &str| stage.until_state(name, S::Broken).reason;
    assert!(reason("refused").starts_with("cgroup/cgroup.max.depth: the kernel refuses \"99999999999\": "));
    assert_eq!(reason("odd"), "cgroup/cgroup.max.depth: expected max or a number, found \"deep\"");
    assert!(reason("unknown").starts_with("cgroup/memory.fun: expected a file of cgroup v2 that sets something"));
    // What the directory does not say any more does not stay.
    let draft = stage.services().join("good/cgroup");
    fs::remove_file(draft.join("cgroup.max.depth")).unwrap();
    until("the setting stays", || fs::read_to_string(group.join("cgroup.max.depth")).is_ok_and(|text| text == "max\n"));
}

#[test]
fn a_controller_is_handed_on_when_a_service_needs_it() {
    if !may_make() {
        return;
    }
    let available = cgroup_of(std::process::id().cast_signed()).join("cgroup.controllers");
    if !fs::read_to_string(available).unwrap().contains("hugetlb") {
        return skip("there is no controller hugetlb");
    }
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("cgroup/hugetlb.2MB.max", "4M\n")]).start();
    let group = cgroup_of(stage.until_state("s", S::Ready).pid.unwrap());
    assert_eq!(fs::read_to_string(group.join("hugetlb.2MB.max")).unwrap(), "4194304\n");
}

#[test]
fn waiting_beyond_the_limit_is_told() {
    if !may_make() {
        return;
    }
    let mut stage = Stage::new();
    let run = "#!/bin/sh\necho up\nwhile ! [ -e ../../go ]; do sleep 0.02; done\nfor i in 1 2 3 4 5 6; do while :; do :; done & done\nwait\n";
    // Without CAP_SYS_RESOURCE the kernel wants windows of whole 2 s.
    stage.service("s", &[("run", run), ("pressure", "cpu some 20 2000\n")]).start();
    stage.line("s: up");
    let group = cgroup_of(stage.row("s").unwrap().pid.unwrap());
    if !group.join("cpu.pressure").exists() {
        return skip("the kernel does not measure pressure");
    }
    let go = stage.file("go");
    let reason = until_told(&stage, "s", What::Pressure, || fs::write(go, "").unwrap());
    assert_eq!(reason, "waited for cpu some 20 ms in 2000 ms");
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
}

/// Name, processor time, memory, and whether only one process is counted.
type Used = (String, u64, Option<u64>, bool);

/// What services use.
fn usage(stage: &Stage, name: Option<&str>) -> Result<Vec<Used>, u8> {
    let (mut all, mut refused) = (Vec::new(), None);
    let mut each = |reply: &Reply<'_>| {
        if let Reply::Usage(one) = reply {
            all.push((one.name.to_owned(), one.cpu_us.unwrap(), one.memory, one.process_only));
        } else if let Reply::Refused { code, .. } = reply {
            refused = Some(*code);
        }
    };
    stage.client().ask(&Request::Usage { name }, &mut each).unwrap();
    refused.map_or(Ok(all), Err)
}

#[test]
fn what_services_use_is_told_when_asked_for_with_all_their_processes() {
    if !may_make() {
        return;
    }
    let mut stage = Stage::new();
    let run = "#!/bin/sh\n(i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; echo worked) &\nexec sleep 1000\n";
    stage.service("busy", &[("run", run)]).sleeper("idle").service("off", &[("run", run), ("down", "")]).start();
    stage.line("busy: worked");
    stage.until_state("idle", S::Ready);
    let all = usage(&stage, None).unwrap();
    let names: Vec<&str> = all.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["busy", "idle"]);
    // Its main process only sleeps: the work was its child's.
    assert!(all[0].1 > 10_000 && all[0].1 > all[1].1 && !all[0].3, "{all:?}");
    assert_eq!(usage(&stage, Some("idle")).unwrap().len(), 1);
    assert_eq!((usage(&stage, Some("off")), usage(&stage, Some("none"))), (Ok(Vec::new()), Err(69)));
}

#[test]
fn without_cgroups_the_main_process_is_counted_and_that_is_said() {
    let mut stage = Stage::new();
    let mut command = stage.sleeper("s").command();
    command.args(["--cgroup", "/proc"]);
    stage.start_as(command);
    stage.until_state("s", S::Ready);
    let all = usage(&stage, Some("s")).unwrap();
    assert!(all[0].2.is_some_and(|bytes| bytes > 0) && all[0].3, "{all:?}");
}

#[test]
fn a_process_out_of_its_session_may_announce_it_too() {
    if !may_make() {
        return;
    }
    let notify = "python3 -c 'import os,socket; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(b\"READY=1\", \"\\0\"+os.environ[\"NOTIFY_SOCKET\"][1:])'";
    let mut stage = Stage::new();
    stage.service("s", &[("run", &format!("#!/bin/sh\nsetsid {notify} &\nexec sleep 1000\n")), ("notify-socket", "")]);
    stage.start();
    stage.until_state("s", S::Ready);
}

#[test]
fn a_cgroup_may_be_given() {
    if !may_make() {
        return;
    }
    let given = cgroup_of(std::process::id().cast_signed()).join(format!("given-{}", std::process::id()));
    fs::create_dir(&given).unwrap();
    let mut stage = Stage::new();
    let mut command = stage.sleeper("s").command();
    command.arg("--cgroup").arg(&given);
    stage.start_as(command);
    assert_eq!(cgroup_of(stage.until_state("s", S::Ready).pid.unwrap()), given.join("s"));
    stage.end();
    fs::remove_dir(&given).unwrap();
}

#[test]
fn without_a_cgroup_services_run_all_the_same_and_that_is_said() {
    let mut stage = Stage::new();
    let mut command = stage.sleeper("s").command();
    command.args(["--cgroup", "/proc"]);
    stage.start_as(command);
    stage.line("info: services run without cgroups: /proc is no cgroup of version 2");
    stage.until_state("s", S::Ready);
    assert!(stage.end().success());
}
