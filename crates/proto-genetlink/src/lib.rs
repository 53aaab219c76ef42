//! Generic netlink: requests, and the numbers of families. Nothing is allocated or copied; the framing of messages and attributes is that of
//! `proto-rtnetlink`. Source: `include/uapi/linux/genetlink.h`.
//!
//! A family has no fixed number: [`family`] asks for that of a name and of its multicast groups, and [`Family::read`] reads the answer.
//!
//! ```
//! let asked = proto_genetlink::family(b"nl80211", 1);
//! assert_eq!(asked.bytes().len(), 32);
//! assert!(asked.bytes().windows(8).any(|bytes| bytes == b"nl80211\0"));
//! ```
#![forbid(unsafe_code)]
#![no_std]

mod family;
mod request;

pub use family::Family;
pub use request::{Answer, Request, family};

/// Bytes of a generic message's own header: command, version, two reserved.
pub const HEADER_LEN: usize = 4;
