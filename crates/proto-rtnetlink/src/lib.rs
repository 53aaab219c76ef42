//! Netlink messages and what rtnetlink says with them: links, addresses, routes, neighbours. Bytes to borrowed values, and the requests
//! that ask for all of them.
//!
//! Nothing is allocated or copied, and nothing is known of what an interface is for: the crate stops where policy begins. Numbers are in
//! the byte order of the machine, addresses in that of the network. Sources: `man 7 netlink`, `man 7 rtnetlink`,
//! `include/uapi/linux/{netlink,rtnetlink,if_link,if_addr,neighbour}.h`.
//!
//! ```abnf
//! datagram  = *message
//! message   = length kind flags sequence port payload *pad  ; length: 4 bytes, header included; padded to 4 bytes
//! payload   = fixed *attribute                               ; fixed: one of four structures, by kind
//! attribute = length type value *pad                         ; length: 2 bytes, this header included; padded to 4 bytes
//! ```
//!
//! ```
//! use proto_rtnetlink::{Change, Messages, News};
//! let mut bytes = vec![52, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // RTM_NEWLINK, 52 bytes
//! bytes.extend([0, 0, 1, 0, 7, 0, 0, 0, 0x43, 0, 1, 0, 0, 0, 0, 0]); // ifindex 7; UP, BROADCAST, RUNNING, LOWER_UP
//! bytes.extend([9, 0, 3, 0, b'e', b't', b'h', b'0', 0, 0, 0, 0]); // IFLA_IFNAME
//! bytes.extend([8, 0, 4, 0, 0xdc, 5, 0, 0]); // IFLA_MTU
//! if cfg!(target_endian = "little") {
//!     let message = Messages::new(&bytes).next().unwrap().unwrap();
//!     let Some(Change::New(News::Link(link))) = message.change() else { unreachable!() };
//!     assert_eq!((link.index, link.name, link.mtu), (7, &b"eth0"[..], Some(1500)));
//!     assert!(link.is_running());
//! }
//! ```
#![forbid(unsafe_code)]
#![no_std]

mod address;
mod attribute;
mod link;
mod message;
mod neighbour;
mod request;
mod route;

pub use address::Address;
pub use attribute::{Attribute, Attributes};
pub use link::Link;
pub use message::{Change, Fault, Message, Messages, News, Outcome};
pub use neighbour::Neighbour;
pub use request::{Dump, ENABLE_LEN, REQUEST_LEN, enable, groups};
pub use route::Route;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Address family of IPv4 (`AF_INET`).
pub const INET: u8 = 2;
/// Address family of IPv6 (`AF_INET6`).
pub const INET6: u8 = 10;

/// Reads an address of a family; `None` when the length or the family does not fit.
fn ip(family: u8, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        INET => <[u8; 4]>::try_from(bytes).ok().map(|octets| Ipv4Addr::from(octets).into()),
        INET6 => <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// The number at `at`, in the machine's byte order.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    number(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    number(bytes, at).map(u32::from_ne_bytes)
}

/// `len` rounded up to the next multiple of 4.
fn padded(len: usize) -> usize {
    len.saturating_add(3) & !3
}
