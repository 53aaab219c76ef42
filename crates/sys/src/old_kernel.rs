//! An older kernel than there is, for tests of what is done without its newer system calls.

use std::io;

/// System calls that small or old kernels lack and lunix can do without.
pub const NEWER: [libc::c_long; 4] =
    [libc::SYS_clone3, libc::SYS_close_range, libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal];

/// Makes the calling thread, and whatever it starts, believe that the kernel does not know these system calls (a seccomp filter that
/// answers ENOSYS). It also takes from them the right to gain privileges by executing.
///
/// # Errors
/// `EINVAL` where the kernel has no seccomp filters.
pub fn pretend(missing: &[libc::c_long]) -> io::Result<()> {
    let of = |code: u32, jt, k| libc::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf: 0, k };
    // The number of the system call is the first word of what a filter sees.
    let mut code = vec![of(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0)];
    for &number in missing {
        let number = u32::try_from(number).map_err(|_| io::ErrorKind::InvalidInput)?;
        code.push(libc::sock_filter { jf: 1, ..of(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, number) });
        code.push(of(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()));
    }
    code.push(of(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW));
    let length = u16::try_from(code.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: code.as_mut_ptr() };
    // SAFETY: plain integers; `program` points at `length` initialised instructions that outlive the call, and the kernel copies them.
    let result = unsafe {
        match libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) {
            0 => libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program),
            failed => failed,
        }
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
