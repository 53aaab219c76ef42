//! How long a wait may take.

use std::time::{Duration, Instant};

/// A moment by which something must have happened.
///
/// Limits are meant for a quiet machine; `LUNIX_TIME_FACTOR` (a whole number) stretches them all on a slow one.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment `seconds` from now, stretched by `LUNIX_TIME_FACTOR`.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        let factor = std::env::var("LUNIX_TIME_FACTOR").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
        Self(Instant::now() + Duration::from_secs(seconds.saturating_mul(factor)))
    }

    /// Time left; `None` when it has passed.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// Time left, or one millisecond when it has passed: for calls that take no zero.
    #[must_use]
    pub fn left_or_tick(self) -> Duration {
        self.left().unwrap_or(Duration::from_millis(1))
    }
}
