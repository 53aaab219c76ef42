//! Connections that are gone, remembered for monitoring.

use super::Broker;
use super::account::AccountId;
use super::client::{About, Client, Peer, Reason, Traffic};
use super::door::Way;
use reactor::Instant;
use std::time::Duration;

/// A connection that is gone.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) id: u64,
    pub(crate) peer: Peer,
    pub(crate) opened: Instant,
    pub(crate) last_active: Instant,
    pub(crate) stopped: Instant,
    pub(crate) reason: Reason,
    pub(crate) traffic: Traffic,
    pub(crate) round_trip: Option<Duration>,
    pub(crate) subscriptions: u32,
    pub(crate) about: Option<Box<About>>,
    pub(crate) way: Option<Box<Way>>,
    pub(crate) account: Box<str>,
    #[cfg(feature = "jwt")]
    pub(crate) standing: Option<std::rc::Rc<crate::operator::Standing>>,
}

impl Broker {
    /// Adds up what the client did, and remembers it in the place of the oldest one.
    pub(super) fn remember(&mut self, now: Instant, client: &Client, account: Option<AccountId>) {
        self.traffic.add(client.traffic);
        if self.settings.closed_kept == 0 {
            return;
        }
        while self.closed.len() >= self.settings.closed_kept {
            self.closed.pop_front();
        }
        self.closed.push_back(Closed {
            id: client.id,
            peer: client.peer,
            opened: client.opened,
            last_active: client.last_active,
            stopped: now,
            reason: client.closing.unwrap_or(Reason::Gone),
            traffic: client.traffic,
            round_trip: client.round_trip,
            subscriptions: client.subscriptions,
            about: client.about.clone(),
            way: client.way.clone(),
            account: account.map(|account| self.accounts.name(account)).unwrap_or_default().into(),
            #[cfg(feature = "jwt")]
            standing: client.residence.as_deref().map(|residence| std::rc::Rc::clone(&residence.standing)),
        });
    }
}
