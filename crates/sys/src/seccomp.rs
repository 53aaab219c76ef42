//! A filter of system calls for the rest of a process's life (`man 2 seccomp`, `Documentation/userspace-api/seccomp_filter.rst`).

use std::io;

/// A system call that a filter may let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name, as in `man 2`.
    pub name: &'static str,
    number: u32,
}

/// Constants for calls that every architecture of the table has.
macro_rules! calls {
    ($($(#[$meta:meta])* $constant:ident = $name:literal $number:ident;)+) => {
        impl Call {
            $(
                $(#[$meta])*
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self { name: $name, number: number_of(libc::$number) };
            )+
        }
    };
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kernel numbers below 1000; const")]
const fn number_of(call: libc::c_long) -> u32 {
    call as u32
}

calls! {
    READ = "read" SYS_read;
    WRITE = "write" SYS_write;
    WRITEV = "writev" SYS_writev;
    CLOSE = "close" SYS_close;
    RECVFROM = "recvfrom" SYS_recvfrom;
    SENDTO = "sendto" SYS_sendto;
    SOCKET = "socket" SYS_socket;
    CONNECT = "connect" SYS_connect;
    GETSOCKOPT = "getsockopt" SYS_getsockopt;
    SETSOCKOPT = "setsockopt" SYS_setsockopt;
    IOCTL = "ioctl" SYS_ioctl;
    FCNTL = "fcntl" SYS_fcntl;
    EPOLL_CTL = "epoll_ctl" SYS_epoll_ctl;
    EPOLL_PWAIT = "epoll_pwait" SYS_epoll_pwait;
    EPOLL_PWAIT2 = "epoll_pwait2" SYS_epoll_pwait2;
    TIMERFD_SETTIME = "timerfd_settime" SYS_timerfd_settime;
    CLOCK_GETTIME = "clock_gettime" SYS_clock_gettime;
    GETRANDOM = "getrandom" SYS_getrandom;
    OPENAT = "openat" SYS_openat;
    #[cfg(target_arch = "x86_64")]
    OPEN = "open" SYS_open;
    #[cfg(target_arch = "x86_64")]
    STAT = "stat" SYS_stat;
    #[cfg(target_arch = "x86_64")]
    LSTAT = "lstat" SYS_lstat;
    #[cfg(target_pointer_width = "64")]
    NEWFSTATAT = "newfstatat" SYS_newfstatat;
    READV = "readv" SYS_readv;
    STATX = "statx" SYS_statx;
    FSTAT = "fstat" SYS_fstat;
    LSEEK = "lseek" SYS_lseek;
    BRK = "brk" SYS_brk;
    MMAP = "mmap" SYS_mmap;
    MUNMAP = "munmap" SYS_munmap;
    MREMAP = "mremap" SYS_mremap;
    MPROTECT = "mprotect" SYS_mprotect;
    MADVISE = "madvise" SYS_madvise;
    FUTEX = "futex" SYS_futex;
    RT_SIGACTION = "rt_sigaction" SYS_rt_sigaction;
    RT_SIGPROCMASK = "rt_sigprocmask" SYS_rt_sigprocmask;
    RT_SIGRETURN = "rt_sigreturn" SYS_rt_sigreturn;
    RESTART_SYSCALL = "restart_syscall" SYS_restart_syscall;
    SIGALTSTACK = "sigaltstack" SYS_sigaltstack;
    GETPID = "getpid" SYS_getpid;
    GETTID = "gettid" SYS_gettid;
    GETEUID = "geteuid" SYS_geteuid;
    TGKILL = "tgkill" SYS_tgkill;
    EXIT = "exit" SYS_exit;
    EXIT_GROUP = "exit_group" SYS_exit_group;
}

/// The architecture that the numbers are of, as the kernel names it (`AUDIT_ARCH_*`).
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_003e);
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_00b7);
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_00f3);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
const ARCHITECTURE: Option<u32> = None;

/// Offsets in the kernel's `struct seccomp_data`.
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;

/// Lets this process, and all that it ever starts, make these system calls and no others: another one ends it with SIGSYS at once. It cannot be
/// undone, and no program executed later gains privileges (`PR_SET_NO_NEW_PRIVS`). Needs no privilege.
///
/// Call it while there is one thread: others are not confined.
///
/// # Errors
/// `Unsupported` where the numbers of this architecture are not in the table; `EINVAL` from a kernel without CONFIG_SECCOMP_FILTER, or for
/// more than 2000 calls.
pub fn confine(calls: &[Call]) -> io::Result<()> {
    let architecture = ARCHITECTURE.ok_or(io::ErrorKind::Unsupported)?;
    let mut code = program(architecture, calls);
    let length = u16::try_from(code.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: code.as_mut_ptr() };
    // SAFETY: plain integers.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `program` points at `length` initialised instructions that outlive the call; the kernel copies them.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, (&raw const program).cast::<u8>())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The filter: numbers of another architecture mean something else, so they end the process; then one comparison for each call.
fn program(architecture: u32, calls: &[Call]) -> Vec<libc::sock_filter> {
    let of = |code: u32, jt, jf, k| libc::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf, k };
    let load = |offset| of(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let equal = |word, yes, no| of(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, yes, no, word);
    let end = |verdict| of(libc::BPF_RET | libc::BPF_K, 0, 0, verdict);
    let mut code =
        vec![load(ARCHITECTURE_AT), equal(architecture, 1, 0), end(libc::SECCOMP_RET_KILL_PROCESS), load(NUMBER_AT)];
    for call in calls {
        code.extend([equal(call.number, 0, 1), end(libc::SECCOMP_RET_ALLOW)]);
    }
    code.push(end(libc::SECCOMP_RET_KILL_PROCESS));
    code
}
