//! Reading `/proc`.

use crate::machine::Facts;
use crate::names::Sources;
use interfaces::time::rfc3339;
use proto_proc::{Stat, arguments};
use rustix::fs::{Mode, OFlags};
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

/// Bytes of a command line that are read: enough for the script's path.
const COMMAND_MAX: u64 = 2048;

/// Arguments that are looked at for the script's path.
const ARGUMENTS_MAX: usize = 4;

/// Clock ticks per second in `/proc`: 100 on every Linux that shows them to user space (`USER_HZ`).
const TICKS: u64 = 100;

/// A reader with a buffer of its own.
#[derive(Debug)]
pub(super) struct Procfs {
    buffer: Vec<u8>,
}

impl Procfs {
    pub(super) fn new() -> Self {
        Self { buffer: Vec::with_capacity(4096) }
    }

    /// All processes, in no particular order, without the kernel's own threads.
    pub(super) fn scan(&mut self) -> io::Result<Vec<Facts>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let pid = entry?.file_name().to_str().and_then(|name| name.parse().ok());
            all.extend(pid.and_then(|pid| self.facts(pid)));
        }
        Ok(all)
    }

    /// What there is to know of one process; `None` when it is gone, dead, or a thread of the kernel. Everything is read below one
    /// descriptor of its directory, which stays that process's: another one of the same number is never mixed in.
    pub(super) fn facts(&mut self, pid: u32) -> Option<Facts> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let process = rustix::fs::open(format!("/proc/{pid}"), flags, Mode::empty()).ok()?;
        let uid = rustix::fs::fstat(&process).ok()?.st_uid;
        let file = self.read(&process, "stat")?;
        let stat = Stat::parse(file).filter(|stat| !stat.is_kernel_thread && stat.state != b'Z')?;
        let (parent_pid, start_ticks) = (stat.parent_pid, stat.start_ticks);
        let comm = String::from_utf8_lossy(stat.comm).into_owned();
        let command = self.read(&process, "cmdline").unwrap_or_default();
        let word = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
        let arguments = arguments(command).take(ARGUMENTS_MAX).map(word).collect();
        let executable = rustix::fs::readlinkat(&process, "exe", Vec::new()).ok();
        let executable = executable.map(|path| undeleted(&path.to_string_lossy()));
        let sources = Sources { comm, executable, arguments };
        Some(Facts { pid, parent_pid, uid, start_ticks, started: moment(start_ticks), sources })
    }

    fn read(&mut self, process: &OwnedFd, name: &str) -> Option<&[u8]> {
        self.buffer.clear();
        let file = rustix::fs::openat(process, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        File::from(file).take(COMMAND_MAX).read_to_end(&mut self.buffer).ok()?;
        Some(&self.buffer)
    }
}

/// The path of an executable, without the mark of one that was replaced since.
fn undeleted(path: &str) -> String {
    path.strip_suffix(" (deleted)").unwrap_or(path).to_owned()
}

/// A moment given in ticks since boot.
fn moment(start_ticks: u64) -> String {
    let boot = clock_gettime(ClockId::Boottime);
    let up = Duration::new(boot.tv_sec.unsigned_abs(), u32::try_from(boot.tv_nsec).unwrap_or(0));
    let ago = up.saturating_sub(Duration::from_millis(start_ticks * (1000 / TICKS)));
    rfc3339(SystemTime::now().checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH))
}
