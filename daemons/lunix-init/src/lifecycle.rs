//! The life of one service, as a pure machine: what it is doing, what happens, what follows.
//!
//! The table is [`Lifecycle::step`]: every state with every input, none left out. A state stands for what exists outside: in
//! `Starting`, `Ready`, `Stopping` and `Killing` the service's process (a oneshot's: `up`), in `Finishing` its `finish`, in `Undoing` a oneshot's
//! `down`; in the other states nothing runs.

use crate::survival::record::Life;
use init_control::{Ended, ServiceState, What};
use reactor::Instant;
use std::time::Duration;

/// A process that lived this long counts as sound: the next restart is immediate again.
pub const STABLE: Duration = Duration::from_secs(10);
/// The first delay between a crash and the next start; it doubles with each crash.
pub const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// The longest such delay.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// The exit code of `finish` that means: do not start it again (as in s6).
pub const FINISH_PERMANENT: u8 = 125;

/// What the directory says about how a service lives and ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `type` is oneshot.
    pub oneshot: bool,
    /// Ready only when it says so (`notification-fd`, `notify-socket`).
    pub announces: bool,
    /// There is a `finish` (longrun) or a `down` script (oneshot).
    pub has_end_script: bool,
    /// After this long a process told to end is killed (`timeout-kill`); `None`: never.
    pub timeout_kill: Option<Duration>,
    /// After this long `finish`, or a oneshot's `down`, is killed; `None`: never.
    pub timeout_end: Option<Duration>,
    /// After this long a oneshot's `up` is killed; `None`: never.
    pub timeout_up: Option<Duration>,
    /// While it is ready it must say so often that it is alive (`watchdog`); `None`: never.
    pub watchdog: Option<Duration>,
    /// Exit codes after which it is not started again (`permanent-exits`).
    pub permanent: Box<[u8]>,
}

/// What happens to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// It is wanted, and everything it depends on is ready.
    Up,
    /// It is wanted; something it depends on is not ready.
    Hold,
    /// It is not wanted.
    Down,
    /// Everything ends, but others still need it: it goes on as it is, and is not started any more.
    Last,
    /// It is to be stopped and started afresh; forget earlier crashes and failures.
    Restart,
    /// The process asked for by [`Effect::Run`] executes.
    Spawned,
    /// It could not be executed, and will not be until something changes.
    Unspawnable,
    /// It could not be executed just now (no memory, no process, no descriptor).
    Unlucky,
    /// The service says that it is ready.
    Announced,
    /// The service says that it is alive.
    Alive,
    /// Its process ended.
    Exited(Ended),
    /// The deadline of [`Lifecycle::deadline`] has passed.
    Timeout,
    /// Time is up: kill what runs.
    Kill,
}

/// Which of a service's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// `run`; a oneshot's `up`.
    Main,
    /// `finish` after the process ended so; a oneshot's `down`.
    End(Option<Ended>),
}

/// What must be done outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Execute this program, and say [`Input::Spawned`], [`Input::Unspawnable`] or [`Input::Unlucky`].
    Run(Script),
    /// Tell the process to end: its down-signal, then SIGCONT.
    Terminate,
    /// Kill the process and its group.
    Kill,
    /// Tell whoever listens.
    Tell(What),
}

/// Where the effects go.
pub type Effects = Vec<Effect>;

/// One service's life.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    state: ServiceState,
    since: Instant,
    deadline: Option<Instant>,
    /// It should run (again) after what is under way.
    wanted: bool,
    /// It ended by itself, so the next start waits.
    crashed: bool,
    /// It must not start again after what is under way.
    doomed: bool,
    /// It was killed because it did not say that it is alive.
    hung: bool,
    crashes: u32,
    restarts: u32,
    born: Instant,
}

impl Lifecycle {
    /// A service that is down.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self {
            state: ServiceState::Down,
            since: now,
            deadline: None,
            wanted: false,
            crashed: false,
            doomed: false,
            hung: false,
            crashes: 0,
            restarts: 0,
            born: now,
        }
    }

    /// All of it, to be kept.
    #[must_use]
    pub const fn kept(&self) -> Life {
        let Self { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born } = *self;
        Life { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born }
    }

    /// A life that goes on where it was.
    #[must_use]
    pub const fn resumed(life: Life) -> Self {
        let Life { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born } = life;
        Self { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born }
    }

    /// What it is doing.
    #[must_use]
    pub const fn state(&self) -> ServiceState {
        self.state
    }

    /// When that began.
    #[must_use]
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// When its process was started last.
    #[must_use]
    pub const fn born(&self) -> Instant {
        self.born
    }

    /// When [`Input::Timeout`] is due.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How often it was started again after ending by itself.
    #[must_use]
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// True while something of it runs, or a oneshot is done: what depends on it must end first.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        use ServiceState as S;
        match self.state {
            S::Starting | S::Ready | S::Done | S::Stopping | S::Killing | S::Finishing | S::Undoing => true,
            S::Down | S::Waiting | S::Backoff | S::Broken => false,
        }
    }

    /// True when what depends on it may start.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.state, ServiceState::Ready | ServiceState::Done)
    }

    /// Advances by one input; what must be done is pushed to `out` (at most four effects). Pairs that change nothing stand at the end of each
    /// state's rows.
    #[allow(clippy::too_many_lines, reason = "a table")]
    pub fn step(&mut self, now: Instant, policy: &Policy, input: Input, out: &mut Effects) {
        use Input as I;
        use ServiceState as S;
        match input {
            I::Up | I::Hold => self.wanted = true,
            I::Down | I::Last => self.wanted = false,
            I::Restart => self.forget(),
            I::Spawned
            | I::Unspawnable
            | I::Unlucky
            | I::Announced
            | I::Alive
            | I::Exited(_)
            | I::Timeout
            | I::Kill => {}
        }
        match (self.state, input) {
            // Nothing runs, nothing is wanted.
            (S::Down, I::Up) => self.start(now, out),
            (S::Down, I::Hold) => self.wait(now, out),
            (S::Down, I::Down | I::Last | I::Restart | I::Announced | I::Timeout | I::Kill | I::Alive) => {}

            // Wanted, but not its turn yet.
            (S::Waiting, I::Up) => self.start(now, out),
            (S::Waiting, I::Down | I::Last) => self.rest(now, out),
            (S::Waiting, I::Hold | I::Restart | I::Announced | I::Timeout | I::Kill | I::Alive) => {}

            // `run` or `up` was asked for, or runs and is not ready.
            (S::Starting, I::Spawned) => self.spawned(now, policy, out),
            (S::Starting, I::Unspawnable) => self.enter(S::Broken, now, What::Broken, out),
            (S::Starting, I::Unlucky) => {
                // Never at once: that could go round for ever within one turn.
                self.crashes = self.crashes.max(1);
                self.retry(now, out);
            }
            (S::Starting, I::Announced) if policy.announces => {
                self.enter(S::Ready, now, What::Ready, out);
                self.deadline = policy.watchdog.map(|limit| now + limit);
            }
            (S::Starting, I::Announced) => {}
            (S::Starting, I::Exited(how)) => self.ended_by_itself(now, policy, how, out),
            (S::Starting, I::Down | I::Restart) => self.terminate(now, policy, out),
            (S::Starting, I::Timeout) => {
                self.doomed = true;
                self.kill(now, out);
            }
            (S::Starting, I::Kill) => self.kill(now, out),
            (S::Starting, I::Up | I::Hold | I::Last | I::Alive) => {}

            // The process runs and is ready.
            (S::Ready, I::Exited(how)) => self.ended_by_itself(now, policy, how, out),
            (S::Ready, I::Down | I::Restart) => self.terminate(now, policy, out),
            (S::Ready, I::Kill) => self.kill(now, out),
            (S::Ready, I::Alive) => self.deadline = policy.watchdog.map(|limit| now + limit),
            (S::Ready, I::Timeout) => {
                self.hung = true;
                self.kill(now, out);
            }
            (S::Ready, I::Up | I::Hold | I::Last | I::Announced) => {}

            // A oneshot has succeeded; no process.
            (S::Done, I::Down | I::Restart) if policy.has_end_script => self.undo(now, policy, out),
            (S::Done, I::Down | I::Restart) => self.after_the_end(now, out),
            (S::Done, I::Up | I::Hold | I::Last | I::Announced | I::Timeout | I::Kill | I::Alive) => {}

            // It crashed and waits for its next start.
            (S::Backoff, I::Timeout) => {
                self.restarts = self.restarts.saturating_add(1);
                self.start(now, out);
            }
            (S::Backoff, I::Hold | I::Restart) => self.wait(now, out),
            (S::Backoff, I::Down | I::Last) => self.rest(now, out),
            (S::Backoff, I::Up | I::Announced | I::Kill | I::Alive) => {}

            // It was told to end.
            (S::Stopping, I::Exited(how)) => self.ended_as_told(now, policy, how, out),
            (S::Stopping, I::Timeout | I::Kill) => self.kill(now, out),
            (S::Stopping, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Announced | I::Alive) => {}

            // It was killed; the kernel takes its time.
            (S::Killing, I::Exited(how)) => self.ended_as_told(now, policy, how, out),
            (S::Killing, I::Kill) => out.push(Effect::Kill),
            (S::Killing, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Announced | I::Timeout | I::Alive) => {}

            // `finish` was asked for or runs.
            (S::Finishing, I::Exited(Ended::Code(FINISH_PERMANENT))) => {
                self.doomed = true;
                self.after_the_end(now, out);
            }
            (S::Finishing, I::Exited(_) | I::Unspawnable | I::Unlucky) => self.after_the_end(now, out),
            (S::Finishing, I::Timeout | I::Kill) => self.kill_script(out),
            (S::Finishing, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Spawned | I::Announced | I::Alive) => {
            }

            // A oneshot's `down` was asked for or runs.
            (S::Undoing, I::Exited(_) | I::Unspawnable | I::Unlucky) => self.after_the_end(now, out),
            (S::Undoing, I::Timeout | I::Kill) => self.kill_script(out),
            (S::Undoing, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Spawned | I::Announced | I::Alive) => {}

            // It cannot run until something changes or the operator says so.
            (S::Broken, I::Restart) => self.wait(now, out),
            (S::Broken, I::Down) => self.rest(now, out),
            (S::Broken, I::Up | I::Hold | I::Last | I::Announced | I::Timeout | I::Kill | I::Alive) => {}

            // Cannot happen: no process was asked for, or it was answered for already. Without a process there is nothing to do.
            (S::Down | S::Waiting | S::Done | S::Backoff | S::Broken, I::Exited(_)) => {}
            (
                S::Down | S::Waiting | S::Ready | S::Done | S::Backoff | S::Stopping | S::Killing | S::Broken,
                I::Spawned | I::Unspawnable | I::Unlucky,
            ) => {}
        }
    }

    fn enter(&mut self, state: ServiceState, now: Instant, what: What, out: &mut Effects) {
        (self.state, self.since, self.deadline) = (state, now, None);
        out.push(Effect::Tell(what));
    }

    fn forget(&mut self) {
        (self.crashes, self.crashed, self.doomed, self.hung) = (0, false, false, false);
    }

    fn start(&mut self, now: Instant, out: &mut Effects) {
        (self.state, self.since, self.born, self.deadline) = (ServiceState::Starting, now, now, None);
        out.push(Effect::Run(Script::Main));
    }

    fn wait(&mut self, now: Instant, out: &mut Effects) {
        self.enter(ServiceState::Waiting, now, What::Waiting, out);
    }

    fn rest(&mut self, now: Instant, out: &mut Effects) {
        self.forget();
        self.enter(ServiceState::Down, now, What::Stopped, out);
    }

    fn spawned(&mut self, now: Instant, policy: &Policy, out: &mut Effects) {
        out.push(Effect::Tell(What::Started));
        if policy.oneshot {
            self.deadline = policy.timeout_up.map(|limit| now + limit);
        } else if !policy.announces {
            self.enter(ServiceState::Ready, now, What::Ready, out);
        }
    }

    fn ended_by_itself(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        out.push(Effect::Tell(What::Exited));
        if policy.oneshot {
            return match how {
                Ended::Code(0) => self.enter(ServiceState::Done, now, What::Ready, out),
                Ended::Code(_) | Ended::Signal(_) => self.enter(ServiceState::Broken, now, What::Broken, out),
            };
        }
        self.crashed = true;
        self.doomed = matches!(how, Ended::Code(code) if policy.permanent.contains(&code));
        if now.since(self.born) >= STABLE {
            self.crashes = 0;
        }
        self.finish(now, policy, how, out);
    }

    fn ended_as_told(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        out.push(Effect::Tell(What::Exited));
        self.crashed = std::mem::take(&mut self.hung);
        if policy.oneshot { self.after_the_end(now, out) } else { self.finish(now, policy, how, out) }
    }

    fn finish(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        if !policy.has_end_script {
            return self.after_the_end(now, out);
        }
        (self.state, self.since) = (ServiceState::Finishing, now);
        self.deadline = policy.timeout_end.map(|limit| now + limit);
        out.push(Effect::Run(Script::End(Some(how))));
    }

    fn undo(&mut self, now: Instant, policy: &Policy, out: &mut Effects) {
        self.enter(ServiceState::Undoing, now, What::Stopping, out);
        self.deadline = policy.timeout_end.map(|limit| now + limit);
        out.push(Effect::Run(Script::End(None)));
    }

    /// Nothing runs any more: what next?
    fn after_the_end(&mut self, now: Instant, out: &mut Effects) {
        if !self.wanted {
            self.rest(now, out);
        } else if self.doomed {
            self.doomed = false;
            self.enter(ServiceState::Broken, now, What::Broken, out);
        } else if self.crashed {
            self.retry(now, out);
        } else {
            self.wait(now, out);
        }
    }

    /// Starts again: at once the first time, then after a delay that doubles.
    fn retry(&mut self, now: Instant, out: &mut Effects) {
        let delay = backoff(self.crashes);
        self.crashes = self.crashes.saturating_add(1);
        self.crashed = false;
        if delay.is_zero() {
            self.restarts = self.restarts.saturating_add(1);
            return self.start(now, out);
        }
        self.enter(ServiceState::Backoff, now, What::Backoff, out);
        self.deadline = Some(now + delay);
    }

    fn terminate(&mut self, now: Instant, policy: &Policy, out: &mut Effects) {
        self.enter(ServiceState::Stopping, now, What::Stopping, out);
        self.deadline = policy.timeout_kill.map(|limit| now + limit);
        out.push(Effect::Terminate);
    }

    fn kill(&mut self, now: Instant, out: &mut Effects) {
        if self.state != ServiceState::Stopping {
            out.push(Effect::Tell(What::Stopping));
        }
        (self.state, self.since, self.deadline) = (ServiceState::Killing, now, None);
        out.push(Effect::Kill);
    }

    fn kill_script(&mut self, out: &mut Effects) {
        self.deadline = None;
        out.push(Effect::Kill);
    }
}

/// The delay before the start that follows `crashes` earlier ones.
fn backoff(crashes: u32) -> Duration {
    match crashes {
        0 => Duration::ZERO,
        // 2^9 * 100 ms is beyond the maximum already.
        _ => BACKOFF_MIN.saturating_mul(1 << (crashes - 1).min(9)).min(BACKOFF_MAX),
    }
}
