//! When a person is let in at the console because the boot cannot go on by itself; pure.
//!
//! | state | what is missing, and was not before | the shell ends | |
//! |---|---|---|---|
//! | closed | opens | | |
//! | open | (the shell shows it) | what failed is tried again: closed; the third time it lasted less than 5 s: given up | |
//! | given up | | | nobody is there; services stay as they are |

use reactor::Instant;
use std::time::Duration;

/// A shell that lasts so long had somebody at it.
const LASTING: Duration = Duration::from_secs(5);
/// So many that did not, one after the other, are enough.
const SHORT_MAX: u32 = 3;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Something that the boot needs is broken, or a person asked for a shell.
    Wanted,
    /// The shell has ended, or cannot be started.
    Ended,
}

/// What must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the shell.
    Open,
    /// Try again what failed, and go on.
    GoOn,
    /// Say that nobody is there.
    GiveUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open(Instant),
    GivenUp,
}

/// Whether somebody is let in.
#[derive(Clone, Copy, Debug)]
pub struct Rescue {
    state: State,
    short: u32,
}

impl Default for Rescue {
    fn default() -> Self {
        Self { state: State::Closed, short: 0 }
    }
}

impl Rescue {
    /// True while the shell runs.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// True when nobody is let in any more.
    #[must_use]
    pub const fn is_given_up(&self) -> bool {
        matches!(self.state, State::GivenUp)
    }

    /// Advances by one input; returns what must be done.
    pub fn step(&mut self, now: Instant, input: Input) -> Option<Effect> {
        match (self.state, input) {
            (State::Closed, Input::Wanted) => {
                self.state = State::Open(now);
                Some(Effect::Open)
            }
            (State::Open(since), Input::Ended) => {
                self.short = if now.since(since) < LASTING { self.short + 1 } else { 0 };
                let is_over = self.short >= SHORT_MAX;
                self.state = if is_over { State::GivenUp } else { State::Closed };
                Some(if is_over { Effect::GiveUp } else { Effect::GoOn })
            }
            (State::Open(_) | State::GivenUp, Input::Wanted) | (State::Closed | State::GivenUp, Input::Ended) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(0) + Duration::from_secs(seconds)
    }

    #[test]
    fn a_person_who_leaves_lets_the_boot_go_on_as_often_as_it_takes() {
        let mut rescue = Rescue::default();
        for turn in 0..10 {
            assert_eq!(rescue.step(at(turn * 100), Input::Wanted), Some(Effect::Open));
            assert_eq!(rescue.step(at(turn * 100 + 1), Input::Wanted), None);
            assert!(rescue.is_open());
            assert_eq!(rescue.step(at(turn * 100 + 60), Input::Ended), Some(Effect::GoOn));
        }
    }

    #[test]
    fn shells_that_end_at_once_end_the_trying() {
        let mut rescue = Rescue::default();
        let mut effects = Vec::new();
        for _ in 0..5 {
            effects.extend(rescue.step(at(1), Input::Wanted));
            effects.extend(rescue.step(at(2), Input::Ended));
        }
        use Effect as E;
        assert_eq!(effects, [E::Open, E::GoOn, E::Open, E::GoOn, E::Open, E::GiveUp]);
        assert!(!rescue.is_open());
    }
}
