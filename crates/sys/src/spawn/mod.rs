//! Starting another program from a long-lived process: `vfork` semantics, no copy of the page tables, the error of `execve`
//! returned to the caller.
//!
//! The child shares the parent's memory and the parent sleeps until the child has executed the program or given up, so a failed
//! `execve` is an ordinary return value, and a big parent starts programs as fast as a small one. The child comes with a pidfd and is
//! born in its cgroup where the kernel can do that; see `clone` for what happens where it cannot.
//!
//! ```
//! use std::{fs::File, os::fd::AsFd};
//! use sys::spawn::{Command, spawn};
//!
//! let (root, null) = (File::open("/").unwrap(), File::open("/dev/null").unwrap());
//! let mut command = Command::new(c"/bin/true", &[c"true"], root.as_fd(), [null.as_fd(); 3]);
//! command.environment = &[c"LANG=C"];
//! let process = spawn(&command).unwrap();
//! let id = rustix::process::Pid::from_raw(process.pid());
//! assert!(rustix::process::waitpid(id, rustix::process::WaitOptions::empty()).unwrap().unwrap().1.exited());
//! ```

mod child;
mod clone;
#[cfg(target_arch = "x86_64")]
mod clone3;
mod error;
mod limit;
mod process;
#[cfg(test)]
mod tests;

pub use error::{Error, Stage};
pub use limit::{Limit, NOFILE, RESOURCES};
pub use process::Process;

use child::Plan;
use clone::Means;
use std::ffi::{CStr, c_char, c_int};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

/// Room for a process id in digits, and the NUL after it.
const PID_DIGITS: usize = 12;

/// Who the child becomes before it executes the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User id: real, effective and saved.
    pub uid: u32,
    /// Group id: real, effective and saved.
    pub gid: u32,
    /// Supplementary groups; replaces the parent's.
    pub groups: Vec<u32>,
}

/// What to start and how. The child is the leader of a new session, with every signal unblocked.
#[derive(Debug)]
pub struct Command<'a> {
    /// The program, looked up from `directory` when it is relative.
    pub program: &'a CStr,
    /// Its arguments, the zeroth included.
    pub arguments: &'a [&'a CStr],
    /// Its whole environment, `NAME=value` each.
    pub environment: &'a [&'a CStr],
    /// Its working directory.
    pub directory: BorrowedFd<'a>,
    /// Its descriptors 0, 1 and 2. Each must itself be 3 or above.
    pub stdio: [BorrowedFd<'a>; 3],
    /// More descriptors to hand down, and the numbers (3 to 1023, each once) the child finds them under. All others are closed.
    pub extra: &'a [(BorrowedFd<'a>, RawFd)],
    /// `None`: stays who the parent is.
    pub identity: Option<&'a Identity>,
    /// A bit for each capability that the child and its children may have; `None`: those of the parent, or of `identity`.
    pub capabilities: Option<u64>,
    /// Limits to set.
    pub limits: &'a [Limit],
    /// A variable of this name is added to the environment, with the child's own process id as its value.
    pub pid_variable: Option<&'a CStr>,
    /// The directory of the cgroup (version 2) it is born in; `None`: that of the parent.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// It moves to its cgroup instead of being born there. To be set once `cgroup.kill` was written to there: Linux (seen with 6.18) then kills
    /// at once whatever is born there from outside.
    pub moves: bool,
    /// How willingly the kernel kills it when memory is short, from -1000 to 1000 (`man 5 proc_pid_oom_score_adj`); `None`: as the parent.
    pub oom_score: Option<i16>,
}

impl<'a> Command<'a> {
    /// A program that stays what its parent is, without environment.
    #[must_use]
    pub const fn new(
        program: &'a CStr,
        arguments: &'a [&'a CStr],
        directory: BorrowedFd<'a>,
        stdio: [BorrowedFd<'a>; 3],
    ) -> Self {
        Self {
            program,
            arguments,
            environment: &[],
            directory,
            stdio,
            extra: &[],
            identity: None,
            capabilities: None,
            limits: &[],
            pid_variable: None,
            cgroup: None,
            moves: false,
            oom_score: None,
        }
    }
}

/// Starts the program and returns its process, once it executes.
///
/// Receive signals by [`crate::signal::SignalFd`]: handlers that the parent has installed are put to default in the child before anything else.
/// Ignored signals other than SIGPIPE stay ignored: see [`crate::signal::default_all`].
///
/// # Errors
/// [`Error`], naming the stage.
pub fn spawn(command: &Command<'_>) -> Result<Process, Error> {
    spawn_by(command, Means::known())
}

fn spawn_by(command: &Command<'_>, means: Means) -> Result<Process, Error> {
    let arguments = pointers(command.arguments);
    let mut pid_variable = command.pid_variable.map(|name| {
        let mut text = [name.to_bytes(), b"="].concat();
        text.resize(text.len() + PID_DIGITS, 0);
        text
    });
    let mut pid_text = None;
    let mut environment = pointers(command.environment);
    if let Some(text) = &mut pid_variable {
        environment.insert(0, text.as_ptr().cast());
        pid_text = text.last_chunk_mut::<PID_DIGITS>().map(|digits| &raw mut *digits);
    }
    let mut extra: Vec<(RawFd, RawFd)> = command.extra.iter().map(|(fd, target)| (fd.as_raw_fd(), *target)).collect();
    let oom_score = command.oom_score.map(|score| score.to_string());
    let mut plan = Plan {
        program: command.program.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        directory: command.directory.as_raw_fd(),
        stdio: command.stdio.map(|fd| fd.as_raw_fd()),
        extra: extra.as_mut_ptr(),
        extra_count: extra.len(),
        identity: command.identity.map(|who| (who.uid, who.gid, who.groups.as_ptr(), who.groups.len())),
        capabilities: command.capabilities,
        limits: command.limits.as_ptr(),
        limit_count: command.limits.len(),
        pid_text,
        cgroup: command.cgroup.map(|fd| fd.as_raw_fd()),
        oom_score: oom_score.as_ref().map(|text| (text.as_ptr(), text.len())),
        moves: command.moves,
        handlers: true,
        means,
        failure: None,
    };
    let process = clone::clone(&mut plan).map_err(|cause| Error { stage: Stage::Clone, cause })?;
    // The child wrote through a pointer the compiler lost sight of.
    // SAFETY: `plan` is alive, initialised, and no longer shared: the child has executed or ended.
    match unsafe { ptr::read_volatile(&raw const plan.failure) } {
        None => Ok(process),
        Some((stage, errno)) => {
            reap(process.pid());
            Err(Error { stage, cause: io::Error::from_raw_os_error(errno) })
        }
    }
}

fn pointers(words: &[&CStr]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain(std::iter::once(ptr::null())).collect()
}

fn reap(pid: c_int) {
    loop {
        // SAFETY: a null status is allowed; the pid is our own child, which has ended already.
        let done = unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
        if done >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}
