//! The control protocol of lunix-init: messages, and a small client.
//!
//! # Protocol
//! A unix socket of type SOCK_SEQPACKET, by default `/run/lunix/init.sock`; every packet is one record of text, in both directions:
//!
//! ```text
//! record = kind *( SP key "=" value )            ; at most 512 bytes as a request, 8192 as a reply
//! kind   = 1*%x61-7A                             ; a-z
//! key    = 1*( %x61-7A / "_" )
//! value  = bare / DQUOTE *( char / escape ) DQUOTE
//! bare   = 1*( ALPHA / DIGIT / "-" / "_" / "." / ":" / "/" / "@" / "+" )
//! char   = %x20-21 / %x23-5B / %x5D-7E / %x80-FF ; printable but DQUOTE and "\"
//! escape = "\" ( DQUOTE / "\" ) / "\x" 2( %x30-39 / %x61-66 )
//! ```
//!
//! | request | who may | replies |
//! |---|---|---|
//! | `list` | all | `service …` for each service, then `end seq=N` |
//! | `status name=NAME` | all | `service …`, then `end seq=N`; or `error` |
//! | `usage`, `usage name=NAME` | all | `usage …` for each service that has processes, then `end seq=N`; or `error` |
//! | `log`, `log name=NAME` | root, owner | `line service=NAME text=…` for each line kept, then `end seq=N dropped=M` |
//! | `log … follow=yes` | root, owner | the same, then `line …` for each line that comes |
//! | `watch` | all | like `list`, then `event …` for each event from N+1 on |
//! | `start name=NAME`, `stop name=NAME`, `restart name=NAME`, `reload name=NAME`, `once name=NAME` | root, owner | `ok` or `error`: taken note of, not done yet |
//! | `signal name=NAME signal=HUP` | root, owner | `ok` or `error` |
//! | `rescan` | root, owner | `ok`: the directory was read again |
//! | `poweroff`, `reboot`, `halt`, `kexec` | root, owner | `ok` or `error` |
//! | `reexec` | root, owner | `ok`: it goes on as another program, and this connection ends; or `error` |
//!
//! The owner is the user lunix-init runs as. A refused request gets `error code=C reason="a sentence"`; the codes are those of
//! sysexits: 64 not understood, 69 there is no such service, 75 too many clients, 77 not permitted.
//!
//! `watch` and `log … follow=yes` go on until the connection ends, or until the other one of them is asked for. Every other request is
//! answered between two of their records, in one piece, so the answer needs no mark: what is no `event` after a request is its answer. A
//! request is read when the answer to the one before is complete. A row of `watch` may already show what one of the events after it tells again.
//!
//! Nothing is kept for a client that reads slowly. Where events or lines were overwritten before it read them it gets `lost count=N`; a
//! watcher then gets all rows anew, up to their `end`, and events go on from there.
//!
//! # The companion
//! A service with a file `companion` in its directory is born with one end of a socket pair that speaks the same protocol: `init` in LISTEN_FDNAMES.
//! Not the peer's user decides there but that file: see [`Request::FOR_COMPANIONS`] for what it may name. What it does not name is refused with code 77. Requests are
//! taken at a bounded rate; what comes faster waits in the socket.
//!
//! Fields of `service`: `name`, `state` (see [`ServiceState`]), `type` (longrun, oneshot, bundle), `wanted` (up, down), `override` (started, stopped; only while
//! the operator's word differs from the directory), `once` (only while it runs until it ends), `pid`, `since_ms` (age of the state), `process_ms` (age of its process),
//! `ready_ms` (age of the readiness it announced), `restarts`, `code` or `signal` (how it ended last), `after` (names of what must be ready first), `status` (what it says of itself),
//! `reason` (a sentence). Fields of `event`: `seq`, `service` (absent: the whole init), `what` (see [`What`]), `pid`, `code`, `signal`, `reason`;
//! of a generation also `generation` (its number), `added`, `changed`, `removed` (names, separated by line ends), `kept` and `omitted` (how many),
//! `took_ms`. Fields of `usage`: see [`Usage`].
//! Readers pass over fields and kinds they do not know.
//!
//! ```
//! use init_control::{Reply, Request};
//!
//! let mut buffer = [0; 512];
//! let packet = Request::Start { name: "sshd" }.encode(&mut buffer).unwrap();
//! assert_eq!(packet, b"start name=sshd");
//!
//! let Reply::Refused { code, reason } = Reply::decode(b"error code=77 reason=\"ask root\"").unwrap() else { unreachable!() };
//! assert_eq!((code, reason.to_string().as_str()), (77, "ask root"));
//! ```
#![forbid(unsafe_code)]

mod client;
mod generation;
mod record;
mod reply;
mod request;
mod scan;
#[cfg(feature = "interfaces")]
mod told;
mod usage;
mod words;

pub use client::{Client, Watch};
pub use generation::{Generation, Lists, Names};
pub use record::{Record, Text, Writer};
pub use reply::{Event, Line, Reply, Service};
pub use request::Request;
pub use scan::{Mark, Scanner};
pub use usage::Usage;
pub use words::{Ended, ServiceState, What};

use std::fmt;
use std::io;

/// Where lunix-init listens on a lunix machine.
pub const SOCKET: &str = "/run/lunix/init.sock";
/// Most bytes of a request.
pub const REQUEST_MAX: usize = 512;
/// Most bytes of a reply.
pub const REPLY_MAX: usize = 8192;

/// What can go wrong in talking to lunix-init.
#[derive(Debug)]
pub enum Error {
    /// The bytes are not a record of the grammar.
    Syntax,
    /// A record without a field it must have, or with one that makes no sense: the kind and the field.
    Field(&'static str, &'static str),
    /// A request of a kind that does not exist.
    UnknownRequest,
    /// The record does not fit into the buffer.
    Space,
    /// lunix-init closed the connection before the answer was complete.
    Closed,
    /// A system call on the socket failed.
    Socket(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("not a record of the control protocol"),
            Self::Field(kind, field) => write!(f, "{kind}: field {field} is missing or has no such value"),
            Self::UnknownRequest => f.write_str(
                "unknown request: expected list, status, usage, log, watch, start, stop, restart, reload, once, signal, rescan, poweroff, reboot, halt, kexec or reexec",
            ),
            Self::Space => f.write_str("record too long"),
            Self::Closed => f.write_str("lunix-init closed the connection"),
            Self::Socket(error) => write!(f, "control socket: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Socket(errno.into())
    }
}
