//! How often somebody may do something: so many times at once, then again and again after a pause.

use reactor::Instant;
use std::time::Duration;

/// The pause after which there is one more.
const PAUSE: Duration = Duration::from_millis(25);
/// How much may come at once after a long rest: 64 times.
const BURST: Duration = Duration::from_millis(25 * 63);

/// What is left to somebody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    /// When all that was taken has come back.
    whole_at: Instant,
}

impl Rate {
    /// Takes one.
    ///
    /// # Errors
    /// There is none: the moment when there is.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let owed = self.whole_at.since(now);
        match owed.checked_sub(BURST) {
            Some(wait) if !wait.is_zero() => Err(now + wait),
            Some(_) | None => {
                self.whole_at = self.whole_at.max(now) + PAUSE;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_burst_then_one_after_each_pause() {
        let mut rate = Rate::default();
        assert_eq!((0..100).filter(|_| rate.take(at(1000)).is_ok()).count(), 64);
        assert_eq!(rate.take(at(1000)), Err(at(1025)));
        assert_eq!((rate.take(at(1025)), rate.take(at(1025))), (Ok(()), Err(at(1050))));
        assert_eq!((0..100).filter(|_| rate.take(at(60_000)).is_ok()).count(), 64);
    }
}
