//! Every message of lunix as a type. One module per subject domain; schemas, reference pages and client types are generated from here.
//!
//! Conventions that hold for every message
//! - A payload is one JSON object in UTF-8. Absent is absent, never `null`. Readers ignore fields they do not know.
//! - Times are RFC 3339 in UTC with milliseconds; durations are integers with the unit in the name; sizes are bytes.
//! - Every event carries a [`Stamp`]: `epoch`, `seq`, `time`. The request `<domain>.list` answers with a [`List`], which carries the
//!   same `epoch` and `seq`, so that a client that subscribed first and listed second knows which events are older than the list.
//! - A request takes its argument as plain text, as a JSON string or as a JSON object; see [`Argument`].
//! - An error in a reply travels in the headers `Nats-Service-Error-Code` and `Nats-Service-Error` (NATS ADR-32); the codes are in
//!   [`error`].
//!
//! ```
//! use interfaces::{Event, Stamp, process::Process};
//! let text = r#"{"epoch":"c0ffee","seq":7,"time":"2026-01-31T23:59:59.000Z",
//!     "pid":42,"parent_pid":1,"uid":1000,"name":"calibre","comm":"calibre","started":"2026-01-31T23:59:59.000Z"}"#;
//! let event: Event<Process> = serde_json::from_str(text).unwrap();
//! assert_eq!((event.stamp.seq, event.body.pid, event.body.name.as_ref()), (7, 42, "calibre"));
//! ```
#![forbid(unsafe_code)]

pub mod argument;
pub mod error;
pub mod hardware;
pub mod init;

pub mod log;
pub mod network;
pub mod process;
pub mod request;
mod stamp;
pub mod time;
pub mod toast;

#[cfg(feature = "schema")]
pub mod catalogue;
#[cfg(feature = "schema")]
pub mod policy;

pub use argument::Argument;
pub use stamp::{Event, Item, List, Overrun, Stamp};

/// A string that is borrowed from a received message where it can be.
pub type Text<'a> = std::borrow::Cow<'a, str>;
