//! The NATS wire protocol in both directions: streaming, zero-copy, without I/O.
//!
//! [`client`] holds what a server reads from its clients, [`server`] what a client reads from its server, [`leaf`] what a leaf node
//! reads from its hub, [`encode`] writes all of it, [`headers`] reads and builds header blocks. A parser is given all bytes of the connection that are not yet consumed and returns
//! how many are done with and, when one is complete, an operation whose fields are slices of that input. It keeps its place between
//! calls, so no byte is looked at twice, and it holds no memory: the caller's buffer is the only one.
//!
//! Absent on purpose: users, permissions, subject rules (crate `nats-subject`), JSON (the bodies of INFO and CONNECT are bytes).
//!
//! # Grammar
//! ABNF of RFC 5234; verbs in any letter case. `CRLF` may be a bare LF in control lines; after a payload it is exactly CR LF.
//! ```text
//! blank   = 1*( SP / HTAB )
//! field   = 1*( any octet but SP, HTAB, LF )
//! size    = 1*9DIGIT
//! ; what a server reads
//! client  = "CONNECT" [blank] json CRLF / "PING" *skipped CRLF / "PONG" *skipped CRLF / "+OK" *skipped CRLF
//!         / "PUB" blank field [blank field] blank size CRLF payload CRLF
//!         / "HPUB" blank field [blank field] blank size blank size CRLF headers payload CRLF
//!         / "SUB" blank field [blank field] blank field CRLF
//!         / "UNSUB" blank field [blank field] CRLF
//!         / "INFO" [blank] json CRLF / "-ERR" blank text CRLF
//! ; what a client reads
//! server  = "INFO" [blank] json CRLF / "PING" *skipped CRLF / "PONG" *skipped CRLF / "+OK" *skipped CRLF / "-ERR" [blank] text CRLF
//!         / "MSG" blank field blank sid [blank field] blank size CRLF payload CRLF
//!         / "HMSG" blank field blank sid [blank field] blank size blank size CRLF headers payload CRLF
//! ; what a leaf node reads from its hub
//! hub     = "INFO" [blank] json CRLF / "PING" *skipped CRLF / "PONG" *skipped CRLF / "+OK" *skipped CRLF / "-ERR" [blank] text CRLF
//!         / "LS+" blank field [blank field blank size] CRLF / "LS-" blank field [blank field] CRLF
//!         / "LMSG" blank field [target] blank size CRLF payload CRLF
//!         / "HMSG" blank field [target] blank size blank size CRLF headers payload CRLF
//! target  = blank field / blank "+" blank field *( blank field ) / blank "|" 1*( blank field )
//! headers = "NATS/1.0" [SP status [SP text]] CRLF *( key ":" [SP] value CRLF ) CRLF
//! ```
//!
//! # Example
//! ```
//! use nats_proto::{encode, server};
//!
//! let mut out = Vec::new();
//! encode::subscribe(&mut out, "toast.in", None, 1);
//! encode::publish(&mut out, "toast.in", None, b"", b"plugged in");
//! assert_eq!(out, b"SUB toast.in 1\r\nPUB toast.in 10\r\nplugged in\r\n");
//!
//! let answer = b"MSG toast.in 1 10\r\nplugged in\r\nPING\r\n";
//! let mut parser = server::Parser::new(4096, 1 << 20);
//! let (used, op) = parser.parse(answer)?;
//! assert_eq!(
//!     op,
//!     Some(server::Op::Message { subject: b"toast.in", sid: 1, reply: None, headers: b"", payload: b"plugged in" })
//! );
//! assert_eq!(parser.parse(&answer[used..])?, (6, Some(server::Op::Ping)));
//! # Ok::<(), nats_proto::Error>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod automaton;
pub mod client;
pub mod encode;
mod error;
pub mod headers;
pub mod leaf;
mod number;
pub mod server;
mod span;

pub use error::Error;
pub use number::{Decimal, parse_size};
