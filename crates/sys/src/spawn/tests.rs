use super::*;
use crate::signal;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

/// What the kernels of the past offered: each must do.
const ALL_MEANS: [Means; 3] = [
    Means { clone3: true, close_range: true },
    Means { clone3: false, close_range: true },
    Means { clone3: false, close_range: false },
];

/// Runs a script by each of the means; what it wrote must be the same.
fn run_by_all(script: &CStr) -> String {
    let texts = ALL_MEANS.map(|means| {
        let (result, text) = run_by(script, c"/bin/sh", None, None, means);
        result.unwrap();
        text
    });
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    texts[0].clone()
}

fn run(script: &CStr, program: &CStr, extra: Option<RawFd>) -> (Result<Process, Error>, String) {
    run_with(script, program, extra, None)
}

fn run_with(
    script: &CStr,
    program: &CStr,
    extra: Option<RawFd>,
    capabilities: Option<u64>,
) -> (Result<Process, Error>, String) {
    run_by(script, program, extra, capabilities, Means::known())
}

fn run_by(
    script: &CStr,
    program: &CStr,
    extra: Option<RawFd>,
    capabilities: Option<u64>,
    means: Means,
) -> (Result<Process, Error>, String) {
    let (mut reader, writer) = io::pipe().unwrap();
    let root = File::open("/").unwrap();
    let null = File::open("/dev/null").unwrap();
    let extra: Vec<_> = extra.map(|target| (writer.as_fd(), target)).into_iter().collect();
    let arguments = [c"sh", c"-c", script];
    let command = Command {
        environment: &[c"WORD=given", c"PATH=/bin:/usr/bin"],
        extra: &extra,
        capabilities,
        limits: &[Limit { resource: NOFILE, soft: 64, hard: 64 }],
        pid_variable: Some(c"OWN_PID"),
        ..Command::new(program, &arguments, root.as_fd(), [null.as_fd(), writer.as_fd(), writer.as_fd()])
    };
    let result = spawn_by(&command, means);
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    if let Ok(process) = &result {
        reap(process.pid());
    }
    (result, text)
}

#[test]
fn the_program_gets_what_the_command_says_and_nothing_else() {
    let script = c"echo $WORD $(pwd) $(ulimit -n) $(ls /proc/self/fd | tr '\\n' ' ')";
    // What the test itself was started with is marked at the start, as a supervisor does.
    crate::descriptor::mark_one_by_one();
    // 3 is the directory that ls itself reads.
    assert_eq!(run_by_all(script).trim(), "given / 64 0 1 2 3");
}

#[test]
fn the_extra_descriptor_has_the_number_asked_for() {
    let (result, text) = run(c"echo there >&9", c"/bin/sh", Some(9));
    result.unwrap();
    assert_eq!(text, "there\n");
}

#[test]
fn a_variable_holds_the_process_id() {
    let (result, text) = run(c"echo $OWN_PID $$", c"/bin/sh", None);
    let pid = result.unwrap().pid();
    assert_eq!(text, format!("{pid} {pid}\n"));
}

#[test]
fn several_descriptors_are_placed_wherever_they_were() {
    let (mut reader, writer) = io::pipe().unwrap();
    let null = File::open("/dev/null").unwrap();
    let (one, two) = (File::open("/dev/zero").unwrap(), File::open("/etc").unwrap());
    let targets = [(one.as_fd(), two.as_raw_fd()), (two.as_fd(), one.as_raw_fd())];
    let script = CString::new(format!("readlink /proc/self/fd/{} /proc/self/fd/{}", one.as_raw_fd(), two.as_raw_fd()));
    let script = script.unwrap();
    let arguments: [&CStr; 3] = [c"sh", c"-c", &script];
    let stdio = [null.as_fd(), writer.as_fd(), writer.as_fd()];
    let command = Command {
        environment: &[c"PATH=/bin:/usr/bin"],
        extra: &targets,
        ..Command::new(c"/bin/sh", &arguments, two.as_fd(), stdio)
    };
    let process = spawn(&command).unwrap();
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    reap(process.pid());
    assert_eq!(text, "/etc\n/dev/zero\n");
}

#[test]
fn capabilities_are_what_was_asked_for_and_nothing_more() {
    // CAP_NET_BIND_SERVICE
    let (result, text) = run_with(c"grep Cap /proc/$$/status", c"/bin/sh", None, Some(1 << 10));
    if result.is_err() {
        // Only root may give itself some.
        return assert!(!rustix::process::geteuid().is_root(), "{result:?}");
    }
    let values: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(values, ["0000000000000400"; 5], "{text}");
}

#[test]
fn the_program_leads_its_own_session_with_sigpipe_at_default() {
    let (result, text) = run(c"echo $$ $(cut -d ' ' -f 6 /proc/$$/stat); yes | true; echo end", c"/bin/sh", None);
    result.unwrap();
    let first: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(first[0], first[1]);
    assert!(text.ends_with("end\n") && !text.contains("yes"), "{text}");
}

#[test]
fn a_missing_program_is_an_error_and_leaves_no_process() {
    for means in ALL_MEANS {
        let (result, text) = run_by(c"", c"/no/such/program", None, None, means);
        let error = result.unwrap_err();
        assert_eq!((error.stage, error.cause.raw_os_error()), (Stage::Execute, Some(libc::ENOENT)));
        assert_eq!(text, "");
    }
}

fn sleeper(means: Means, cgroup: Option<BorrowedFd<'_>>) -> Result<Process, Error> {
    let (root, null) = (File::open("/").unwrap(), File::open("/dev/null").unwrap());
    let arguments = [c"sleep", c"1000"];
    spawn_by(&Command { cgroup, ..Command::new(c"/bin/sleep", &arguments, root.as_fd(), [null.as_fd(); 3]) }, means)
}

#[test]
fn a_process_comes_with_a_pidfd_that_tells_its_end() {
    for means in ALL_MEANS {
        let process = sleeper(means, None).unwrap();
        let mut poll = [rustix::event::PollFd::from_borrowed_fd(process.fd().unwrap(), rustix::event::PollFlags::IN)];
        let soon = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
        let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        assert_eq!(rustix::event::poll(&mut poll, Some(&at_once)).unwrap(), 0);
        process.signal(signal::KILL).unwrap();
        assert_eq!(rustix::event::poll(&mut poll, Some(&soon)).unwrap(), 1);
        reap(process.pid());
    }
}

#[test]
fn a_process_that_is_gone_gets_no_signal_even_when_another_has_its_number() {
    let gone = sleeper(Means::known(), None).unwrap();
    gone.signal(signal::KILL).unwrap();
    reap(gone.pid());
    let gone_for_good = |process: &Process| process.signal(signal::KILL).unwrap_err().raw_os_error();
    assert_eq!(gone_for_good(&gone), Some(libc::ESRCH));
    // Only root may choose the next number, and others may be faster.
    for _ in 0..1000 {
        if std::fs::write("/proc/sys/kernel/ns_last_pid", (gone.pid() - 1).to_string()).is_err() {
            return assert!(!rustix::process::geteuid().is_root());
        }
        let other = sleeper(Means::known(), None).unwrap();
        let same = other.pid() == gone.pid();
        if same {
            assert_eq!(gone_for_good(&gone), Some(libc::ESRCH));
            // Nothing is pending for it either: it is still there to be asked.
            other.signal(0).unwrap();
            let status = std::fs::read_to_string(format!("/proc/{}/stat", other.pid())).unwrap();
            assert!(!status.contains(") Z "), "{status}");
        }
        other.signal(signal::KILL).unwrap();
        reap(other.pid());
        if same {
            return;
        }
    }
    panic!("the number did not come again");
}

/// A cgroup of its own; `None` where none can be made.
fn make_cgroup(name: &str) -> Option<std::path::PathBuf> {
    let places = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let base = places.into_iter().find(|place| std::fs::exists(format!("{place}/cgroup.procs")).unwrap())?;
    let path = std::path::PathBuf::from(format!("{base}/sys-test-{name}-{}", std::process::id()));
    std::fs::create_dir(&path).ok().map(|()| path)
}

#[test]
fn a_child_is_born_in_its_cgroup() {
    let Some(path) = make_cgroup("born") else { return };
    for means in ALL_MEANS {
        let process = sleeper(means, Some(File::open(&path).unwrap().as_fd())).unwrap();
        let inside = std::fs::read_to_string(path.join("cgroup.procs")).unwrap();
        assert_eq!(inside, format!("{}\n", process.pid()));
        process.signal(signal::KILL).unwrap();
        reap(process.pid());
    }
    std::fs::remove_dir(&path).unwrap();
}

#[test]
fn a_child_moves_to_a_cgroup_that_was_killed_before() {
    let Some(path) = make_cgroup("killed") else { return };
    let (root, null) = (File::open("/").unwrap(), File::open("/dev/null").unwrap());
    std::fs::write(path.join("cgroup.kill"), "1").unwrap();
    let (arguments, cgroup) = ([c"sleep", c"1000"], File::open(&path).unwrap());
    for means in ALL_MEANS {
        let command = Command::new(c"/bin/sleep", &arguments, root.as_fd(), [null.as_fd(); 3]);
        let process = spawn_by(&Command { cgroup: Some(cgroup.as_fd()), moves: true, ..command }, means).unwrap();
        let inside = std::fs::read_to_string(path.join("cgroup.procs")).unwrap();
        assert_eq!(inside, format!("{}\n", process.pid()));
        process.signal(signal::KILL).unwrap();
        reap(process.pid());
    }
    std::fs::remove_dir(&path).unwrap();
}

#[test]
fn what_is_no_cgroup_is_an_error_and_leaves_no_process() {
    let root = File::open("/").unwrap();
    let error = sleeper(ALL_MEANS[0], Some(root.as_fd())).unwrap_err();
    assert_eq!((error.stage, error.cause.raw_os_error()), (Stage::Clone, Some(libc::EBADF)));
    let error = sleeper(ALL_MEANS[1], Some(root.as_fd())).unwrap_err();
    assert_eq!((error.stage, error.cause.raw_os_error()), (Stage::Cgroup, Some(libc::ENOENT)));
}

#[test]
fn the_oom_score_is_the_childs_alone() {
    let (root, null) = (File::open("/").unwrap(), File::open("/dev/null").unwrap());
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    for means in ALL_MEANS {
        let (mut reader, writer) = io::pipe().unwrap();
        let stdio = [null.as_fd(), writer.as_fd(), null.as_fd()];
        let arguments = [c"cat", c"/proc/self/oom_score_adj"];
        let command = Command { oom_score: Some(700), ..Command::new(c"/bin/cat", &arguments, root.as_fd(), stdio) };
        let process = spawn_by(&command, means).unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        reap(process.pid());
        assert_eq!(text, "700\n");
    }
    assert_eq!(std::fs::read_to_string("/proc/self/oom_score_adj").unwrap(), own);
}
