//! Descriptors handed over by the parent process under an agreed number.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes over a descriptor that the parent left open under `number`, and marks it close-on-exec.
///
/// Call it first in `main`, before anything is opened: then the number, if it is open, can only be the parent's, and nothing else
/// in this process owns it. Numbers 0 to 2 are refused, they belong to the standard streams.
///
/// # Errors
/// `EBADF` when the number is not open, `EINVAL` below 3.
pub fn take(number: RawFd) -> io::Result<OwnedFd> {
    if number < 3 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: F_SETFD takes integers only; a number that is not open gives EBADF.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the number is open, as fcntl has shown, and by this function's contract nothing else in the process owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_numbers_and_standard_streams_are_refused() {
        assert_eq!(take(9999).unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert_eq!(take(2).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
