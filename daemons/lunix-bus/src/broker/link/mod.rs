//! Links to the hubs of real clusters. A joined link is a client bound to one account: the hub's interest is its subscriptions, and what
//! the account's own subscribers want is announced to it. [`crate::leaf::Machine`] decides when to connect and what to say first.
//!
//! What comes from a hub goes to no other hub: two clusters meet here without becoming one.

mod interest;
mod join;
mod receive;
#[cfg(feature = "monitoring")]
mod report;
mod send;

pub(super) use send::{Filter, Hubs};

use super::account::AccountId;
use crate::leaf::{Machine, Rights};
use nats_proto::leaf::Parser;
use reactor::Instant;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;

/// What a client has that is a link.
#[derive(Debug)]
pub(crate) struct Link {
    /// Place of its remote in [`Links::remotes`].
    remote: usize,
    parser: Parser,
    rights: Rights,
    /// The hub takes and sends messages.
    joined: bool,
    /// The next subscription to be looked at, until all that the account wants is announced.
    walk: Option<u32>,
    /// What proves to the hub who we are.
    proof: Option<Proof>,
}

impl Link {
    /// Bytes that its unfinished operation must have to be complete; `None` while that is unknown.
    pub(crate) fn wanted_len(&self) -> Option<usize> {
        self.parser.wanted_len()
    }

    /// True while there is more to announce.
    pub(crate) fn is_walking(&self) -> bool {
        self.walk.is_some()
    }

    /// Where subscriptions have other numbers than before, a walk that is under way begins anew.
    pub(crate) fn walk_anew(&mut self) {
        self.walk = self.walk.map(|_| 0);
    }
}

/// What proves to a hub who we are, beside what the URL says.
#[derive(Debug)]
pub struct Proof {
    /// The user's key.
    pub key: nats_keys::KeyPair,
    /// Its token; a user that the hub knows by key has none.
    pub token: Option<String>,
}

/// A remote and what has become of it.
#[derive(Debug)]
struct Known {
    machine: Machine,
    account: AccountId,
    /// The subject that only this account of this server wants: whoever gets this interest back is in a loop.
    loop_subject: Rc<[u8]>,
    /// Of the connection.
    slot: Option<u32>,
}

/// All remotes.
#[derive(Debug, Default)]
pub(crate) struct Links {
    remotes: Vec<Known>,
    orders: VecDeque<LinkOrder>,
    /// Connections at this time.
    seated: usize,
    /// Connections ever made.
    made: u64,
    /// A walk did not come to an end, and nothing waits to be written that would carry it on.
    hurry: bool,
}

impl Links {
    /// Connections at this time.
    pub(crate) fn seated(&self) -> usize {
        self.seated
    }

    /// When [`super::Broker::tick`] is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let now = self.hurry.then_some(Instant::from_nanos(0));
        self.remotes.iter().filter_map(|known| known.machine.next_deadline()).chain(now).min()
    }
}

/// What the adapter does for a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkOrder {
    /// Find the addresses of a host, and tell [`super::Broker::link_resolved`].
    Resolve {
        /// Which remote.
        remote: usize,
        /// The name.
        host: String,
        /// TCP port, to be part of the addresses.
        port: u16,
    },
    /// Connect, and tell [`super::Broker::link_connected`] or [`super::Broker::link_failed`].
    Dial {
        /// Which remote.
        remote: usize,
        /// Where to.
        address: SocketAddr,
    },
    /// Give up resolving or connecting.
    Abandon {
        /// Which remote.
        remote: usize,
    },
    /// Begin TLS on a connection, and tell [`super::Broker::link_secured`] or [`super::Broker::link_failed`].
    Secure {
        /// Which remote.
        remote: usize,
        /// The connection's slot.
        slot: u32,
        /// What the certificate must be for.
        name: String,
    },
}
