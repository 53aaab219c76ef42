//! Who is at the other end of a unix socket (`man 7 unix`, SO_PEERCRED).

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd};

/// The user id of the process that connected, as the kernel knows it; valid even when that process lives in another PID namespace, where
/// its process id has no meaning here.
///
/// # Errors
/// `ENOTSOCK` and its like; none for a connected unix socket.
pub fn uid(socket: impl AsFd) -> io::Result<u32> {
    let mut credentials = MaybeUninit::<libc::ucred>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or(0);
    // SAFETY: the pointer is valid for `length` bytes, and `length` says so; the kernel writes no more than that.
    let result = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERCRED, credentials.as_mut_ptr().cast(), &raw mut length)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the struct is plain integers, zeroed at first, so every bit pattern is a valid value.
    Ok(unsafe { credentials.assume_init() }.uid)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_us() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(super::uid(&one).unwrap(), rustix::process::geteuid().as_raw());
        assert!(super::uid(std::fs::File::open("/").unwrap()).is_err());
    }
}
