//! Monotonic time as a number that tests can make up, and timers as descriptors.

use rustix::time::{ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::io;
use std::ops::{Add, Sub};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// A moment of CLOCK_MONOTONIC, in nanoseconds since boot. Unlike `std::time::Instant` it can be made from a number, so pure
/// machines take it as an argument and tests run on made-up time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// Reads the clock.
    #[must_use]
    pub fn now() -> Self {
        let now = rustix::time::clock_gettime(ClockId::Monotonic);
        Self(now.tv_sec.unsigned_abs().saturating_mul(1_000_000_000).saturating_add(now.tv_nsec.unsigned_abs()))
    }

    /// The moment `nanos` nanoseconds after boot.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since boot.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`; zero when that lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// A timerfd on CLOCK_MONOTONIC: readable once its deadline has passed. Non-blocking, close-on-exec.
#[derive(Debug)]
pub struct Timer(OwnedFd);

impl Timer {
    /// Opens a timer that is not armed.
    ///
    /// # Errors
    /// `EMFILE`/`ENFILE` when no descriptor is free.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Self(rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags)?))
    }

    /// Makes the timer readable at `deadline`, once; a deadline in the past fires at once. Replaces an earlier deadline.
    ///
    /// # Errors
    /// None in practice.
    pub fn arm(&self, deadline: Instant) -> io::Result<()> {
        // A zero value would disarm, so the earliest deadline is one nanosecond after boot.
        self.set(deadline.0.max(1))
    }

    /// Takes the deadline back.
    ///
    /// # Errors
    /// None in practice.
    pub fn disarm(&self) -> io::Result<()> {
        self.set(0)
    }

    /// Acknowledges that the deadline has passed. True when it had.
    ///
    /// # Errors
    /// Those of `read(2)` but for `EAGAIN`, which is false.
    pub fn fired(&self) -> io::Result<bool> {
        let mut count = [0_u8; 8];
        match rustix::io::read(&self.0, &mut count) {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn set(&self, nanos: u64) -> io::Result<()> {
        let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX);
        let rest = i64::try_from(nanos % 1_000_000_000).unwrap_or_default();
        let at = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: seconds, tv_nsec: rest },
        };
        rustix::time::timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &at)?;
        Ok(())
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_add_subtract_and_saturate() {
        let start = Instant::from_nanos(1_500_000_000);
        assert_eq!((start + Duration::from_secs(1)).as_nanos(), 2_500_000_000);
        assert_eq!(start - Instant::from_nanos(500_000_000), Duration::from_secs(1));
        assert_eq!(Instant::from_nanos(0) - start, Duration::ZERO);
        assert_eq!((Instant::from_nanos(u64::MAX) + Duration::MAX).as_nanos(), u64::MAX);
    }

    #[test]
    fn a_timer_fires_once_and_a_disarmed_one_never() {
        let timer = Timer::new().unwrap();
        assert!(!timer.fired().unwrap());
        timer.arm(Instant::from_nanos(0)).unwrap();
        rustix::event::poll(&mut [rustix::event::PollFd::new(&timer, rustix::event::PollFlags::IN)], None).unwrap();
        assert!(timer.fired().unwrap());
        assert!(!timer.fired().unwrap());
        timer.arm(Instant::now() + Duration::from_secs(3600)).unwrap();
        timer.disarm().unwrap();
        assert!(!timer.fired().unwrap());
    }
}
