//! Lame duck: the server tells its clients that it is about to end, and sends them away one after the other, so that they do not all
//! come to its successor at once.

use super::Broker;
use super::client::Reason;
use super::info::Kind;
use reactor::Instant;
use std::time::Duration;

/// Few clients are not spread over the whole time.
const STEP_MAX: Duration = Duration::from_secs(1);

/// What is still to do.
#[derive(Debug)]
pub(crate) struct LameDuck {
    due: Instant,
    /// Between two clients; more than one is sent away at once when they are many.
    step: Duration,
    batch: usize,
    /// Slots and numbers of those to be sent away; last first.
    waiting: Vec<(u32, u64)>,
}

impl LameDuck {
    pub(crate) fn next_due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.due)
    }
}

impl Broker {
    /// Tells the clients that the server is about to end. After the grace period [`Broker::tick`] ends their connections one by one
    /// over the rest of the duration. The caller accepts nobody from now on. Does nothing the second time.
    pub fn lame_duck(&mut self, now: Instant) {
        if self.lame_duck.is_some() {
            return;
        }
        let open = self.clients.iter().zip(0..).filter_map(|(client, slot)| {
            let client = client.as_deref().filter(|client| !client.is_closing())?;
            Some((slot, client.id, client.connected && client.options.protocol >= 1))
        });
        let open: Vec<(u32, u64, bool)> = open.collect();
        for &(slot, _, _) in open.iter().filter(|&&(_, _, listens)| listens) {
            self.send_info(slot, Kind::LameDuck);
        }
        let (duration, grace) = (self.settings.lame_duck_duration, self.settings.lame_duck_grace_period);
        let count = u32::try_from(open.len()).unwrap_or(u32::MAX).max(1);
        let rest = duration.saturating_sub(grace).max(Duration::from_millis(1));
        let step = (rest / count).clamp(Duration::from_millis(1), STEP_MAX);
        let steps = usize::try_from(rest.as_millis() / step.as_millis().max(1)).unwrap_or(usize::MAX).max(1);
        let waiting: Vec<_> = open.into_iter().map(|(slot, id, _)| (slot, id)).rev().collect();
        let batch = waiting.len().div_ceil(steps).max(1);
        self.lame_duck = Some(LameDuck { due: now + grace, step, batch, waiting });
    }

    /// True when the lame duck has nobody left to serve.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.count == 0 && self.lame_duck.is_some()
    }

    /// True since [`Broker::lame_duck`].
    #[must_use]
    pub fn is_lame_duck(&self) -> bool {
        self.lame_duck.is_some()
    }

    /// Sends away those whose time has come.
    pub(super) fn limp_on(&mut self, now: Instant) {
        let Some(mut duck) = self.lame_duck.take() else { return };
        while duck.due <= now && !duck.waiting.is_empty() {
            for (slot, id) in duck.waiting.split_off(duck.waiting.len().saturating_sub(duck.batch)) {
                if self.client(slot).is_some_and(|client| client.id == id) {
                    self.end(slot, Reason::Shutdown);
                }
            }
            duck.due = duck.due + duck.step;
        }
        self.lame_duck = Some(duck);
    }
}
