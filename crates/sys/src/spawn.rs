//! Starting another program from a long-lived process: `vfork` semantics, no copy of the page tables, the error of `execve`
//! returned to the caller.
//!
//! The child shares the parent's memory and the parent sleeps until the child has executed the program or given up, so a failed
//! `execve` is an ordinary return value, and a big parent starts programs as fast as a small one.
//!
//! A parent that is the only one to reap its children needs no pidfd: the number stays the child's until it is waited for.

use crate::{capability, signal};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

/// Where the child's copies of descriptors begin that are to be handed down: above every target.
const EXTRA_MAX: RawFd = 1024;

/// Room for a process id in digits, and the NUL after it.
const PID_DIGITS: usize = 12;

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
}

/// A limit of a resource (`man 2 setrlimit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `RLIMIT_*`: see [`RESOURCES`].
    pub resource: u32,
    /// Up to here it works; `u64::MAX` is without limit.
    pub soft: u64,
    /// Up to here the soft limit may be raised.
    pub hard: u64,
}

/// The resources that have limits: their names, and the numbers of the kernel.
pub const RESOURCES: [(&str, u32); 16] = [
    ("as", number_of(libc::RLIMIT_AS as i64)),
    ("core", number_of(libc::RLIMIT_CORE as i64)),
    ("cpu", number_of(libc::RLIMIT_CPU as i64)),
    ("data", number_of(libc::RLIMIT_DATA as i64)),
    ("fsize", number_of(libc::RLIMIT_FSIZE as i64)),
    ("locks", number_of(libc::RLIMIT_LOCKS as i64)),
    ("memlock", number_of(libc::RLIMIT_MEMLOCK as i64)),
    ("msgqueue", number_of(libc::RLIMIT_MSGQUEUE as i64)),
    ("nice", number_of(libc::RLIMIT_NICE as i64)),
    ("nofile", NOFILE),
    ("nproc", number_of(libc::RLIMIT_NPROC as i64)),
    ("rss", number_of(libc::RLIMIT_RSS as i64)),
    ("rtprio", number_of(libc::RLIMIT_RTPRIO as i64)),
    ("rttime", number_of(libc::RLIMIT_RTTIME as i64)),
    ("sigpending", number_of(libc::RLIMIT_SIGPENDING as i64)),
    ("stack", number_of(libc::RLIMIT_STACK as i64)),
];

/// The number of the limit of open descriptors.
pub const NOFILE: u32 = number_of(libc::RLIMIT_NOFILE as i64);

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kernel numbers from 0 to 15; const")]
const fn number_of(resource: i64) -> u32 {
    resource as u32
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
    /// Setting a limit.
    Limit,
    /// Setting the capabilities.
    Capabilities,
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
            Self::Limit => "set a limit",
            Self::Capabilities => "set the capabilities",
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
    /// Sources and targets; the child writes its own copies of the sources here.
    extra: *mut (RawFd, RawFd),
    extra_count: usize,
    identity: Option<(u32, u32, *const u32, usize)>,
    capabilities: Option<u64>,
    limits: *const Limit,
    limit_count: usize,
    /// The place of the variable that gets the child's process id, behind its equals sign.
    pid_text: Option<*mut [u8; PID_DIGITS]>,
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
fn become_the_program(plan: &mut Plan) -> Stage {
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
        if !set_limits(plan) {
            return Stage::Limit;
        }
        if plan.capabilities.is_some_and(|wanted| !capability::bound(wanted)) {
            return Stage::Capabilities;
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
        if plan.capabilities.is_some_and(|wanted| !capability::take(wanted)) {
            return Stage::Capabilities;
        }
        write_pid(plan);
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
unsafe fn place_descriptors(plan: &mut Plan) -> bool {
    // SAFETY: system calls on numbers only, and the plan's own array. Everything of the parent's is open close-on-exec already, so a
    // kernel without close_range leaks nothing of ours.
    unsafe {
        for (source, target) in plan.stdio.into_iter().zip(0..) {
            if libc::dup2(source, target) < 0 {
                return false;
            }
        }
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        let extra = std::slice::from_raw_parts_mut(plan.extra, plan.extra_count);
        // Above all targets first, so that no target lands on a source that is still to be placed.
        for (source, _) in extra.iter_mut() {
            *source = libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, EXTRA_MAX);
            if *source < 0 {
                return false;
            }
        }
        extra.iter().all(|&(source, target)| target < EXTRA_MAX && libc::dup2(source, target) >= 0)
    }
}

/// True when every limit is set.
fn set_limits(plan: &Plan) -> bool {
    // SAFETY: the parent keeps the array alive and sleeps.
    let limits = unsafe { std::slice::from_raw_parts(plan.limits, plan.limit_count) };
    limits.iter().all(|one| {
        let value = limit(one.soft, one.hard);
        // SAFETY: `value` outlives the call; a number that is no resource is refused by the kernel.
        unsafe { libc::syscall(libc::SYS_prlimit64, 0, one.resource, &raw const value, ptr::null::<u8>()) == 0 }
    })
}

/// Writes this process's number behind the name of its variable.
fn write_pid(plan: &Plan) {
    let Some(text) = plan.pid_text else { return };
    // SAFETY: the parent keeps the array alive and sleeps; nobody else looks at it. The raw call is right in a child that shares its
    // parent's memory, where the library could remember the parent's number.
    let (text, mut rest) = unsafe { (&mut *text, libc::syscall(libc::SYS_getpid)) };
    let mut digits = [b'0'; PID_DIGITS];
    let mut count = 0;
    for slot in digits.iter_mut().rev().take(PID_DIGITS - 1) {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        (rest, count) = (rest / 10, count + 1);
        if rest == 0 {
            break;
        }
    }
    for (slot, digit) in text.iter_mut().zip(digits.iter().skip(PID_DIGITS - count)) {
        *slot = *digit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;

    fn run(script: &CStr, program: &CStr, extra: Option<RawFd>) -> (Result<i32, Error>, String) {
        run_with(script, program, extra, None)
    }

    fn run_with(
        script: &CStr,
        program: &CStr,
        extra: Option<RawFd>,
        capabilities: Option<u64>,
    ) -> (Result<i32, Error>, String) {
        let (mut reader, writer) = io::pipe().unwrap();
        let root = File::open("/").unwrap();
        let null = File::open("/dev/null").unwrap();
        let command = Command {
            program,
            arguments: &[c"sh", c"-c", script],
            environment: &[c"WORD=given", c"PATH=/bin:/usr/bin"],
            directory: root.as_fd(),
            stdio: [null.as_fd(), writer.as_fd(), writer.as_fd()],
            extra: &extra.map(|target| (writer.as_fd(), target)).into_iter().collect::<Vec<_>>(),
            identity: None,
            capabilities,
            limits: &[Limit { resource: NOFILE, soft: 64, hard: 64 }],
            pid_variable: Some(c"OWN_PID"),
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
    fn a_variable_holds_the_process_id() {
        let (result, text) = run(c"echo $OWN_PID $$", c"/bin/sh", None);
        let pid = result.unwrap();
        assert_eq!(text, format!("{pid} {pid}\n"));
    }

    #[test]
    fn several_descriptors_are_placed_wherever_they_were() {
        let (mut reader, writer) = io::pipe().unwrap();
        let null = File::open("/dev/null").unwrap();
        let (one, two) = (File::open("/dev/zero").unwrap(), File::open("/etc").unwrap());
        let targets = [(one.as_fd(), two.as_raw_fd()), (two.as_fd(), one.as_raw_fd())];
        let script =
            CString::new(format!("readlink /proc/self/fd/{} /proc/self/fd/{}", one.as_raw_fd(), two.as_raw_fd()));
        let command = Command {
            program: c"/bin/sh",
            arguments: &[c"sh", c"-c", &script.unwrap()],
            environment: &[c"PATH=/bin:/usr/bin"],
            directory: two.as_fd(),
            stdio: [null.as_fd(), writer.as_fd(), writer.as_fd()],
            extra: &targets,
            identity: None,
            capabilities: None,
            limits: &[],
            pid_variable: None,
        };
        let pid = spawn(&command).unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        reap(pid);
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
        let (result, text) = run(c"", c"/no/such/program", None);
        let error = result.unwrap_err();
        assert_eq!((error.stage, error.cause.raw_os_error()), (Stage::Execute, Some(libc::ENOENT)));
        assert_eq!(text, "");
    }
}
