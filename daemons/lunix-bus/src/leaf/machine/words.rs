//! What happens to a remote, and what it asks for.

use crate::broker::Reason;
use crate::leaf::{Greeting, Rights};
use std::net::SocketAddr;

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The first attempt may begin.
    Start,
    /// Time passed; see [`super::Machine::next_deadline`].
    Tick,
    /// The addresses of the host asked for.
    Resolved(&'a [SocketAddr]),
    /// The connection is there.
    Connected,
    /// There is no address, no connection or no TLS; says why.
    Failed(&'a str),
    /// The TLS handshake is over.
    Secured,
    /// The hub's INFO.
    Info(&'a Greeting),
    /// The hub's -ERR.
    Complaint(&'a str),
    /// Our own interest came back to us.
    Loop,
    /// The connection is closed.
    Closed,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Find the addresses of a host.
    Resolve {
        /// The name.
        host: String,
        /// TCP port, for the answer.
        port: u16,
    },
    /// Connect to this address.
    Dial(SocketAddr),
    /// Give up resolving or connecting.
    Abandon,
    /// Begin TLS; the certificate must be for this name or address.
    Secure(String),
    /// Send CONNECT; `nonce` is to be signed.
    Introduce {
        /// What to sign.
        nonce: String,
        /// Whether the hub understands headers.
        headers: bool,
    },
    /// Announce interest, and take and send messages from now on.
    Join(Rights),
    /// From now on this may cross.
    Limit(Rights),
    /// Tell the hub an error.
    Complain(String),
    /// Close the connection once what waits is written.
    Close(Reason),
    /// Something worth a log line.
    Say(Line),
}

/// A log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// No connection.
    NoConnection {
        /// Host and port.
        url: String,
        /// Attempts since the last connection.
        attempt: u32,
        /// Why.
        why: String,
    },
    /// What the hub, or what happens on the link, lets us say.
    Trouble(String),
}
