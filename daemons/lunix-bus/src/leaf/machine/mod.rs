//! One remote's life.
//!
//! ```text
//! Waiting -> Resolving -> Dialling -> [Securing] -> Greeting -> [Securing] -> Introduced -> Joined -> Leaving -> Waiting ...
//! ```
//! Every state but `Joined` ends by itself at its deadline. Time and chance are arguments: the same inputs give the same acts.

mod reaching;
mod words;

pub use words::{Act, Input, Line};

use super::remote::Remote;
use super::rights::Rights;
use super::url::{Secret, Url};
use crate::broker::Reason;
use crate::leaf::greeting::Greeting;
use reactor::Instant;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

/// How long the hub may take to answer our CONNECT.
const JOIN_TIMEOUT: Duration = Duration::from_secs(2);
/// After what only somebody's change of configuration can mend.
const LONG_DELAY: Duration = Duration::from_secs(30);
/// A link that lasted so long was a good one: the next attempt does not wait longer than the first.
const GOOD_LINK: Duration = Duration::from_secs(10);
/// Addresses a hub may tell us.
const LEARNED_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before [`Input::Start`].
    Idle,
    Waiting(Instant),
    Resolving(Instant),
    Dialling(Instant),
    Securing(Instant),
    Greeting(Instant),
    Introduced(Instant),
    Joined,
    /// Until the connection is closed.
    Leaving,
}

/// The machine of one remote.
#[derive(Debug)]
pub struct Machine {
    remote: Rc<Remote>,
    state: State,
    /// In the order in which they are tried.
    urls: Vec<Url>,
    /// The one under way, or tried last.
    current: Option<Url>,
    /// The first host that has a name: certificates are for names, gossip tells addresses.
    tls_name: Option<String>,
    /// The first user and password, for addresses that have none.
    secret: Option<Secret>,
    greeting: Option<Greeting>,
    secured: bool,
    /// Since when messages cross.
    joined: Option<Instant>,
    /// No connection ever came about.
    never: bool,
    attempts: u32,
    /// Links in a row that did not last.
    failures: u32,
    /// Before the next attempt, when there is a reason.
    delay: Option<Duration>,
    random: u64,
}

impl Machine {
    /// A machine that waits for [`Input::Start`]. `seed`: random, not zero.
    #[must_use]
    pub fn new(remote: Rc<Remote>, seed: u64) -> Self {
        let mut machine = Self {
            state: State::Idle,
            urls: remote.urls.clone(),
            current: None,
            tls_name: None,
            secret: remote.urls.iter().find_map(|url| url.secret.clone()),
            greeting: None,
            secured: false,
            joined: None,
            never: true,
            attempts: 0,
            failures: 0,
            delay: None,
            random: seed | 1,
            remote,
        };
        machine.tls_name = machine.urls.iter().map(|url| &url.host).find(|host| is_name(host)).cloned();
        if !machine.remote.no_randomize {
            machine.shuffle();
        }
        machine
    }

    /// The configuration.
    #[must_use]
    pub fn remote(&self) -> &Rc<Remote> {
        &self.remote
    }

    /// True while messages may cross.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        matches!(self.state, State::Joined)
    }

    /// What the current hub is called, once it said so.
    #[must_use]
    pub fn hub(&self) -> Option<&str> {
        self.greeting.as_ref().map(Greeting::name)
    }

    /// The address under way, or tried last.
    #[must_use]
    pub fn current(&self) -> Option<&Url> {
        self.current.as_ref()
    }

    /// What the current address proves.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.current.as_ref().and_then(|url| url.secret.as_ref()).or(self.secret.as_ref())
    }

    /// When [`Input::Tick`] is due at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(due)
            | State::Resolving(due)
            | State::Dialling(due)
            | State::Securing(due)
            | State::Greeting(due)
            | State::Introduced(due) => Some(due),
            State::Idle | State::Joined | State::Leaving => None,
        }
    }

    /// Advances by one input; everything that must happen is pushed to `acts`.
    pub fn step(&mut self, now: Instant, input: Input<'_>, acts: &mut Vec<Act>) {
        match (self.state, input) {
            (State::Idle, Input::Start) => self.attempt(now, acts),
            (_, Input::Tick) => self.tick(now, acts),
            (State::Resolving(_), Input::Resolved(addresses)) => match self.choose(addresses) {
                Some(address) => self.dial(now, address, acts),
                None => self.missed(now, "the host has no address", acts),
            },
            (State::Resolving(_) | State::Dialling(_), Input::Failed(why)) => self.missed(now, why, acts),
            (State::Dialling(_), Input::Connected) => self.connected(now, acts),
            (State::Securing(_), Input::Secured) => self.secured(now, acts),
            (State::Securing(_), Input::Failed(why)) => {
                self.trouble(format!("TLS leafnode handshake error: {why}"), acts);
                self.leave(Reason::TlsHandshake, acts);
            }
            (State::Greeting(_), Input::Info(greeting)) => self.greeted(now, greeting, acts),
            (State::Introduced(_), Input::Info(greeting)) => {
                self.learn(greeting);
                if greeting.connect_info {
                    self.join(now, greeting, acts);
                }
            }
            (State::Joined, Input::Info(greeting)) => self.informed(greeting, acts),
            (State::Greeting(_) | State::Introduced(_) | State::Joined, Input::Complaint(text)) => {
                self.complained(text, acts);
            }
            (State::Joined, Input::Loop) => {
                let text = format!(
                    "Loop detected for leafnode account={:?}. Delaying attempt to reconnect for {}s",
                    self.remote.account,
                    LONG_DELAY.as_secs()
                );
                acts.push(Act::Complain(text.clone()));
                self.trouble(text, acts);
                self.delay = Some(LONG_DELAY);
                self.leave(Reason::Protocol, acts);
            }
            (
                State::Securing(_) | State::Greeting(_) | State::Introduced(_) | State::Joined | State::Leaving,
                Input::Closed,
            ) => self.closed(now),
            // Answers to what was given up in the meantime, and the hub's last words.
            (
                State::Idle
                | State::Waiting(_)
                | State::Resolving(_)
                | State::Dialling(_)
                | State::Securing(_)
                | State::Greeting(_)
                | State::Introduced(_)
                | State::Joined
                | State::Leaving,
                Input::Start
                | Input::Resolved(_)
                | Input::Connected
                | Input::Failed(_)
                | Input::Secured
                | Input::Info(_)
                | Input::Complaint(_)
                | Input::Loop
                | Input::Closed,
            ) => {}
        }
    }

    fn tick(&mut self, now: Instant, acts: &mut Vec<Act>) {
        if self.next_deadline().is_none_or(|due| due > now) {
            return;
        }
        match self.state {
            State::Waiting(_) => self.attempt(now, acts),
            State::Resolving(_) => {
                acts.push(Act::Abandon);
                self.missed(now, "the name is not resolved in time", acts);
            }
            State::Dialling(_) => {
                acts.push(Act::Abandon);
                self.missed(now, "i/o timeout", acts);
            }
            State::Securing(_) => {
                self.trouble("TLS leafnode handshake error: timeout".to_owned(), acts);
                self.leave(Reason::TlsHandshake, acts);
            }
            State::Greeting(_) => {
                self.trouble("the hub does not say who it is".to_owned(), acts);
                self.leave(Reason::Stale, acts);
            }
            State::Introduced(_) => {
                acts.push(Act::Complain("Stale Leaf Node Connection - Closing".to_owned()));
                self.leave(Reason::Stale, acts);
            }
            // These have no deadline.
            State::Idle | State::Joined | State::Leaving => {}
        }
    }

    /// The hub said who it is.
    fn greeted(&mut self, now: Instant, greeting: &Greeting, acts: &mut Vec<Act>) {
        if !greeting.is_of_a_hub() {
            self.trouble("attempted to connect to wrong port".to_owned(), acts);
            return self.leave(Reason::WrongPort, acts);
        }
        self.learn(greeting);
        if !self.secured && (self.wants_tls() || greeting.tls_required) {
            self.greeting = Some(greeting.clone());
            return self.secure(now, acts);
        }
        self.introduce(now, greeting.clone(), acts);
    }

    fn introduce(&mut self, now: Instant, greeting: Greeting, acts: &mut Vec<Act>) {
        acts.push(Act::Introduce { nonce: greeting.nonce.clone(), headers: greeting.headers });
        if greeting.info_on_connect {
            self.state = State::Introduced(now + JOIN_TIMEOUT);
        } else {
            self.join(now, &greeting, acts);
        }
        self.greeting = Some(greeting);
    }

    fn join(&mut self, now: Instant, greeting: &Greeting, acts: &mut Vec<Act>) {
        acts.push(Act::Join(Rights::new(&self.remote, greeting)));
        self.state = State::Joined;
        self.joined = Some(now);
    }

    /// The hub tells news: addresses, permissions.
    fn informed(&mut self, greeting: &Greeting, acts: &mut Vec<Act>) {
        self.learn(greeting);
        if greeting.import.is_some() || greeting.export.is_some() {
            acts.push(Act::Limit(Rights::new(&self.remote, greeting)));
        }
    }

    /// Takes the addresses that the hub tells as those to be tried, before the configured ones.
    fn learn(&mut self, greeting: &Greeting) {
        let Some(told) = greeting.leafnode_urls.as_ref().filter(|told| !told.is_empty()) else { return };
        let known = |url: &Url| self.remote.urls.iter().any(|known| known.is_same_place(url));
        let fresh = told.iter().take(LEARNED_MAX).filter_map(|text| text.parse::<Url>().ok()).filter(|url| !known(url));
        self.urls = fresh.chain(self.remote.urls.iter().cloned()).collect();
        if self.tls_name.is_none() {
            self.tls_name = self.urls.iter().map(|url| &url.host).find(|host| is_name(host)).cloned();
        }
    }

    /// The hub says what is wrong. It closes the connection itself where it does not want to go on.
    fn complained(&mut self, text: &str, acts: &mut Vec<Act>) {
        let (same_name, delay) = (text.contains("remote leafnode has same cluster name"), LONG_DELAY.as_secs());
        self.trouble(
            if same_name {
                format!(
                    "Leafnode connection dropped with same cluster name error. \
                     Delaying attempt to reconnect for {delay}s"
                )
            } else {
                format!("Leafnode Error '{text}'")
            },
            acts,
        );
        let is_loop = text.contains("Loop detected");
        if same_name || is_loop || text.contains("Permissions Violation") {
            self.delay = Some(LONG_DELAY);
        }
        if same_name || is_loop {
            self.leave(Reason::Gone, acts);
        }
    }

    fn leave(&mut self, reason: Reason, acts: &mut Vec<Act>) {
        acts.push(Act::Close(reason));
        self.state = State::Leaving;
    }

    /// The connection is gone: when to try again. The more links in a row that did not last, the later.
    fn closed(&mut self, now: Instant) {
        let lasted = self.joined.take().is_some_and(|since| now - since >= GOOD_LINK);
        self.failures = if lasted { 0 } else { self.failures.saturating_add(1) };
        let patience = self.remote.reconnect * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(5));
        let patience = patience.min(LONG_DELAY.max(self.remote.reconnect));
        let jitter = if self.failures > 1 { self.jitter() } else { Duration::ZERO };
        self.state = State::Waiting(now + self.delay.take().unwrap_or(patience + jitter));
    }

    fn trouble(&self, text: String, acts: &mut Vec<Act>) {
        acts.push(Act::Say(Line::Trouble(text)));
    }
}

fn is_name(host: &str) -> bool {
    host.parse::<IpAddr>().is_err()
}
