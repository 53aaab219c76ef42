//! One client as the broker sees it.

use super::outbox::Stall;
use super::output::Output;
use nats_proto::client::Parser;
use reactor::Instant;
use std::net::IpAddr;

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Over TCP, from this address.
    Tcp(IpAddr),
    /// Over a unix socket; the kernel says which user.
    Unix {
        /// The user's number.
        uid: u32,
    },
}

/// What CONNECT settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's own switches")]
pub(crate) struct Options {
    pub(crate) verbose: bool,
    pub(crate) pedantic: bool,
    pub(crate) echo: bool,
    pub(crate) headers: bool,
    pub(crate) no_responders: bool,
    pub(crate) protocol: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self { verbose: true, pedantic: true, echo: true, headers: false, no_responders: false, protocol: 0 }
    }
}

/// Why a client's connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client closed, or its connection broke.
    Gone,
    /// The client sent what is not the protocol.
    Protocol,
    /// The client did not prove who it is.
    Authentication,
    /// A limit of the server.
    Limit,
    /// PINGs stayed unanswered.
    Stale,
    /// More output waits than one client may hold.
    SlowPending,
    /// The client accepted no output for too long.
    SlowWrite,
    /// The ceiling for all clients is reached and this one held most.
    Memory,
    /// The server ends.
    Shutdown,
}

impl Reason {
    /// The reason in words, as monitoring tells it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Gone => "Client Closed",
            Self::Protocol => "Protocol Violation",
            Self::Authentication => "Authentication Failure",
            Self::Limit => "Limit Exceeded",
            Self::Stale => "Stale Connection",
            Self::SlowPending => "Slow Consumer (Pending Bytes)",
            Self::SlowWrite => "Slow Consumer (Write Deadline)",
            Self::Memory => "Slow Consumer (Memory Ceiling)",
            Self::Shutdown => "Server Shutdown",
        }
    }
}

/// A connection's state.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
pub(crate) struct Client {
    /// Number told to the client, never used again.
    pub(crate) id: u64,
    pub(crate) peer: Peer,
    pub(crate) parser: Parser,
    /// Bytes of an operation that is not complete.
    pub(crate) partial: Vec<u8>,
    pub(crate) output: Output,
    pub(crate) options: Options,
    /// A good CONNECT was seen.
    pub(crate) connected: bool,
    /// May do anything.
    pub(crate) authenticated: bool,
    /// The first PING after CONNECT was answered.
    pub(crate) greeted: bool,
    /// Was asked for a PONG at least once.
    pub(crate) pinged: bool,
    /// Sent something since the last PING was due.
    pub(crate) active: bool,
    /// In the list of those with fresh output.
    pub(crate) dirty: bool,
    /// Set once the connection is to end after what waits is written.
    pub(crate) closing: Option<Reason>,
    /// Set while nothing is read from it, because a receiver of its messages cannot follow.
    pub(crate) stalled: Option<Stall>,
    pub(crate) pings_out: u32,
    /// First of its subscriptions; `u32::MAX` for none.
    pub(crate) first_subscription: u32,
    pub(crate) subscriptions: u32,
    /// When to PING, or when authentication must have happened.
    pub(crate) due: Option<Instant>,
    /// When waiting output must have moved.
    pub(crate) write_due: Option<Instant>,
}

impl Client {
    /// True when nothing may be sent to it any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }
}
