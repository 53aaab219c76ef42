//! The way to a hub: an address, a connection, TLS. Chance spreads many remotes over many hubs, and over time.

use super::{Act, Line, Machine, State, is_name};
use crate::leaf::Url;
use reactor::Instant;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a name may take to be resolved, and a connection to come about.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
const DIAL_TIMEOUT: Duration = Duration::from_secs(1);

impl Machine {
    /// Takes the next address and goes there.
    pub(super) fn attempt(&mut self, now: Instant, acts: &mut Vec<Act>) {
        self.greeting = None;
        self.secured = false;
        self.attempts = self.attempts.saturating_add(1);
        let tried_first =
            self.current.as_ref().zip(self.urls.first()).is_some_and(|(tried, first)| tried.is_same_place(first));
        if tried_first && self.urls.len() > 1 {
            self.urls.rotate_left(1);
        }
        self.current = self.urls.first().cloned();
        let Some(url) = &self.current else { return };
        match url.host.parse::<IpAddr>() {
            Ok(address) => {
                let address = SocketAddr::new(address, url.port);
                self.dial(now, address, acts);
            }
            Err(_) => {
                acts.push(Act::Resolve { host: url.host.clone(), port: url.port });
                self.state = State::Resolving(now + RESOLVE_TIMEOUT);
            }
        }
    }

    pub(super) fn dial(&mut self, now: Instant, address: SocketAddr, acts: &mut Vec<Act>) {
        acts.push(Act::Dial(address));
        self.state = State::Dialling(now + DIAL_TIMEOUT);
    }

    pub(super) fn choose(&mut self, addresses: &[SocketAddr]) -> Option<SocketAddr> {
        let place = self.chance(addresses.len());
        addresses.get(place).copied()
    }

    /// There is no connection.
    pub(super) fn missed(&mut self, now: Instant, why: &str, acts: &mut Vec<Act>) {
        let url = self.current.as_ref().map(Url::to_string).unwrap_or_default();
        // While there never was a connection, the first time is told, and then about once an hour.
        if !self.never || self.attempts % 3600 == 1 {
            acts.push(Act::Say(Line::NoConnection { url, attempt: self.attempts, why: why.to_owned() }));
        }
        let delay = self.remote.reconnect + self.jitter();
        self.state = State::Waiting(now + delay);
    }

    pub(super) fn connected(&mut self, now: Instant, acts: &mut Vec<Act>) {
        self.never = false;
        self.attempts = 0;
        if self.remote.is_handshake_first() {
            self.secure(now, acts);
        } else {
            self.state = State::Greeting(now + self.remote.first_info_timeout);
        }
    }

    pub(super) fn wants_tls(&self) -> bool {
        self.remote.tls.is_some() || self.current.as_ref().is_some_and(|url| url.tls)
    }

    pub(super) fn secure(&mut self, now: Instant, acts: &mut Vec<Act>) {
        let host = self.current.as_ref().map(|url| url.host.clone()).unwrap_or_default();
        let name = if is_name(&host) { host } else { self.tls_name.clone().unwrap_or(host) };
        acts.push(Act::Secure(name));
        self.state = State::Securing(now + self.remote.tls_timeout());
    }

    pub(super) fn secured(&mut self, now: Instant, acts: &mut Vec<Act>) {
        self.secured = true;
        match self.greeting.take() {
            Some(greeting) => self.introduce(now, greeting, acts),
            None => self.state = State::Greeting(now + self.remote.first_info_timeout),
        }
    }

    /// Something below the time between two attempts.
    pub(super) fn jitter(&mut self) -> Duration {
        let most = usize::try_from(self.remote.reconnect.as_millis()).unwrap_or(usize::MAX);
        Duration::from_millis(self.chance(most) as u64)
    }

    /// A number below `below`; 0 when there is none.
    pub(super) fn chance(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % below.max(1) as u64).unwrap_or_default()
    }

    pub(super) fn shuffle(&mut self) {
        for place in (1..self.urls.len()).rev() {
            let other = self.chance(place + 1);
            self.urls.swap(place, other);
        }
    }
}
