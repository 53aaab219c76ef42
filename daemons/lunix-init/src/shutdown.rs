//! How it all ends, as a pure machine that only ever goes forward: services in order, whatever else runs, then the machine.

use init_control::What;
use reactor::Instant;
use std::time::Duration;

/// After the services' limit, how long killed ones may take before they are abandoned (a process in the kernel cannot be killed).
const KILL_LIMIT: Duration = Duration::from_secs(1);
/// How long what is no service may take to end by itself.
const STRAYS_LIMIT: Duration = Duration::from_secs(2);
/// What a second request leaves of any limit.
const HURRY_LIMIT: Duration = Duration::from_secs(1);

/// What follows in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// lunix-init itself ends; the only one when it is not PID 1.
    Leave,
    /// The machine stands still.
    Halt,
    /// The machine is switched off.
    Poweroff,
    /// The machine boots again.
    Reboot,
}

impl Goal {
    /// The event that announces it.
    #[must_use]
    pub const fn announcement(self) -> What {
        match self {
            Self::Leave => What::Shutdown,
            Self::Halt => What::Halt,
            Self::Poweroff => What::Poweroff,
            Self::Reboot => What::Reboot,
        }
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing ends.
    Running,
    /// Services end, in order.
    Services,
    /// Services were killed.
    Killing,
    /// What is no service was told to end.
    Strays,
    /// That was killed, too.
    KillingStrays,
    /// Nothing is left to wait for.
    Over,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Somebody wants the end.
    Ask(Goal),
    /// No service runs.
    Quiet,
    /// There is no child process.
    Alone,
    /// The deadline has passed.
    Timeout,
}

/// What must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// End the services.
    EndServices,
    /// Kill the services.
    KillServices,
    /// Tell everything else to end.
    EndStrays,
    /// Kill everything else.
    KillStrays,
    /// Unmount and so on; the last thing that is done.
    Finish(Goal),
}

/// The end, as far as it has come.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: Phase,
    goal: Goal,
    deadline: Option<Instant>,
    services_limit: Duration,
}

impl Shutdown {
    /// Nothing ends yet; when it does, services have `services_limit` to do so.
    #[must_use]
    pub const fn new(services_limit: Duration) -> Self {
        Self { phase: Phase::Running, goal: Goal::Leave, deadline: None, services_limit }
    }

    /// An end that goes on where it was.
    #[must_use]
    pub const fn resumed(phase: Phase, goal: Goal, deadline: Option<Instant>, services_limit: Duration) -> Self {
        Self { phase, goal, deadline, services_limit }
    }

    /// How long services may take.
    #[must_use]
    pub const fn services_limit(&self) -> Duration {
        self.services_limit
    }

    /// What it is to be, once it is asked for.
    #[must_use]
    pub const fn goal(&self) -> Goal {
        self.goal
    }

    /// How far it has come.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// When [`Input::Timeout`] is due.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Advances by one input; returns what must be done.
    pub fn step(&mut self, now: Instant, input: Input) -> Option<Effect> {
        use Input as I;
        use Phase as P;
        match (self.phase, input) {
            (P::Running, I::Ask(goal)) => {
                self.goal = goal;
                self.enter(now, P::Services, self.services_limit, Effect::EndServices)
            }
            (P::Running, I::Quiet | I::Alone | I::Timeout) => None,

            (P::Services, I::Quiet) => self.enter(now, P::Strays, STRAYS_LIMIT, Effect::EndStrays),
            (P::Services, I::Timeout) => self.enter(now, P::Killing, KILL_LIMIT, Effect::KillServices),
            (P::Services, I::Alone) => None,

            (P::Killing, I::Quiet | I::Timeout) => self.enter(now, P::Strays, STRAYS_LIMIT, Effect::EndStrays),
            (P::Killing, I::Alone) => None,

            (P::Strays, I::Alone) => self.finish(),
            (P::Strays, I::Timeout) => self.enter(now, P::KillingStrays, KILL_LIMIT, Effect::KillStrays),
            (P::Strays, I::Quiet) => None,

            (P::KillingStrays, I::Alone | I::Timeout) => self.finish(),
            (P::KillingStrays, I::Quiet) => None,

            // The newest wish counts, and there is less patience.
            (P::Services | P::Killing | P::Strays | P::KillingStrays, I::Ask(goal)) => {
                self.goal = goal;
                self.deadline = self.deadline.map(|deadline| deadline.min(now + HURRY_LIMIT));
                None
            }
            (P::Over, I::Ask(_) | I::Quiet | I::Alone | I::Timeout) => None,
        }
    }

    fn enter(&mut self, now: Instant, phase: Phase, limit: Duration, effect: Effect) -> Option<Effect> {
        (self.phase, self.deadline) = (phase, Some(now + limit));
        Some(effect)
    }

    fn finish(&mut self) -> Option<Effect> {
        (self.phase, self.deadline) = (Phase::Over, None);
        Some(Effect::Finish(self.goal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_nanos(0);

    fn at(seconds: u64) -> Instant {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn services_then_strays_then_the_machine() {
        let mut end = Shutdown::new(Duration::from_secs(30));
        assert_eq!(end.step(START, Input::Quiet), None);
        assert_eq!(end.step(START, Input::Ask(Goal::Poweroff)), Some(Effect::EndServices));
        assert_eq!(end.step(START, Input::Alone), None);
        assert_eq!(end.step(at(1), Input::Quiet), Some(Effect::EndStrays));
        assert_eq!(end.step(at(1), Input::Alone), Some(Effect::Finish(Goal::Poweroff)));
        assert_eq!(end.step(at(1), Input::Ask(Goal::Reboot)), None);
        assert_eq!((end.phase(), end.deadline()), (Phase::Over, None));
    }

    #[test]
    fn nothing_can_hold_it_up_for_ever() {
        let mut end = Shutdown::new(Duration::from_secs(30));
        end.step(START, Input::Ask(Goal::Halt));
        let mut effects = Vec::new();
        while let Some(deadline) = end.deadline() {
            effects.extend(end.step(deadline, Input::Timeout));
        }
        let expected = [Effect::KillServices, Effect::EndStrays, Effect::KillStrays, Effect::Finish(Goal::Halt)];
        assert_eq!(effects, expected);
    }

    #[test]
    fn a_second_request_shortens_the_wait_and_sets_the_goal() {
        let mut end = Shutdown::new(Duration::from_secs(30));
        end.step(START, Input::Ask(Goal::Reboot));
        assert_eq!(end.deadline(), Some(at(30)));
        end.step(at(5), Input::Ask(Goal::Poweroff));
        assert_eq!(end.deadline(), Some(at(6)));
        end.step(at(6), Input::Timeout);
        end.step(at(6), Input::Quiet);
        assert_eq!(end.step(at(6), Input::Alone), Some(Effect::Finish(Goal::Poweroff)));
    }
}
