//! Requests for everything there is, the one that enables an interface, and the multicast groups that tell what changes.

use crate::message::HEADER_LEN;

/// Bytes of a request: the header and the largest fixed part.
pub const REQUEST_LEN: usize = HEADER_LEN + 16;

/// NLM_F_REQUEST and NLM_F_DUMP.
const FLAGS: u16 = 0x301;

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dump {
    /// All interfaces.
    Links,
    /// All addresses of all interfaces.
    Addresses,
    /// All routes.
    Routes,
    /// All neighbours.
    Neighbours,
}

/// Multicast groups, `RTNLGRP_*`: numbers for `NETLINK_ADD_MEMBERSHIP`.
pub mod groups {
    /// Interfaces.
    pub const LINK: u32 = 1;
    /// Neighbours.
    pub const NEIGHBOUR: u32 = 3;
    /// IPv4 addresses.
    pub const INET_ADDRESS: u32 = 5;
    /// IPv4 routes.
    pub const INET_ROUTE: u32 = 7;
    /// IPv6 addresses.
    pub const INET6_ADDRESS: u32 = 9;
    /// IPv6 routes.
    pub const INET6_ROUTE: u32 = 11;
}

impl Dump {
    /// The request as it is sent. `sequence` comes back in every message of the answer.
    #[must_use]
    pub fn request(self, sequence: u32) -> [u8; REQUEST_LEN] {
        let kind: u16 = match self {
            Self::Links => 18,
            Self::Addresses => 22,
            Self::Routes => 26,
            Self::Neighbours => 30,
        };
        let mut request = [0; REQUEST_LEN];
        put_header(&mut request, kind, FLAGS, sequence);
        request
    }
}

/// Bytes of [`enable`]'s request.
pub const ENABLE_LEN: usize = HEADER_LEN + 16 + 4 + NAME_MAX + 1;

/// Most bytes of an interface's name (IFNAMSIZ without the NUL).
const NAME_MAX: usize = 15;

/// The request that enables the interface `name` (RTM_NEWLINK with IFF_UP); the kernel acknowledges it. `None` for a name that no interface
/// can have.
#[must_use]
pub fn enable(name: &[u8], sequence: u32) -> Option<[u8; ENABLE_LEN]> {
    const UP: u32 = 1;
    const IFNAME: u16 = 3;
    // NLM_F_REQUEST and NLM_F_ACK.
    const WITH_ANSWER: u16 = 0x5;
    if name.is_empty() || name.len() > NAME_MAX || name.contains(&0) {
        return None;
    }
    let mut request = [0; ENABLE_LEN];
    put_header(&mut request, 16, WITH_ANSWER, sequence);
    let attribute = HEADER_LEN + 16;
    put(&mut request, HEADER_LEN + 8, &UP.to_ne_bytes());
    put(&mut request, HEADER_LEN + 12, &UP.to_ne_bytes());
    put(&mut request, attribute, &u16::try_from(4 + NAME_MAX + 1).unwrap_or_default().to_ne_bytes());
    put(&mut request, attribute + 2, &IFNAME.to_ne_bytes());
    put(&mut request, attribute + 4, name);
    Some(request)
}

/// Writes `struct nlmsghdr` for a message as long as `request`.
fn put_header(request: &mut [u8], kind: u16, flags: u16, sequence: u32) {
    let length = u32::try_from(request.len()).unwrap_or_default();
    put(request, 0, &length.to_ne_bytes());
    put(request, 4, &kind.to_ne_bytes());
    put(request, 6, &flags.to_ne_bytes());
    put(request, 8, &sequence.to_ne_bytes());
}

fn put(request: &mut [u8], at: usize, part: &[u8]) {
    if let Some(place) = request.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enabling_is_one_message_with_flag_change_and_name() {
        let request = enable(b"lo", 7).unwrap();
        assert_eq!(request.len(), 52);
        assert_eq!(request[..4], 52_u32.to_ne_bytes());
        assert_eq!(request[4..8], [16_u16.to_ne_bytes(), 5_u16.to_ne_bytes()].concat());
        assert_eq!(request[24..32], [1_u32.to_ne_bytes(), 1_u32.to_ne_bytes()].concat());
        assert_eq!(request[32..39], [&20_u16.to_ne_bytes()[..], &3_u16.to_ne_bytes(), b"lo\0"].concat());
        for bad in [&b""[..], b"sixteen-bytes-xx", b"l\0"] {
            assert_eq!(enable(bad, 1), None);
        }
    }
}
