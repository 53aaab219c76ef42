//! The head of an HTTP/1 request (RFC 9112), found byte by byte and read in place. Nothing is allocated, no body is looked at.
//!
//! ```text
//! head         = request-line *field CRLF
//! request-line = method SP target SP version CRLF
//! method       = 1*16( %x41-5A / %x61-7A )
//! target       = 1*2048( %x21-7E )
//! field        = name ":" *( any but LF ) CRLF
//! name         = 1*tchar
//! ```
//! A line may also end with LF alone. The version is handed over as it is.
//!
//! [`Scanner`] finds the end of a head in pieces of a stream; [`Head::read`] reads the whole.
//!
//! ```
//! use proto_http::{Head, Scanner};
//!
//! let mut scanner = Scanner::new(8192);
//! assert_eq!(scanner.feed(b"GET /varz?subs=1 HT"), Ok(None));
//! assert_eq!(scanner.feed(b"TP/1.1\r\nHost: a\r\n\r\nrest"), Ok(Some(19)));
//!
//! let head = Head::read(b"GET /varz?subs=1 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
//! assert_eq!((head.method, head.path(), head.query()), ("GET", "/varz", "subs=1"));
//! assert_eq!(head.field("host"), Some("a"));
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod head;
mod scan;

pub use head::{Fields, Head};
pub use scan::{Malformed, Scanner};
