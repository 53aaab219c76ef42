//! Making the process: by clone3, or by what an older kernel has.
//!
//! Where there is no `clone3` for the processor, or the kernel or a filter of system calls refuses it, `clone(2)` is used: the C library
//! knows how to begin on another stack. It gives a pidfd from Linux 5.2 on; the child moves itself into its cgroup and resets its signal
//! handlers.

use super::child::{Plan, child};
use super::process::Process;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of stack the child has between `clone` and `execve`; it calls nothing but system calls.
pub(super) const STACK_BYTES: usize = 16 * 1024;

static CLONE3: AtomicBool = AtomicBool::new(cfg!(target_arch = "x86_64"));
static CLOSE_RANGE: AtomicBool = AtomicBool::new(true);

/// What of the kernel is used. Each is found missing once, and not asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Means {
    pub(super) clone3: bool,
    pub(super) close_range: bool,
}

impl Means {
    pub(super) fn known() -> Self {
        Self { clone3: CLONE3.load(Ordering::Relaxed), close_range: CLOSE_RANGE.load(Ordering::Relaxed) }
    }

    /// The kernel has no close_range. May be called in the child, which shares the memory.
    pub(super) fn without_close_range() {
        CLOSE_RANGE.store(false, Ordering::Relaxed);
    }
}

/// Makes the child, which does what `plan` says; returns when it executes or has ended.
pub(super) fn clone(plan: &mut Plan) -> io::Result<Process> {
    let mut stack = [MaybeUninit::<u8>::uninit(); STACK_BYTES];
    #[cfg(target_arch = "x86_64")]
    if plan.means.clone3 {
        match super::clone3::clone3(plan, &mut stack) {
            Err(error) if is_missing(&error) => {}
            outcome => return outcome,
        }
    }
    let process = by_clone(plan, &mut stack)?;
    if plan.means.clone3 {
        CLONE3.store(false, Ordering::Relaxed);
    }
    Ok(process)
}

#[cfg(target_arch = "x86_64")]
/// What a kernel says that does not know clone3, a field of its structure or one of the flags, and what a filter says for it.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::E2BIG | libc::EINVAL | libc::EPERM))
}

fn by_clone(plan: &mut Plan, stack: &mut [MaybeUninit<u8>; STACK_BYTES]) -> io::Result<Process> {
    let mut pidfd: c_int = -1;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    let top = stack.as_mut_ptr_range().end;
    // SAFETY: `top` is the end of a stack of the caller's frame, aligned below to 16 bytes. CLONE_VFORK keeps this thread asleep, so the
    // stack, `plan` and everything it points to outlive the child's use of them, and nobody else touches them meanwhile. The kernel writes
    // one number to `pidfd`, or none when it knows no pidfds.
    let pid = unsafe {
        let top = top.sub(top.addr() % 16);
        libc::clone(child, top.cast(), flags, (&raw mut *plan).cast::<c_void>(), &raw mut pidfd)
    };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(handle(pid, pidfd)) }
}

pub(super) fn handle(pid: i32, pidfd: c_int) -> Process {
    // SAFETY: the kernel has just opened it for us, so nothing else owns it; -1 is what it was when the kernel opened none.
    Process::new(pid, (pidfd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(pidfd) }))
}
