//! What the loop needs of the kernel, and nothing more.

use program::log::{self, Level};
use sys::seccomp::{self, Call};

/// The system calls of the loop itself, the frequent ones first, each group with its reason.
const LOOP: &[Call] = &[
    // Waiting, and what the wait brought.
    Call::EPOLL_PWAIT2,
    Call::EPOLL_PWAIT,
    Call::READ,
    Call::RECVFROM,
    Call::SENDTO,
    Call::CLOCK_GETTIME,
    Call::TIMERFD_SETTIME,
    Call::EPOLL_CTL,
    // Log lines; a recording.
    Call::WRITE,
    Call::WRITEV,
    // Connecting to the bus again.
    Call::SOCKET,
    Call::SETSOCKOPT,
    Call::CONNECT,
    Call::GETSOCKOPT,
    Call::CLOSE,
    // Without optimisation the standard library looks at a descriptor before it closes it.
    Call::FCNTL,
    Call::GETRANDOM,
    // The configuration file at SIGHUP.
    Call::OPENAT,
    Call::STATX,
    Call::FSTAT,
    // The same as musl does it.
    #[cfg(target_arch = "x86_64")]
    Call::OPEN,
    #[cfg(target_arch = "x86_64")]
    Call::STAT,
    #[cfg(target_arch = "x86_64")]
    Call::LSTAT,
    #[cfg(target_pointer_width = "64")]
    Call::NEWFSTATAT,
    Call::READV,
    Call::LSEEK,
    // Memory.
    Call::BRK,
    Call::MMAP,
    Call::MREMAP,
    Call::MUNMAP,
    // Guard pages of musl's allocator.
    Call::MPROTECT,
    Call::MADVISE,
    // The end: the standard library takes its handlers back.
    Call::RT_SIGACTION,
    Call::RT_SIGPROCMASK,
    Call::SIGALTSTACK,
    Call::FUTEX,
    Call::EXIT,
    Call::EXIT_GROUP,
    // A signal that stops and continues the process interrupts a wait.
    Call::RESTART_SYSCALL,
    Call::RT_SIGRETURN,
];

/// Confines the process to the calls of the loop and the daemon's own. Where the kernel has no filters that is said once, and it goes on.
pub(crate) fn confine(name: &str, own: &[Call]) {
    if let Err(error) = seccomp::confine(&[LOOP, own].concat()) {
        log::line(name, Level::Warn, format_args!("the kernel does not confine system calls: {error}"));
    }
}
