//! What the child does between `clone` and `execve`: system calls only, in memory it shares with its sleeping parent.

use super::PID_DIGITS;
use super::clone::Means;
use super::error::Stage;
use super::limit::{self, Limit};
use crate::{capability, signal};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::os::fd::RawFd;
use std::ptr;

/// Where the child's copies of descriptors begin that are to be handed down: above every target.
const EXTRA_MAX: RawFd = 1024;

#[cfg(target_pointer_width = "64")]
mod number {
    pub(super) use libc::{SYS_setgroups as SETGROUPS, SYS_setresgid as SETRESGID, SYS_setresuid as SETRESUID};
}
#[cfg(target_pointer_width = "32")]
mod number {
    pub(super) use libc::{SYS_setgroups32 as SETGROUPS, SYS_setresgid32 as SETRESGID, SYS_setresuid32 as SETRESUID};
}

/// Everything the child touches, as plain pointers and numbers; lives in the sleeping parent's frame.
pub(super) struct Plan {
    pub(super) program: *const c_char,
    pub(super) arguments: *const *const c_char,
    pub(super) environment: *const *const c_char,
    pub(super) directory: RawFd,
    pub(super) stdio: [RawFd; 3],
    /// Sources and targets; the child writes its own copies of the sources here.
    pub(super) extra: *mut (RawFd, RawFd),
    pub(super) extra_count: usize,
    pub(super) identity: Option<(u32, u32, *const u32, usize)>,
    pub(super) capabilities: Option<u64>,
    pub(super) limits: *const Limit,
    pub(super) limit_count: usize,
    /// The place of the variable that gets the child's process id, behind its equals sign.
    pub(super) pid_text: Option<*mut [u8; PID_DIGITS]>,
    /// The cgroup it must still move to.
    pub(super) cgroup: Option<RawFd>,
    /// It moves there even where it could be born there.
    pub(super) moves: bool,
    /// The text to be written, and its length.
    pub(super) oom_score: Option<(*const u8, usize)>,
    /// Signal handlers of the parent are still in place.
    pub(super) handlers: bool,
    pub(super) means: Means,
    pub(super) failure: Option<(Stage, c_int)>,
}

/// The child's whole life in our code.
pub(super) extern "C" fn child(plan: *mut c_void) -> c_int {
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
        if plan.handlers {
            signal::default_all();
        }
        if plan.cgroup.is_some_and(|group| !write_text(group, c"cgroup.procs", b"0")) {
            return Stage::Cgroup;
        }
        if let Some((text, length)) = plan.oom_score
            && !write_text(libc::AT_FDCWD, c"/proc/self/oom_score_adj", std::slice::from_raw_parts(text, length))
        {
            return Stage::OomScore;
        }
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

/// True when `text` was written to the file, whose path begins at the open `directory`.
fn write_text(directory: RawFd, path: &CStr, text: &[u8]) -> bool {
    // SAFETY: the path ends in NUL, the text is as long as told, and the descriptor is closed by who opened it.
    unsafe {
        let fd = libc::openat(directory, path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return false;
        }
        let written = libc::write(fd, text.as_ptr().cast(), text.len());
        // close(2) must not hide why the write failed.
        let failed = (written < 0).then(io::Error::last_os_error);
        libc::close(fd);
        if let Some(errno) = failed.and_then(|error| error.raw_os_error()) {
            *libc::__errno_location() = errno;
            return false;
        }
        true
    }
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
        if plan.means.close_range
            && libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) != 0
        {
            Means::without_close_range();
        }
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
        let value = limit::value(one.soft, one.hard);
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
