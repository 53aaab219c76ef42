//! The numbers that stand for words in records. They are forever: a new word gets a new number.

use crate::shutdown::{Goal, Phase};
use init_control::ServiceState;
use std::time::Duration;

/// An enum and its numbers, both ways.
macro_rules! numbers {
    ($kind:ident, $of:ident, $back:ident, $($variant:ident = $number:literal),+ $(,)?) => {
        pub(super) const fn $of(value: $kind) -> u8 {
            match value { $($kind::$variant => $number),+ }
        }

        pub(super) const fn $back(number: u8) -> Option<$kind> {
            match number { $($number => Some($kind::$variant),)+ _ => None }
        }
    };
}

numbers!(
    ServiceState,
    of_state,
    state_of,
    Down = 1,
    Waiting = 2,
    Starting = 3,
    Ready = 4,
    Done = 5,
    Backoff = 6,
    Stopping = 7,
    Killing = 8,
    Finishing = 9,
    Undoing = 10,
    Broken = 11,
);
numbers!(
    Phase,
    of_phase,
    phase_of,
    Running = 1,
    Services = 2,
    Killing = 3,
    Strays = 4,
    KillingStrays = 5,
    Over = 6,
    LastSteps = 7,
    Rescue = 8
);
numbers!(Goal, of_goal, goal_of, Leave = 1, Halt = 2, Poweroff = 3, Reboot = 4, Kexec = 5);

/// A span in nanoseconds; zero for none.
pub(super) fn of_span(span: Option<Duration>) -> u64 {
    span.map_or(0, |span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX).max(1))
}

pub(super) fn span_of(nanos: u64) -> Option<Duration> {
    (nanos > 0).then_some(Duration::from_nanos(nanos))
}
