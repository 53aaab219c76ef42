//! A small NATS client for programs that sleep in one epoll.
//!
//! - [`Session`] is the protocol alone: bytes in, events out; commands in, bytes out. It has no socket and no clock.
//! - [`Client`] puts a session on a non-blocking socket in a [`reactor::Reactor`], connects again with growing pauses when the bus
//!   goes away, and replays its subscriptions.
//! - [`blocking::Connection`] puts a session on a blocking socket, for command-line tools.
//!
//! What is absent on purpose: threads, callbacks, TLS (the bus is on this machine), name resolution inside the loop, and any
//! promise about a message published while the bus was away: that is the business of the `daemon` crate, which numbers events.
//!
//! ```
//! use nats_client::{Address, Event, Identity, Session};
//!
//! let address: Address = "nats://ada:secret@127.0.0.1:4222".parse().unwrap();
//! assert_eq!(address.to_string(), "nats://127.0.0.1:4222"); // credentials are never shown
//!
//! let mut session = Session::new(Identity::new("example"), 1 << 20);
//! session.receive(b"INFO {\"max_payload\":1048576} \r\n");
//! assert!(session.next().unwrap().is_none()); // greeted: CONNECT and PING wait to be sent
//! assert!(session.output().starts_with(b"CONNECT {"));
//! session.receive(b"PONG\r\n");
//! assert!(matches!(session.next().unwrap(), Some(Event::Open { .. })));
//! ```
#![forbid(unsafe_code)]

mod address;
pub mod blocking;
mod client;
mod session;
mod socket;

pub use address::{Address, AddressError, Endpoint};
pub use client::{Client, Incoming, Keys, PublishError, Subscription};
pub use session::{Error, Event, Identity, Message, Session};
