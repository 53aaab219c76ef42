//! Requests for everything there is, and the multicast groups that tell what changes.

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
        let len = u32::try_from(REQUEST_LEN).unwrap_or_default().to_ne_bytes();
        let parts: [(usize, &[u8]); 4] =
            [(0, &len), (4, &kind.to_ne_bytes()), (6, &FLAGS.to_ne_bytes()), (8, &sequence.to_ne_bytes())];
        for (at, part) in parts {
            if let Some(place) = request.get_mut(at..at + part.len()) {
                place.copy_from_slice(part);
            }
        }
        request
    }
}
