//! Generic netlink, and what nl80211 says about Wi-Fi links: messages to borrowed values, and the requests that ask for them.
//!
//! Nothing is allocated or copied. The framing of messages and attributes is that of `proto-rtnetlink`. Sources:
//! `include/uapi/linux/{genetlink,nl80211}.h`, `man 7 netlink`.
//!
//! A family of generic netlink has no fixed number: [`request::family`] asks for that of `nl80211` and of its multicast groups, and
//! [`Family::read`] reads the answer.
//!
//! ```
//! use proto_nl80211::{Report, request};
//! let asked = request::family(1);
//! assert_eq!(asked.bytes().len(), 32);
//! assert!(asked.bytes().windows(7).any(|bytes| bytes == b"nl80211"));
//! // NL80211_CMD_DISCONNECT of interface 5, reason 3.
//! let payload = [48, 1, 0, 0, 8, 0, 3, 0, 5, 0, 0, 0, 6, 0, 54, 0, 3, 0, 0, 0];
//! if cfg!(target_endian = "little") {
//!     assert_eq!(Report::read(&payload), Some((5, Report::Disconnected { reason: Some(3) })));
//! }
//! ```
#![forbid(unsafe_code)]
#![no_std]

mod family;
mod report;
pub mod request;

pub use family::Family;
pub use report::{Interface, Report, Station};

/// Bytes of a generic message's own header: command, version, two reserved.
const HEADER_LEN: usize = 4;
