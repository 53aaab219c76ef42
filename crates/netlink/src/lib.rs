//! Netlink sockets (`man 7 netlink`): a [`Listener`] for an event loop, and an [`Asker`] that waits for the answer.
//!
//! A listener says of each datagram who sent it: only the kernel has port 0. It says when the kernel had to drop something, so that its
//! owner reads everything anew.
//!
//! ```
//! use netlink::{Listen, Received};
//!
//! // RTNLGRP_LINK of rtnetlink.
//! let mut links = Listen { groups: &[1], ..Listen::default() }.open().unwrap();
//! assert!(matches!(links.read().unwrap(), Received::Nothing));
//! ```
#![forbid(unsafe_code)]

mod asker;
mod listener;

pub use asker::Asker;
pub use listener::{Datagram, Listen, Listener, Received};

/// `NETLINK_ROUTE` is protocol 0, which sockets take for none.
pub const ROUTE: Option<rustix::net::Protocol> = None;

/// Largest datagram: the kernel fills at most this much of a dump into one.
const DATAGRAM_BYTES: usize = 32 * 1024;
