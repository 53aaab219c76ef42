//! What the kernel counted of a process, told when it ends: taskstats, a family of generic netlink. Nothing is allocated or copied.
//!
//! A listener registers for processors ([`register`]); from then on the kernel sends it a message for each thread that ends on them. The last
//! one of a process tells of the whole process ([`exit`]). Sources: `include/uapi/linux/taskstats.h`, `kernel/taskstats.c`,
//! `Documentation/accounting/taskstats.rst`. Kernels from 5.18 on say which thread is the last; what older ones send is passed over, as is
//! version 15 of the structure, whose fields lie elsewhere.
//!
//! ```
//! // The message of a kernel that does not say which thread is the last: 36 bytes of headers, version 11.
//! let mut payload = vec![2, 1, 0, 0];
//! payload.extend([&[84, 1, 4, 0, 8, 0, 1, 0, 7, 0, 0, 0, 72, 1, 3, 0, 11, 0][..], &[0; 322]].concat());
//! assert_eq!(proto_taskstats::exit(&payload), None);
//! ```
#![forbid(unsafe_code)]
#![no_std]

mod exit;
mod request;

pub use exit::{Exit, FILTER, Filter, exit};
pub use request::{FAMILY, register};
