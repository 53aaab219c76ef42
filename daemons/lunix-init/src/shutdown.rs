//! How it all ends, as a pure machine that only ever goes forward: services in order, whatever else runs, the file systems, then the machine.
//!
//! | phase | waits for | at most | then |
//! |---|---|---|---|
//! | services | all services down, in the reverse order of their dependencies | the services' limit | strays; after the limit: killing |
//! | killing | what was killed | 1 s, then it is abandoned | strays |
//! | strays | whatever else runs | 2 s | last steps; after the limit: killing strays |
//! | killing strays | what was killed | 1 s, then it is abandoned | last steps |
//! | last steps | a process that unmounts and so on | 20 s | over; after the limit: rescue |
//! | rescue | a process that makes read-only and writes out what can be | 10 s | over |
//!
//! A second request leaves one second of whatever limit is running or comes; and however inputs come, 60 s after the services' limit it is over.

use init_control::What;
use reactor::Instant;
use std::time::Duration;

/// After the services' limit, how long killed ones may take before they are abandoned (a process in the kernel cannot be killed).
const KILL_LIMIT: Duration = Duration::from_secs(1);
/// How long what is no service may take to end by itself.
const STRAYS_LIMIT: Duration = Duration::from_secs(2);
/// How long unmounting may take.
const LAST_LIMIT: Duration = Duration::from_secs(20);
/// How long saving what can be saved may take when that hung.
const RESCUE_LIMIT: Duration = Duration::from_secs(10);
/// What a second request leaves of any limit.
const HURRY_LIMIT: Duration = Duration::from_secs(1);
/// What all of it may take beyond the services' limit.
const WHOLE_LIMIT: Duration = Duration::from_secs(60);

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
    /// The kernel that was loaded starts.
    Kexec,
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
            Self::Kexec => What::Kexec,
        }
    }
}

/// How far it has come; each is later than those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// A process unmounts.
    LastSteps,
    /// That hung; another one saves what can be saved.
    Rescue,
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
    /// The process of the last steps, or of the rescue, has ended, or cannot be started.
    Stepped,
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
    /// Start the process that unmounts; it answers with [`Input::Stepped`].
    TakeLastSteps,
    /// Start the process that saves what can be saved; it answers, too.
    SaveWhatCanBe,
    /// Ask the kernel; the last thing that is done.
    Finish(Goal),
}

/// The end, as far as it has come.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: Phase,
    goal: Goal,
    deadline: Option<Instant>,
    /// When all of it is over at the latest.
    whole: Option<Instant>,
    hurried: bool,
    services_limit: Duration,
}

impl Shutdown {
    /// Nothing ends yet; when it does, services have `services_limit` to do so.
    #[must_use]
    pub const fn new(services_limit: Duration) -> Self {
        Self { phase: Phase::Running, goal: Goal::Leave, deadline: None, whole: None, hurried: false, services_limit }
    }

    /// An end that goes on where it was; all of it has its limit anew.
    #[must_use]
    pub fn resumed(phase: Phase, goal: Goal, deadline: Option<Instant>, services_limit: Duration) -> Self {
        let whole = deadline.map(|deadline| deadline + WHOLE_LIMIT);
        Self { phase, goal, deadline, whole, hurried: false, services_limit }
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

    /// How long all of it takes at most.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.services_limit.saturating_add(WHOLE_LIMIT)
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
        if self.phase != P::Over && self.whole.is_some_and(|whole| whole <= now) {
            return self.finish();
        }
        match (self.phase, input) {
            (P::Running, I::Ask(goal)) => {
                self.goal = goal;
                self.whole = Some(now + self.limit());
                self.enter(now, P::Services, self.services_limit, Effect::EndServices)
            }
            (P::Running, I::Quiet | I::Alone | I::Stepped | I::Timeout) => None,

            (P::Services, I::Quiet) => self.enter(now, P::Strays, STRAYS_LIMIT, Effect::EndStrays),
            (P::Services, I::Timeout) => self.enter(now, P::Killing, KILL_LIMIT, Effect::KillServices),
            (P::Services, I::Alone | I::Stepped) => None,

            (P::Killing, I::Quiet | I::Timeout) => self.enter(now, P::Strays, STRAYS_LIMIT, Effect::EndStrays),
            (P::Killing, I::Alone | I::Stepped) => None,

            (P::Strays, I::Alone) => self.last_steps(now),
            (P::Strays, I::Timeout) => self.enter(now, P::KillingStrays, KILL_LIMIT, Effect::KillStrays),
            (P::Strays, I::Quiet | I::Stepped) => None,

            (P::KillingStrays, I::Alone | I::Timeout) => self.last_steps(now),
            (P::KillingStrays, I::Quiet | I::Stepped) => None,

            (P::LastSteps, I::Stepped) => self.finish(),
            (P::LastSteps, I::Timeout) => self.enter(now, P::Rescue, RESCUE_LIMIT, Effect::SaveWhatCanBe),
            (P::Rescue, I::Stepped | I::Timeout) => self.finish(),
            (P::LastSteps | P::Rescue, I::Quiet | I::Alone) => None,

            // The newest wish counts, and there is less patience.
            (P::Services | P::Killing | P::Strays | P::KillingStrays | P::LastSteps | P::Rescue, I::Ask(goal)) => {
                (self.goal, self.hurried) = (goal, true);
                self.deadline = self.deadline.map(|deadline| deadline.min(now + HURRY_LIMIT));
                None
            }
            (P::Over, I::Ask(_) | I::Quiet | I::Alone | I::Stepped | I::Timeout) => None,
        }
    }

    /// Nothing of a machine is touched by one that only leaves.
    fn last_steps(&mut self, now: Instant) -> Option<Effect> {
        match self.goal {
            Goal::Leave => self.finish(),
            Goal::Halt | Goal::Poweroff | Goal::Reboot | Goal::Kexec => {
                self.enter(now, Phase::LastSteps, LAST_LIMIT, Effect::TakeLastSteps)
            }
        }
    }

    fn enter(&mut self, now: Instant, phase: Phase, limit: Duration, effect: Effect) -> Option<Effect> {
        // Writing out what is in memory is not hurried: it is what the end is for.
        let is_saving = matches!(phase, Phase::LastSteps | Phase::Rescue);
        let limit = if self.hurried && !is_saving { limit.min(HURRY_LIMIT) } else { limit };
        let deadline = now + limit;
        (self.phase, self.deadline) = (phase, Some(self.whole.map_or(deadline, |whole| whole.min(deadline))));
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
    fn services_then_strays_then_the_file_systems_then_the_machine() {
        let mut end = Shutdown::new(Duration::from_secs(30));
        assert_eq!(end.step(START, Input::Quiet), None);
        assert_eq!(end.step(START, Input::Ask(Goal::Poweroff)), Some(Effect::EndServices));
        assert_eq!(end.step(START, Input::Alone), None);
        assert_eq!(end.step(at(1), Input::Quiet), Some(Effect::EndStrays));
        assert_eq!(end.step(at(1), Input::Alone), Some(Effect::TakeLastSteps));
        assert_eq!(end.step(at(1), Input::Alone), None);
        assert_eq!(end.step(at(2), Input::Stepped), Some(Effect::Finish(Goal::Poweroff)));
        assert_eq!(end.step(at(2), Input::Ask(Goal::Reboot)), None);
        assert_eq!((end.phase(), end.deadline()), (Phase::Over, None));
    }

    #[test]
    fn nothing_can_hold_it_up_for_ever() {
        let mut end = Shutdown::new(Duration::from_secs(30));
        end.step(START, Input::Ask(Goal::Halt));
        let mut effects = Vec::new();
        let mut last = START;
        while let Some(deadline) = end.deadline() {
            last = deadline;
            effects.extend(end.step(deadline, Input::Timeout));
        }
        let expected = [
            Effect::KillServices,
            Effect::EndStrays,
            Effect::KillStrays,
            Effect::TakeLastSteps,
            Effect::SaveWhatCanBe,
            Effect::Finish(Goal::Halt),
        ];
        assert_eq!(effects, expected);
        assert!(last <= START + end.limit());
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
        assert_eq!(end.deadline(), Some(at(7)), "and those that come");
        assert_eq!(end.step(at(6), Input::Alone), Some(Effect::TakeLastSteps));
        assert_eq!(end.deadline(), Some(at(26)), "but not that of writing out");
        assert_eq!(end.step(at(7), Input::Stepped), Some(Effect::Finish(Goal::Poweroff)));
    }

    #[test]
    fn one_that_is_not_pid_1_touches_no_file_system() {
        let mut end = Shutdown::new(Duration::from_secs(30));
        end.step(START, Input::Ask(Goal::Leave));
        end.step(START, Input::Quiet);
        assert_eq!(end.step(START, Input::Alone), Some(Effect::Finish(Goal::Leave)));
    }

    /// Whatever comes in whatever order: it only goes forward, keeps its limit, and does each thing at most once.
    #[test]
    fn any_inputs_in_any_order_lead_to_one_end_in_time() {
        let goals = [Goal::Halt, Goal::Poweroff, Goal::Reboot, Goal::Kexec];
        let mut rng = testkit::rng::Rng::printed("shutdown");
        for _ in 0..2000 {
            let mut end = Shutdown::new(Duration::from_secs(30));
            let (mut now, mut phase, mut effects) = (START, Phase::Running, Vec::new());
            let first = *rng.choose(&goals).unwrap();
            effects.extend(end.step(now, Input::Ask(first)));
            while let Some(deadline) = end.deadline() {
                assert!(deadline <= START + end.limit());
                let input = match rng.below(6) {
                    0 => Input::Quiet,
                    1 => Input::Alone,
                    2 => Input::Stepped,
                    3 => Input::Ask(*rng.choose(&goals).unwrap()),
                    _ => {
                        now = now.max(deadline);
                        Input::Timeout
                    }
                };
                now = now + Duration::from_millis(rng.below(500).try_into().unwrap());
                effects.extend(end.step(now, input));
                assert!(end.phase() >= phase, "from {phase:?} back to {:?}", end.phase());
                phase = end.phase();
            }
            let finishes = effects.iter().filter(|effect| matches!(effect, Effect::Finish(_))).count();
            assert_eq!((finishes, phase), (1, Phase::Over), "{effects:?}");
            for (at, effect) in effects.iter().enumerate() {
                assert!(!effects[..at].contains(effect), "twice in {effects:?}");
            }
        }
    }
}
