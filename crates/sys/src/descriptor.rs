//! Descriptors handed down by the parent process.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes possession of descriptor `number`, which the parent handed down, and marks it close-on-exec.
///
/// Call it at most once per number, and before the program opens anything of its own: only then can the number belong to nobody else.
///
/// # Errors
/// `EBADF` when it is not open, `EINVAL` for 0, 1 and 2, which belong to the standard library.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    if number < 3 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: fcntl with F_SETFD takes plain integers and fails with EBADF when the descriptor is not open.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, and by the contract above nothing in this process owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Highest number looked at, one by one, where the kernel cannot mark all at once.
const ONE_BY_ONE_MAX: u64 = 65_536;

/// Marks every descriptor from 3 up close-on-exec, so that nothing the parent left open reaches a child. Without close_range (before Linux
/// 5.11) those below the limit of descriptors, 65536 at most, are marked one by one.
///
/// # Errors
/// Those of close_range but for its absence; none in practice.
pub fn close_all_on_exec() -> io::Result<()> {
    // SAFETY: plain integers; descriptors are only marked, none is closed.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    match io::Error::last_os_error() {
        _ if result == 0 => Ok(()),
        error if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL | libc::EPERM)) => {
            mark_one_by_one();
            Ok(())
        }
        error => Err(error),
    }
}

pub(crate) fn mark_one_by_one() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    for number in 3..limit.unwrap_or(ONE_BY_ONE_MAX).min(ONE_BY_ONE_MAX) {
        let Ok(number) = RawFd::try_from(number) else { return };
        // SAFETY: plain integers; a number that is not open is refused.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Closes every descriptor from 3 up that is not among `kept`, which are in order: what the program before left open and nobody knows any more.
///
/// Call it before the program opens anything of its own, and after [`inherited`] for each of `kept`.
pub fn close_all_but(kept: &[RawFd]) {
    let mut first = 3;
    for &fd in kept.iter().chain(std::iter::once(&RawFd::MAX)) {
        if fd > first {
            close_from_to(first, fd - 1);
        }
        first = first.max(fd.saturating_add(1));
    }
}

/// Closes the descriptors from `first` to `last`, both included.
fn close_from_to(first: RawFd, last: RawFd) {
    /// Where close_range is missing, they are closed one by one up to here.
    const ONE_BY_ONE_MAX: RawFd = 65_536;
    // SAFETY: plain integers; by the contract above nothing in this process owns these descriptors.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0;
    if !closed {
        for fd in first..=last.min(ONE_BY_ONE_MAX) {
            // SAFETY: as above; one that is not open is no error here.
            unsafe { libc::close(fd) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_open_or_not_ours_is_refused() {
        assert_eq!(inherited(1).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(inherited(1_000_000).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }

    #[test]
    fn all_are_marked_one_by_one_as_well() {
        use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
        let file = std::fs::File::open("/").unwrap();
        for mark in [mark_one_by_one, || close_all_on_exec().unwrap()] {
            fcntl_setfd(&file, FdFlags::empty()).unwrap();
            mark();
            assert_eq!(fcntl_getfd(&file).unwrap(), FdFlags::CLOEXEC);
        }
    }
}
