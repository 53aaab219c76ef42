//! Everything that happens because time passes.

use super::Broker;
use super::client::{Peer, Reason};
use super::lame_duck::LameDuck;
use super::outbox::Stall;
use super::subscriptions::NONE;
use reactor::Instant;
use std::time::Duration;

/// The first PING after connecting: it measures the round trip early.
const FIRST_PING: Duration = Duration::from_secs(2);
/// PINGs are due at multiples of this, so that a thousand clients make few wake-ups; finer when the interval is short.
const GRAIN: Duration = Duration::from_millis(400);
/// How long memory that was in use is kept for use again.
pub(super) const RELAX: Duration = Duration::from_secs(1);
/// How long a publisher waits for a receiver that does not follow, before its next bytes are read all the same.
const STALL: Duration = Duration::from_millis(10);

impl Broker {
    /// When [`Broker::tick`] is to be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let stalled = self.outbox.stalled.iter().filter_map(|&slot| self.client(slot)?.stalled);
        let lame_duck = self.lame_duck.as_ref().and_then(LameDuck::next_due);
        stalled
            .map(|stall| stall.until)
            .chain(self.next_due)
            .chain(lame_duck)
            .chain(self.relax_due)
            .chain(self.replies.due)
            .chain(self.links.next_due())
            .min()
    }

    /// Does what is due: PINGs, timeouts, publishers that waited long enough.
    pub fn tick(&mut self, now: Instant) {
        self.outbox.resume_those_due(now, &mut self.clients);
        self.limp_on(now);
        if self.relax_due.is_some_and(|due| due <= now) {
            self.relax_due = None;
            self.outbox.pool.clear();
        }
        self.forget_overdue(now);
        self.tick_links(now);
        if self.next_due.is_none_or(|due| due > now) {
            return;
        }
        self.next_due = None;
        self.share_when_due(now);
        for slot in 0..u32::try_from(self.clients.len()).unwrap_or(NONE) {
            self.tick_client(now, slot);
        }
    }

    fn tick_client(&mut self, now: Instant, slot: u32) {
        let Some(client) = self.client(slot) else { return };
        if client.write_due.is_some_and(|due| due <= now) {
            return self.cut(slot, Reason::SlowWrite);
        }
        self.expire(now, slot);
        let Some(client) = self.client(slot) else { return };
        if !client.is_closing() && client.due.is_some_and(|due| due <= now) {
            if client.authenticated {
                self.ping_or_give_up(now, slot);
            } else {
                let (text, reason) = if client.is_asked_about() {
                    ("Authorization Violation", Reason::Authentication)
                } else {
                    ("Authentication Timeout", Reason::AuthenticationTimeout)
                };
                self.refuse(slot, text, reason);
            }
        }
        let Some(client) = self.client(slot).filter(|client| !client.is_closing()) else {
            // What an ending connection still has to say must get out in time, too.
            if let Some(due) = self.client(slot).and_then(|client| client.write_due) {
                self.note_due(due);
            }
            return;
        };
        for due in client.due.into_iter().chain(client.write_due).chain(client.ends()).collect::<Vec<_>>() {
            self.note_due(due);
        }
    }

    fn ping_or_give_up(&mut self, now: Instant, slot: u32) {
        let (interval, max) = (self.settings.ping_interval, self.settings.ping_max);
        let due = self.ping_due(now, interval);
        let Some(client) = self.client_mut(slot) else { return };
        client.due = Some(due);
        if client.pings_out >= max {
            self.stale += 1;
            return self.refuse(slot, "Stale Connection", Reason::Stale);
        }
        let first = !std::mem::replace(&mut client.pinged, true);
        if std::mem::take(&mut client.active) && !first && client.pings_out == 0 {
            return;
        }
        client.pings_out += 1;
        client.asked = Some(now);
        self.send(slot, [b"PING\r\n"]);
    }

    /// Sets a client's first deadline: to authenticate, or its first PING. The kernel tells when a unix peer is gone, so those are
    /// never asked.
    pub(super) fn start_clock(&mut self, now: Instant, slot: u32) {
        let ping = self.ping_due(now, FIRST_PING.min(self.settings.ping_interval));
        let authentication = now + self.settings.auth_timeout;
        let Some(client) = self.client_mut(slot) else { return };
        let due = match (client.peer, client.authenticated) {
            (_, false) => authentication,
            (Peer::Unix { .. }, true) => {
                client.due = None;
                return;
            }
            (Peer::Tcp(_), true) => ping,
        };
        client.due = Some(due);
        self.note_due(due);
    }

    fn ping_due(&self, now: Instant, after: Duration) -> Instant {
        let grain = u64::try_from(GRAIN.min(self.settings.ping_interval / 8).as_nanos()).unwrap_or(1).max(1);
        let due = (now + after).as_nanos();
        Instant::from_nanos(due.div_ceil(grain).saturating_mul(grain))
    }

    pub(super) fn note_due(&mut self, due: Instant) {
        self.next_due = Some(self.next_due.map_or(due, |known| known.min(due)));
    }

    /// Stops reading from a publisher whose message met a receiver near its limit.
    pub(super) fn stall(&mut self, now: Instant, slot: u32) {
        let Some(receiver) = self.outbox.congested.take() else { return };
        let Some(client) = self.client_mut(slot).filter(|client| !client.is_closing()) else { return };
        if client.stalled.is_none() {
            client.stalled = Some(Stall { receiver, until: now + STALL });
            self.outbox.stalled.push(slot);
        }
    }
}
