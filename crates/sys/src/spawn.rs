//! Starting another program from a long-lived process: `vfork` semantics, no copy of the page tables, the error of `execve`
//! returned to the caller.
//!
//! The child shares the parent's memory and the parent sleeps until the child has executed the program or given up, so a failed
//! `execve` is an ordinary return value, and a big parent starts programs as fast as a small one.
//!
//! A parent that is the only one to reap its children needs no pidfd: the number stays the child's until it is waited for.

use crate::signal;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

/// Bytes of stack the child has between `clone` and `execve`; it calls nothing but system calls.
const STACK_BYTES: usize = 16 * 1024;

#[cfg(target_pointer_width = "64")]
mod number {
    pub(super) use libc::{SYS_setgroups as SETGROUPS, SYS_setresgid as SETRESGID, SYS_setresuid as SETRESUID};
}
#[cfg(target_pointer_width = "32")]
mod number {
    pub(super) use libc::{SYS_setgroups32 as SETGROUPS, SYS_setresgid32 as SETRESGID, SYS_setresuid32 as SETRESUID};
}

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
    /// One more descriptor to hand down, and the number (3 or above) the child finds it under. All others are closed.
    pub extra: Option<(BorrowedFd<'a>, RawFd)>,
    /// `None`: stays who the parent is.
    pub identity: Option<&'a Identity>,
    /// Limit of open descriptors (soft, hard) to set; `None`: the parent's.
    pub descriptors: Option<(u64, u64)>,
}

/// What the child was about to do when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Making the process.
    Clone,
    /// Starting a session.
    Session,
    /// Entering the working directory.
    Directory,
    /// Putting its descriptors in place.
    Descriptors,
    /// Setting the limit of open descriptors.
    Limit,
    /// Setting the supplementary groups.
    Groups,
    /// Setting the group.
    Group,
    /// Setting the user.
    User,
    /// Executing the program.
    Execute,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clone => "make a process",
            Self::Session => "start a session",
            Self::Directory => "enter the directory",
            Self::Descriptors => "place the descriptors",
            Self::Limit => "set the limit of descriptors",
            Self::Groups => "set the supplementary groups",
            Self::Group => "set the group",
            Self::User => "set the user",
            Self::Execute => "execute the program",
        })
    }
}

/// Why nothing was started. No process is left behind: one that was made has ended and is reaped.
#[derive(Debug)]
pub struct Error {
    /// What failed.
    pub stage: Stage,
    /// The kernel's reason.
    pub cause: io::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.stage, self.cause)
    }
}

impl std::error::Error for Error {}

/// Everything the child touches, as plain pointers and numbers; lives in the sleeping parent's frame.
struct Plan {
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    directory: RawFd,
    stdio: [RawFd; 3],
    extra: Option<(RawFd, RawFd)>,
    identity: Option<(u32, u32, *const u32, usize)>,
    descriptors: Option<libc::rlimit>,
    failure: Option<(Stage, c_int)>,
}

/// Starts the program and returns its process id, once it executes.
///
/// The parent must not have installed signal handlers (they would run in shared memory): receive signals by
/// [`signal::SignalFd`]. Ignored signals other than SIGPIPE stay ignored: see [`signal::default_all`].
///
/// # Errors
/// [`Error`], naming the stage.
pub fn spawn(command: &Command<'_>) -> Result<i32, Error> {
    let arguments = pointers(command.arguments);
    let environment = pointers(command.environment);
    let mut plan = Plan {
        program: command.program.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        directory: command.directory.as_raw_fd(),
        stdio: command.stdio.map(|fd| fd.as_raw_fd()),
        extra: command.extra.map(|(fd, target)| (fd.as_raw_fd(), target)),
        identity: command.identity.map(|who| (who.uid, who.gid, who.groups.as_ptr(), who.groups.len())),
        descriptors: command.descriptors.map(|(soft, hard)| limit(soft, hard)),
        failure: None,
    };
    let mut stack = [MaybeUninit::<u8>::uninit(); STACK_BYTES];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let top = stack.as_mut_ptr_range().end;
    // SAFETY: `top` is the end of a stack of this frame, aligned below to 16 bytes. CLONE_VFORK keeps this thread asleep, so the frame,
    // `plan` and everything it points to outlive the child's use of them, and nobody else touches them meanwhile.
    let pid = unsafe {
        let top = top.sub(top.addr() % 16);
        libc::clone(child, top.cast(), flags, (&raw mut plan).cast())
    };
    if pid < 0 {
        return Err(Error { stage: Stage::Clone, cause: io::Error::last_os_error() });
    }
    // The child wrote through a pointer the compiler lost sight of.
    // SAFETY: `plan` is alive, initialised, and no longer shared: the child has executed or ended.
    match unsafe { ptr::read_volatile(&raw const plan.failure) } {
        None => Ok(pid),
        Some((stage, errno)) => {
            reap(pid);
            Err(Error { stage, cause: io::Error::from_raw_os_error(errno) })
        }
    }
}

fn pointers(words: &[&CStr]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain(std::iter::once(ptr::null())).collect()
}

#[allow(clippy::useless_conversion, reason = "rlim_t is not u64 on every target")]
fn limit(soft: u64, hard: u64) -> libc::rlimit {
    let number = |value: u64| libc::rlim_t::try_from(value).unwrap_or(libc::RLIM_INFINITY);
    libc::rlimit { rlim_cur: number(soft), rlim_max: number(hard) }
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

/// The child's whole life in our code.
extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: `plan` is the parent's `Plan`; the parent sleeps until this process executes or ends, so this is the only reference.
    let plan = unsafe { &mut *plan.cast::<Plan>() };
    let stage = become_the_program(plan);
    plan.failure = Some((stage, io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)));
    // SAFETY: ends this process without running anything of the parent's.
    unsafe { libc::_exit(127) }
}

/// Returns the stage that failed; on success it never returns.
fn become_the_program(plan: &Plan) -> Stage {
    // SAFETY: plain system calls on descriptors and numbers of the plan, and on pointers the parent keeps alive; the raw forms of
    // set*id change this process alone (the library's would look for threads). A signal is put back to default before `execve`.
    unsafe {
        if libc::setsid() < 0 {
            return Stage::Session;
        }
        if libc::fchdir(plan.directory) != 0 {
            return Stage::Directory;
        }
        if !place_descriptors(plan) {
            return Stage::Descriptors;
        }
        if plan.descriptors.is_some_and(|limit| libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) != 0) {
            return Stage::Limit;
        }
        if let Some((uid, gid, groups, count)) = plan.identity {
            if libc::syscall(number::SETGROUPS, count, groups) != 0 {
                return Stage::Groups;
            }
            if libc::syscall(number::SETRESGID, gid, gid, gid) != 0 {
                return Stage::Group;
            }
            if libc::syscall(number::SETRESUID, uid, uid, uid) != 0 {
                return Stage::User;
            }
        }
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        // Unblocking cannot fail; if it did, the program would merely start with signals held back.
        let _ = signal::unblock_all();
        libc::execve(plan.program, plan.arguments, plan.environment);
    }
    Stage::Execute
}

/// True when 0, 1, 2 and the extra descriptor are in place and all others will close on `execve`.
///
/// # Safety
/// Only in the child of [`spawn`]: rearranges the process's descriptors.
unsafe fn place_descriptors(plan: &Plan) -> bool {
    // SAFETY: system calls on numbers only. Everything of the parent's is open close-on-exec already, so a kernel without close_range
    // leaks nothing of ours.
    unsafe {
        for (source, target) in plan.stdio.into_iter().zip(0..) {
            if libc::dup2(source, target) < 0 {
                return false;
            }
        }
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        match plan.extra {
            None => true,
            Some((source, target)) if source == target => libc::fcntl(source, libc::F_SETFD, 0) == 0,
            Some((source, target)) => libc::dup2(source, target) >= 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;

    fn run(script: &CStr, program: &CStr, extra: Option<RawFd>) -> (Result<i32, Error>, String) {
        let (mut reader, writer) = io::pipe().unwrap();
        let root = File::open("/").unwrap();
        let null = File::open("/dev/null").unwrap();
        let command = Command {
            program,
            arguments: &[c"sh", c"-c", script],
            environment: &[c"WORD=given", c"PATH=/bin:/usr/bin"],
            directory: root.as_fd(),
            stdio: [null.as_fd(), writer.as_fd(), writer.as_fd()],
            extra: extra.map(|target| (writer.as_fd(), target)),
            identity: None,
            descriptors: Some((64, 64)),
        };
        let result = spawn(&command);
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        if let Ok(pid) = result {
            reap(pid);
        }
        (result, text)
    }

    #[test]
    fn the_program_gets_what_the_command_says_and_nothing_else() {
        let script = c"echo $WORD $(pwd) $(ulimit -n) $(ls /proc/self/fd | tr '\\n' ' ')";
        let (result, text) = run(script, c"/bin/sh", None);
        result.unwrap();
        // 3 is the directory that ls itself reads.
        assert_eq!(text.trim(), "given / 64 0 1 2 3");
    }

    #[test]
    fn the_extra_descriptor_has_the_number_asked_for() {
        let (result, text) = run(c"echo there >&9", c"/bin/sh", Some(9));
        result.unwrap();
        assert_eq!(text, "there\n");
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
        let (result, text) = run(c"", c"/no/such/program", None);
        let error = result.unwrap_err();
        assert_eq!((error.stage, error.cause.raw_os_error()), (Stage::Execute, Some(libc::ENOENT)));
        assert_eq!(text, "");
    }
}
