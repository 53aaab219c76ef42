//! The processes of host mode: finding programs, starting lunix-init, ending everything.

use super::parts::{Part, Place};
use program::{Fatal, exit};
use reactor::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long services may take to end, in milliseconds, before lunix-init kills them.
const STOP_LIMIT_MS: &str = "3000";

/// How long processes whose lunix-init was killed may take to end by themselves.
const STRAY_LIMIT: Duration = Duration::from_secs(2);

/// The program, beside the running one or else in PATH.
pub(super) fn find(name: &str, own: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let beside = own.parent().map(Path::to_path_buf);
    let folders = beside.into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok())
}

/// The programs of the parts; what is missing is said in one line and left out. Without a bus there is nothing to run.
pub(super) fn programs(parts: Vec<Part>, own: &Path) -> Result<Vec<(Part, PathBuf)>, Fatal> {
    let mut found = Vec::new();
    for part in parts {
        match find(part.name, own) {
            Some(program) => found.push((part, program)),
            None if part.name == "lunix-bus" => return Err(missing(part.name)),
            None => program::log::line("lunix", program::Level::Warn, missing(part.name)),
        }
    }
    Ok(found)
}

fn missing(name: &str) -> Fatal {
    Fatal::new(exit::UNAVAILABLE, format!("{name} is missing: neither beside lunix nor in PATH"))
}

/// A port of the loopback address that is free now. It lies below those that the kernel gives to outgoing connections, so that it
/// is still free when the bus has to be started again.
pub(super) fn free_port() -> Result<u16, Fatal> {
    let start = u16::try_from(std::process::id() % 10_000).unwrap_or_default();
    let ports = (0..100).map(|step| 20_000 + (start + step * 97) % 10_000);
    ports
        .into_iter()
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| Fatal::new(exit::TRY_AGAIN, "no free port on 127.0.0.1"))
}

/// Starts lunix-init, tied to us: when we are killed it gets SIGTERM and ends everything. In a process group of its own, so that
/// Ctrl-C reaches us alone.
pub(super) fn start_init(place: &Place) -> Result<Child, Fatal> {
    // Whoever loses its parent comes to us.
    set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|errno| Fatal::system("cannot become the parent of orphans", errno))?;
    let init = find("lunix-init", &place.lunix).ok_or_else(|| missing("lunix-init"))?;
    let mut command = Command::new(&place.lunix);
    command.args(["tied", "--parent", &std::process::id().to_string(), "--"]).arg(init);
    command.arg("--services").arg(place.services()).arg("--control").arg(place.control());
    command.args(["--stop-limit-ms", STOP_LIMIT_MS]).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().map_err(|error| Fatal::system("cannot start lunix-init", error))
}

/// Sends lunix-init a signal; that it has ended is no error.
pub(super) fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Waits for all processes that were left to us, kills those that do not end, and returns when there are none.
pub(super) fn end_strays() {
    let deadline = Instant::now() + STRAY_LIMIT;
    // Each round ends at least one process or passes the deadline; what a killed one leaves comes in the next round.
    for _ in 0..10_000 {
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let strays = children();
        let Some(first) = strays.first() else { return };
        let left = deadline.since(Instant::now());
        if left.is_zero() {
            for pid in &strays {
                // One that has ended meanwhile is what we want.
                let _ = kill_process(*pid, Signal::KILL);
            }
        }
        let limit = if left.is_zero() { Duration::from_millis(100) } else { left };
        wait_for(*first, limit);
    }
}

/// Waits for the end of a process, at most `limit`.
fn wait_for(pid: Pid, limit: Duration) {
    if let (Ok(fd), Ok(limit)) = (reactor::pidfd(pid.as_raw_nonzero().get()), Timespec::try_from(limit)) {
        // Whether it ended or the limit passed, the caller looks again.
        let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit));
    }
}

/// Our children, as `/proc` tells (`man 5 proc`: the fourth field of `stat`, after the name in parentheses).
fn children() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.to_owned();
        Pid::from_raw(pid).filter(|_| parent == own)
    });
    pids.collect()
}
