//! Multicast groups of netlink beyond the thirty-one that fit in an address (`man 7 netlink`, NETLINK_ADD_MEMBERSHIP).

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd};

/// The socket hears this group from now on.
///
/// # Errors
/// `EINVAL` for a group that the protocol does not have, `EPERM` for one that takes a capability.
pub fn join(socket: impl AsFd, group: u32) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<u32>()).unwrap_or(0);
    // SAFETY: the pointer is valid for `length` bytes, which the kernel only reads.
    let result = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        libc::setsockopt(fd, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, (&raw const group).cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

    #[test]
    fn a_group_that_is_there_can_be_joined_and_no_other() {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None).unwrap();
        super::join(&socket, 1).unwrap();
        assert!(super::join(&socket, 1 << 20).is_err());
    }
}
