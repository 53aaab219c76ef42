//! The loopback interface, which every machine needs up before any daemon runs (`man 7 netdevice`), and the addresses of all.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
        *slot = libc::c_char::from_ne_bytes([byte]);
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

/// The addresses of all interfaces (`man 3 getifaddrs`), in the system's order.
///
/// # Errors
/// What a netlink socket may fail with.
pub fn addresses() -> io::Result<Vec<IpAddr>> {
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: the pointer to write to is valid; on success it is a list that we own, and is freed below.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut addresses = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: not null, and part of the list, which is alive and which nobody writes to.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if entry.ifa_addr.is_null() {
            continue;
        }
        // SAFETY: not null; the family says which structure it is, and each is at least as large and as aligned as the one it is
        // read as. The addresses are plain bytes in network order.
        let address = unsafe {
            match libc::c_int::from((*entry.ifa_addr).sa_family) {
                libc::AF_INET => {
                    let address = std::ptr::read_unaligned(entry.ifa_addr.cast::<libc::sockaddr_in>());
                    Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))))
                }
                libc::AF_INET6 => {
                    let address = std::ptr::read_unaligned(entry.ifa_addr.cast::<libc::sockaddr_in6>());
                    Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)))
                }
                _ => None,
            }
        };
        addresses.extend(address);
    }
    // SAFETY: the list that getifaddrs made, not used afterwards.
    unsafe { libc::freeifaddrs(first) };
    Ok(addresses)
}

/// SIOCGIFFLAGS and SIOCSIFFLAGS, in the type that this C library's `ioctl` takes: libc has them as another one on musl.
const GET_FLAGS: libc::Ioctl = 0x8913;
const SET_FLAGS: libc::Ioctl = 0x8914;

/// IFF_UP as the kernel's structure has it: a short.
const UP: libc::c_short = 1;

#[cfg(test)]
mod tests {
    #[test]
    fn the_loopback_address_is_among_them() {
        let addresses = super::addresses().unwrap();
        assert!(addresses.contains(&std::net::Ipv4Addr::LOCALHOST.into()), "{addresses:?}");
    }

    #[test]
    fn it_is_up_or_not_ours_to_bring_up() {
        if let Err(error) = super::loopback_up() {
            assert!(matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENODEV)), "{error}");
        }
    }
}
