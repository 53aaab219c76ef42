//! The means to make things go wrong.

use crate::common::{PATIENCE, skip};
use rustix::process::{Pid, Resource, Rlimit};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// As many as in a short run, or in a full one (`cargo xtask test --full`).
pub(crate) fn count(short: usize, full: usize) -> usize {
    if std::env::var_os("LUNIX_FULL").is_some() { full } else { short }
}

/// Looks again and again until it is so.
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the process uses no processor time from one look to the next: what spins never comes there.
pub(crate) fn until_at_rest(pid: i32) {
    // Nanoseconds on a processor come first (Documentation/scheduler/sched-stats.rst).
    let used = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
        stat.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let mut before = 0;
    until("at rest", || {
        let now = used();
        let rests = std::mem::replace(&mut before, now) == now;
        if !rests {
            std::thread::sleep(Duration::from_millis(100));
        }
        rests
    });
}

/// Writes a file below `folder`, which is made; what begins with `#!` is executable.
pub(crate) fn plant(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes `link` lead to `target` in one step.
pub(crate) fn swap(link: &Path, target: &str) {
    let draft = link.with_extension("draft");
    symlink(target, &draft).unwrap();
    fs::rename(&draft, link).unwrap();
}

/// True when the program is installed; otherwise the test is noted as skipped.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skip(&format!("{program} is not installed"));
    }
    found
}

/// Sets how many descriptors a running process may have.
pub(crate) fn limit_descriptors(pid: i32, most: u64) {
    let pid = Pid::from_raw(pid).unwrap();
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum;
    rustix::process::prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(most), maximum: hard }).unwrap();
}

/// Errors that strace(1) puts in the place of system calls. The process stays the test's own child.
#[derive(Debug)]
pub(crate) struct Injector(Child);

impl Injector {
    /// Makes calls of a running process fail from now on, as `man 1 strace` says under `inject`; `None` where strace cannot do that.
    pub(crate) fn attach(pid: i32, faults: &[&str]) -> Option<Self> {
        let mut command = Command::new("strace");
        command.args(["-o", "/dev/null", "-p", &pid.to_string()]).args(words(faults));
        let Ok(mut child) = command.stderr(Stdio::piped()).spawn() else {
            skip("strace is needed to make system calls fail");
            return None;
        };
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let is_attached = lines.any(|line| line.contains("attached"));
        let injector = Self(child);
        if !is_attached {
            skip("strace may not attach here");
            return None;
        }
        Some(injector)
    }
}

/// The options of strace; it changes only the calls that it follows.
fn words(faults: &[&str]) -> Vec<String> {
    let calls: Vec<&str> = faults.iter().filter_map(|fault| fault.split(':').next()).collect();
    let faults = faults.iter().map(|fault| format!("--inject={fault}"));
    std::iter::once(format!("--trace={}", calls.join(","))).chain(faults).collect()
}

impl Drop for Injector {
    fn drop(&mut self) {
        let pid = i32::try_from(self.0.id()).unwrap();
        let _ = sys::signal::send(sys::signal::Target::Process(pid), sys::signal::INT);
        let _ = self.0.wait();
    }
}

/// `command` under strace from its first call on; `None` where there is no strace.
pub(crate) fn injected(command: &Command, faults: &[&str]) -> Option<Command> {
    let is_there = Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !is_there {
        skip("strace is needed to make system calls fail");
        return None;
    }
    let mut outer = Command::new("strace");
    // As a grandchild, so that signals go to lunix-init itself.
    outer.args(["-D", "-qqq", "-o", "/dev/null"]).args(words(faults));
    outer.arg(command.get_program()).args(command.get_args());
    Some(outer)
}
