//! clone3 (Linux 5.7 with all of what is used here) gives a pidfd, puts the child into its cgroup before it runs, and resets its signal
//! handlers. The child begins on a stack of its own and must never return on it, which no C library offers: hence the few
//! instructions of assembly.

use super::child::{Plan, child};
use super::clone::{STACK_BYTES, handle};
use super::process::Process;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;

/// The kernel's structure `clone_args` as of Linux 5.7 (`man 2 clone3`).
#[repr(C)]
#[derive(Default)]
struct Arguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Not in every version of the C library's headers.
const CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes the child and gives it the stack.
///
/// # Errors
/// The kernel's; `ENOSYS`, `E2BIG` or `EINVAL` when it is too old.
pub(super) fn clone3(plan: &mut Plan, stack: &mut [MaybeUninit<u8>; STACK_BYTES]) -> io::Result<Process> {
    let mut pidfd: c_int = -1;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD;
    let cgroup = if plan.moves { None } else { plan.cgroup.take() };
    let address = |pointer: *const c_void| u64::try_from(pointer.addr()).unwrap_or(0);
    // The kernel wants the lowest byte of the stack; it begins at the end, which must be a multiple of 16.
    let bottom = stack.as_mut_ptr().addr().next_multiple_of(16) - stack.as_mut_ptr().addr();
    let arguments = Arguments {
        flags: u64::from(flags.cast_unsigned()) | CLEAR_SIGHAND | if cgroup.is_some() { INTO_CGROUP } else { 0 },
        pidfd: address((&raw mut pidfd).cast()),
        exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()),
        stack: address(stack.as_mut_ptr().wrapping_add(bottom).cast()),
        stack_size: u64::try_from(STACK_BYTES - 16).unwrap_or(0),
        cgroup: cgroup.map_or(0, |fd| u64::from(fd.cast_unsigned())),
        ..Arguments::default()
    };
    plan.handlers = false;
    // SAFETY: `arguments` is the kernel's structure and outlives the call; the stack lies in the caller's frame and nobody else uses it.
    // CLONE_VFORK keeps this thread asleep until the child has executed or ended, so the stack, `plan` and all it points to outlive the
    // child's use of them. The child never leaves the block: `child` does not return, and the stack it runs on is not this one.
    let result = unsafe { enter(&arguments, (&raw mut *plan).cast()) };
    plan.handlers = true;
    if result < 0 {
        plan.cgroup = plan.cgroup.or(cgroup);
        return Err(io::Error::from_raw_os_error(i32::try_from(-result).unwrap_or(libc::EIO)));
    }
    Ok(handle(i32::try_from(result).unwrap_or(0), pidfd))
}

/// Calls clone3 and, in the child, `child(plan)`. Returns the parent's result: a process id, or an error number negated.
///
/// # Safety
/// The structure must name a stack that nobody else uses, and CLONE_VFORK.
unsafe fn enter(arguments: &Arguments, plan: *mut c_void) -> i64 {
    let result: i64;
    // SAFETY: the contract above. The registers the child reads are not changed by the system call.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") &raw const *arguments,
            in("rsi") size_of::<Arguments>(),
            in("r12") plan,
            in("r13") child as extern "C" fn(*mut c_void) -> c_int,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}
