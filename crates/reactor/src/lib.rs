//! One epoll with typed, generation-checked tokens.
//!
//! The reactor knows descriptors and nothing else: no closures, no timers of its own, no buffers. A program gives every descriptor
//! a key of its own type and gets that key back when the descriptor is ready; what happens next is a `match` the reader can see.
//!
//! Invariants
//! - An event for a source that was removed earlier in the same turn is never delivered: tokens carry a generation.
//! - A turn hands out each ready source once, so one busy peer cannot starve the others.
//! - Waiting with nothing to do makes no system call but the one `epoll_wait` it sleeps in.
//!
//! ```
//! use reactor::{Interest, Reactor, Signals, Timer, Instant};
//! use std::time::Duration;
//!
//! #[derive(Clone, Copy, Debug, PartialEq)]
//! enum Source { Alarm }
//!
//! let mut reactor = Reactor::new(8).unwrap();
//! let alarm = Timer::new().unwrap();
//! alarm.arm(Instant::now() + Duration::from_millis(1)).unwrap();
//! reactor.insert(&alarm, Interest::READ, Source::Alarm).unwrap();
//! reactor.wait(None).unwrap();
//! assert_eq!(reactor.next().unwrap().key, Source::Alarm);
//! assert!(reactor.next().is_none());
//! ```
#![forbid(unsafe_code)]

mod clock;
mod inotify;
mod poll;

pub use clock::{Instant, Timer};
pub use inotify::{Change, Inotify};
pub use poll::{Error, Event, Interest, Reactor, Token};
pub use sys::signal::SignalFd as Signals;

use rustix::process::{Pid, PidfdFlags};
use std::io;
use std::os::fd::OwnedFd;

/// Opens a descriptor that becomes readable when the process ends (`man 2 pidfd_open`). Close-on-exec.
///
/// # Errors
/// `ESRCH` when there is no such process, `EMFILE`/`ENFILE` when no descriptor is free.
pub fn pidfd(pid: i32) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
}
