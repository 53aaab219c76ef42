//! The loopback interface: what every machine needs up before any daemon runs (`man 7 netdevice`).

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Brings the interface `lo` up; the kernel gives it its addresses by itself.
///
/// # Errors
/// `EPERM` without CAP_NET_ADMIN, `ENODEV` in a kernel without loopback.
pub fn loopback_up() -> io::Result<()> {
    // SAFETY: plain integers; the result is checked before it is owned.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: socket returned a fresh descriptor that nothing else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: ifreq is plain integers and bytes; all zero is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(*b"lo") {
        *slot = byte.cast_signed();
    }
    // SAFETY: both calls take a valid pointer to a whole ifreq and write nothing beyond it; the flags are the union's member that
    // SIOCGIFFLAGS fills in.
    let result = unsafe {
        if libc::ioctl(socket.as_raw_fd(), GET_FLAGS, &raw mut request) != 0 {
            return Err(io::Error::last_os_error());
        }
        request.ifr_ifru.ifru_flags |= UP;
        libc::ioctl(socket.as_raw_fd(), SET_FLAGS, &raw const request)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// SIOCGIFFLAGS and SIOCSIFFLAGS, in the type that this C library's `ioctl` takes: libc has them as another one on musl.
const GET_FLAGS: libc::Ioctl = 0x8913;
const SET_FLAGS: libc::Ioctl = 0x8914;

/// IFF_UP as the kernel's structure has it: a short.
const UP: libc::c_short = 1;

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_up_or_not_ours_to_bring_up() {
        if let Err(error) = super::loopback_up() {
            assert!(matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENODEV)), "{error}");
        }
    }
}
