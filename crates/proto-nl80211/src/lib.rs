//! What nl80211 says about Wi-Fi links: messages to borrowed values, and the requests that ask for them.
//!
//! Nothing is allocated or copied. The framing of messages and attributes is that of `proto-rtnetlink`. Sources:
//! `include/uapi/linux/nl80211.h`, `man 7 netlink`.
//!
//! ```
//! use proto_nl80211::Report;
//! // NL80211_CMD_DISCONNECT of interface 5, reason 3.
//! let payload = [48, 1, 0, 0, 8, 0, 3, 0, 5, 0, 0, 0, 6, 0, 54, 0, 3, 0, 0, 0];
//! if cfg!(target_endian = "little") {
//!     assert_eq!(Report::read(&payload), Some((5, Report::Disconnected { reason: Some(3) })));
//! }
//! ```
#![forbid(unsafe_code)]
#![no_std]

mod report;
pub mod request;

pub use report::{Interface, Report, Station};
