//! One client as the broker sees it.

use super::account::AccountId;
use super::authenticate::Waiting;
use super::budget::{CLIENT_SIZE, Payer};
use super::door::Way;
use super::link::Link;
#[cfg(feature = "jwt")]
use super::nonce::Nonce;
use super::outbox::Stall;
use super::output::Output;
use super::permissions::Granted;
use super::replies::Owed;
#[cfg(feature = "jwt")]
use super::tokens::Residence;
use crate::local::Facts;
use nats_proto::client::Parser;
use reactor::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Over TCP, from this address.
    Tcp(SocketAddr),
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
    /// The client closed.
    Gone,
    /// The client sent what is not the protocol.
    Protocol,
    /// The client did not prove who it is.
    Authentication,
    /// The connection broke.
    Broken,
    /// The client did not prove in time who it is.
    AuthenticationTimeout,
    /// The server has as many clients as it may.
    MaxConnections,
    /// Its account has as many clients as it may.
    MaxAccountConnections,
    /// It may have no subscription at all.
    MaxSubscriptions,
    /// Its token, or that of its account, is worth nothing any more.
    Expired,
    /// Its account took its token back.
    Revoked,
    /// A message larger than allowed.
    MaxPayload,
    /// A control line longer than allowed.
    MaxControlLine,
    /// The TLS handshake failed, or took too long.
    TlsHandshake,
    /// The client's certificate is not one of those that are let in.
    Pinned,
    /// The client asked for a protocol that there is not.
    ClientProtocol,
    /// PINGs stayed unanswered.
    Stale,
    /// More output waits than one client may hold.
    SlowPending,
    /// The client accepted no output for too long.
    SlowWrite,
    /// The ceiling for all clients is reached and this one held most.
    Memory,
    /// The budget of its user is used up and this client held most of it.
    UserMemory,
    /// The server ends.
    Shutdown,
    /// What answers there is no hub.
    WrongPort,
}

impl Reason {
    /// The reason in words, as monitoring tells it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Gone => "Client Closed",
            Self::Protocol => "Protocol Violation",
            Self::Authentication => "Authentication Failure",
            Self::Broken => "Read Error",
            Self::AuthenticationTimeout => "Authentication Timeout",
            Self::MaxConnections => "Maximum Connections Exceeded",
            Self::MaxAccountConnections => "Maximum Account Connections Exceeded",
            Self::MaxSubscriptions => "Maximum Subscriptions Exceeded",
            Self::Expired => "Authentication Expired",
            Self::Revoked => "Credentials Revoked",
            Self::MaxPayload => "Maximum Message Payload Exceeded",
            Self::MaxControlLine => "Maximum Control Line Exceeded",
            Self::TlsHandshake => "TLS Handshake Failure",
            Self::Pinned => "Pinned Certificate Not Presented",
            Self::ClientProtocol => "Bad Client Protocol Version",
            Self::Stale => "Stale Connection",
            Self::SlowPending => "Slow Consumer (Pending Bytes)",
            Self::SlowWrite => "Slow Consumer (Write Deadline)",
            Self::Memory => "Slow Consumer (Memory Ceiling)",
            Self::UserMemory => "Slow Consumer (Memory of its User)",
            Self::Shutdown => "Server Shutdown",
            Self::WrongPort => "Incorrect Port",
        }
    }
}

/// Messages and bytes that went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) in_msgs: u64,
    pub(crate) in_bytes: u64,
    pub(crate) out_msgs: u64,
    pub(crate) out_bytes: u64,
}

impl Traffic {
    pub(crate) fn add(&mut self, other: Self) {
        self.in_msgs += other.in_msgs;
        self.in_bytes += other.in_bytes;
        self.out_msgs += other.out_msgs;
        self.out_bytes += other.out_bytes;
    }
}

/// What a client says about itself; each at most [`ABOUT_MAX`] bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) lang: String,
    pub(crate) version: String,
    pub(crate) user: String,
}

/// Longer texts about a client are cut here.
pub(crate) const ABOUT_MAX: usize = 256;

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
    /// Who is charged for what it holds.
    pub(crate) payer: Payer,
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
    /// Was told INFO before the way to the protocol was open.
    pub(crate) told: bool,
    /// The way to the protocol is open: what TLS and WebSocket have to settle is settled.
    pub(crate) entered: bool,
    /// Nothing more is written to it.
    pub(crate) cut: bool,
    /// In the list of those with fresh output.
    pub(crate) dirty: bool,
    /// Set once the connection is to end after what waits is written.
    pub(crate) closing: Option<Reason>,
    /// Set while nothing is read from it, because a receiver of its messages cannot follow.
    pub(crate) stalled: Option<Stall>,
    pub(crate) pings_out: u32,
    /// What its connection holds outside of the broker, in bytes.
    pub(crate) charged: u32,
    /// First of its subscriptions; `u32::MAX` for none.
    pub(crate) first_subscription: u32,
    pub(crate) subscriptions: u32,
    /// What its subscriptions are charged.
    pub(crate) subscriptions_size: usize,
    /// Subscriptions in other accounts that belong to its own.
    pub(crate) shadows: u32,
    /// Answers that services in other accounts owe it.
    pub(crate) replies: Owed,
    /// When to PING, or when authentication must have happened.
    pub(crate) due: Option<Instant>,
    /// When waiting output must have moved.
    pub(crate) write_due: Option<Instant>,
    pub(crate) traffic: Traffic,
    pub(crate) opened: Instant,
    pub(crate) last_active: Instant,
    /// When the PING under way was sent, and how long the last answer took.
    pub(crate) asked: Option<Instant>,
    pub(crate) round_trip: Option<Duration>,
    pub(crate) about: Option<Box<About>>,
    /// What lies between the socket and the protocol; `None`: nothing.
    pub(crate) way: Option<Box<Way>>,
    /// What it has to sign, where there are users with keys.
    #[cfg(feature = "jwt")]
    pub(crate) nonce: Option<Box<Nonce>>,
    /// What its token says, where it showed one.
    #[cfg(feature = "jwt")]
    pub(crate) residence: Option<Box<Residence>>,
    /// The account it is bound to; `None` until it is known.
    pub(crate) account: Option<AccountId>,
    /// Its CONNECT, while the answer is not known.
    pub(crate) waiting: Option<Box<Waiting>>,
    /// What the kernel says of it, where there are rules about that.
    pub(crate) local: Option<Box<Facts>>,
    /// It is who it is because of what it sent.
    pub(crate) has_credentials: bool,
    /// The user it proved to be, where there are users, and what that one may do; nothing is said of one who may do everything.
    pub(crate) user: Option<Box<str>>,
    pub(crate) granted: Option<Box<Granted>>,
    /// What it has that is a link to a hub instead.
    pub(crate) link: Option<Box<Link>>,
}

impl Client {
    /// What it is charged.
    pub(crate) fn held(&self) -> usize {
        let input = self.partial.capacity() + self.charged as usize;
        CLIENT_SIZE + self.output.held() + input + self.subscriptions_size + self.replies.charged()
    }

    /// What it holds, and what it keeps others from giving free: the one with most is cut first.
    pub(crate) fn weight(&self) -> usize {
        self.held().max(self.output.pending())
    }

    /// Bytes that its unfinished operation must have to be complete; `None` while that is unknown.
    pub(crate) fn wanted_len(&self) -> Option<usize> {
        self.link.as_deref().map_or_else(|| self.parser.wanted_len(), Link::wanted_len)
    }

    /// True when nothing may be sent to it any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }
}
