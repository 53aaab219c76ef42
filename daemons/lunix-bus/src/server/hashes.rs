//! Questions about hashed passwords go to the helper, and its answers to the broker.

use super::{Server, Source, epoll};
use crate::broker::Question;
use crate::hashing::{Hasher, Outcome};
use reactor::{Instant, Interest, Token};
use std::time::Duration;

/// How much longer than the client itself waits for its answer.
const GRACE: Duration = Duration::from_secs(1);

/// The helper, and its socket's name in the reactor while it runs.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    hasher: Hasher,
    token: Option<Token>,
}

impl Hashes {
    /// When the helper has to be looked after.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.hasher.deadline()
    }
}

impl Server {
    /// Passes on what the broker wants to know.
    pub(super) fn ask(&mut self, now: Instant) {
        while let Some((ticket, question)) = self.broker.take_question() {
            let Question::Password { hash, given, peer } = &question;
            if !self.hashes.hasher.push(ticket, *peer, hash, given) {
                self.log.warn("password not looked at: too many are waiting");
            }
        }
        self.hash(now);
    }

    /// Gives the helper its next job, if it has none.
    fn hash(&mut self, now: Instant) {
        let Self { hashes, broker, reactor, .. } = self;
        // Nobody is there any more for an answer after that.
        let patience = broker.settings().auth_timeout + GRACE;
        let failed = match hashes.hasher.advance(now, patience, |ticket| broker.is_asking(ticket)) {
            Ok(true) => hashes.hasher.socket().and_then(|socket| {
                let inserted = reactor.insert(socket, Interest::READ, Source::Hasher).map_err(epoll);
                inserted.map(|token| hashes.token = Some(token)).err().map(|error| error.to_string())
            }),
            Ok(false) => None,
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = failed {
            self.log.error(format_args!("cannot compare hashed passwords: {error}"));
            self.drop_hasher();
        }
    }

    /// The helper's socket has something.
    pub(super) fn hasher_ready(&mut self, now: Instant) {
        match self.hashes.hasher.read() {
            Outcome::Answer(ticket, fits) => self.broker.answer(now, ticket, fits),
            // Whoever it was about is not told a wrong password: its time runs out, and it may come again.
            Outcome::Gone(_) => {
                self.log.error("helper for hashed passwords ended by itself");
                self.drop_hasher();
            }
            Outcome::Nothing => {}
        }
        self.hash(now);
    }

    /// Ends a helper that is overdue.
    pub(super) fn hasher_tick(&mut self, now: Instant) {
        if self.hashes.hasher.overdue(now).is_some() {
            self.log.error("helper for hashed passwords killed: a hash took longer than clients wait");
            self.drop_hasher();
            self.hash(now);
        }
    }

    fn drop_hasher(&mut self) {
        if let (Some(token), Some(socket)) = (self.hashes.token.take(), self.hashes.hasher.socket()) {
            // The socket is closed right after, which ends the watching, too.
            let _ = self.reactor.remove(token, socket);
        }
        self.hashes.hasher.discard();
    }
}
