//! What the kernel says about processes: the process connector's messages and files of `/proc`. No I/O, no allocation.
//!
//! The connector is a netlink multicast of fixed-size records in the machine's byte order (`include/uapi/linux/cn_proc.h`,
//! `Documentation/driver-api/connector.rst`): `nlmsghdr` (16 bytes), `cn_msg` (20 bytes), `proc_event`. `stat` and `cmdline` are
//! described in `man 5 proc`.
//!
//! ```
//! use proto_proc::{Stat, arguments};
//!
//! let stat = Stat::parse(b"42 (a (weird) name) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0").unwrap();
//! assert_eq!((stat.pid, stat.comm, stat.parent_pid, stat.start_ticks), (42, &b"a (weird) name"[..], 1, 12345));
//! assert_eq!(arguments(b"python3\0/usr/bin/calibre\0").collect::<Vec<_>>(), [&b"python3"[..], b"/usr/bin/calibre"]);
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod connector;
mod stat;

pub use connector::{Event, FILTER_OFFSETS, FilterOffsets, events, listen_request};
pub use stat::{Stat, arguments};
