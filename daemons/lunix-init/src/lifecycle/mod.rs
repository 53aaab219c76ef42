//! The life of one service, as a pure machine: what it is doing, what happens, what follows.
//!
//! The table is [`Lifecycle::step`]: every state with every input, none left out. A state stands for what exists outside: in
//! `Starting`, `Ready`, `Stopping` and `Killing` the service's process (a oneshot's: `up`), in `Finishing` its `finish`, in `Undoing` a oneshot's
//! `down`; in the other states nothing runs.

mod moves;
mod vocabulary;

pub use vocabulary::{
    BACKOFF_MAX, BACKOFF_MIN, CLEAR_LIMIT, Effect, Effects, FINISH_PERMANENT, Input, Policy, STABLE, Script,
};

use crate::survival::record::Life;
use init_control::{Ended, ServiceState, What};
use reactor::Instant;
use vocabulary::Cause;

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
    /// Its process ended so; it goes on when what is left of it is gone.
    left: Option<(Ended, Cause)>,
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
            left: None,
            crashes: 0,
            restarts: 0,
            born: now,
        }
    }

    /// All of it, to be kept.
    #[must_use]
    pub const fn kept(&self) -> Life {
        let Self { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born, .. } = *self;
        Life { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born }
    }

    /// A life that goes on where it was.
    #[must_use]
    pub const fn resumed(life: Life) -> Self {
        let Life { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born } = life;
        Self { state, since, deadline, wanted, crashed, doomed, hung, crashes, restarts, born, left: None }
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

    /// True when what its process has started must be gone before it goes on, after the process has ended so. A oneshot that succeeded may leave
    /// something running until it is stopped.
    #[must_use]
    pub fn clears(&self, policy: &Policy, how: Ended) -> bool {
        let done = policy.oneshot && self.state == ServiceState::Starting && how == Ended::Code(0);
        self.is_active() && !policy.keeps_children && !done
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
            | I::Remains(_)
            | I::Emptied
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
            (S::Starting, I::Exited(how)) => self.exited_by_itself(now, policy, how, out),
            (S::Starting, I::Remains(how)) => self.clear(now, how, Cause::ByItself, out),
            (S::Starting, I::Down | I::Restart) => self.terminate(now, policy, out),
            (S::Starting, I::Timeout) => {
                self.doomed = true;
                self.kill(now, out);
            }
            (S::Starting, I::Kill) => self.kill(now, out),
            (S::Starting, I::Up | I::Hold | I::Last | I::Alive) => {}

            // The process runs and is ready.
            (S::Ready, I::Exited(how)) => self.exited_by_itself(now, policy, how, out),
            (S::Ready, I::Remains(how)) => self.clear(now, how, Cause::ByItself, out),
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
            (S::Stopping, I::Exited(how)) => self.exited_as_told(now, policy, how, out),
            (S::Stopping, I::Remains(how)) => self.clear(now, how, Cause::AsTold, out),
            (S::Stopping, I::Timeout | I::Kill) => self.kill(now, out),
            (S::Stopping, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Announced | I::Alive) => {}

            // It was killed, or what it left behind was; the kernel takes its time.
            (S::Killing, I::Exited(how)) => self.exited_as_told(now, policy, how, out),
            (S::Killing, I::Remains(how)) => self.clear(now, how, Cause::AsTold, out),
            (S::Killing, I::Emptied | I::Timeout) => self.cleared(now, policy, out),
            (S::Killing, I::Kill) => out.push(if self.left.is_some() { Effect::Clear } else { Effect::Kill }),
            (S::Killing, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Announced | I::Alive) => {}

            // `finish` was asked for or runs.
            (S::Finishing, I::Exited(Ended::Code(FINISH_PERMANENT))) => {
                self.doomed = true;
                self.after_the_end(now, out);
            }
            (S::Finishing, I::Remains(how)) => {
                self.doomed |= how == Ended::Code(FINISH_PERMANENT);
                self.clear(now, how, Cause::Script, out);
            }
            (S::Finishing, I::Exited(_) | I::Unspawnable | I::Unlucky) => self.after_the_end(now, out),
            (S::Finishing, I::Timeout | I::Kill) => self.kill_script(out),
            (S::Finishing, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Spawned | I::Announced | I::Alive) => {
            }

            // A oneshot's `down` was asked for or runs.
            (S::Undoing, I::Remains(how)) => self.clear(now, how, Cause::Script, out),
            (S::Undoing, I::Exited(_) | I::Unspawnable | I::Unlucky) => self.after_the_end(now, out),
            (S::Undoing, I::Timeout | I::Kill) => self.kill_script(out),
            (S::Undoing, I::Up | I::Hold | I::Down | I::Last | I::Restart | I::Spawned | I::Announced | I::Alive) => {}

            // It cannot run until something changes or the operator says so.
            (S::Broken, I::Restart) => self.wait(now, out),
            (S::Broken, I::Down) => self.rest(now, out),
            (S::Broken, I::Up | I::Hold | I::Last | I::Announced | I::Timeout | I::Kill | I::Alive) => {}

            // Cannot happen: no process was asked for, or it was answered for already. Without a process there is nothing to do.
            (S::Down | S::Waiting | S::Done | S::Backoff | S::Broken, I::Exited(_) | I::Remains(_)) => {}
            // What was left behind was abandoned before.
            (
                S::Down
                | S::Waiting
                | S::Starting
                | S::Ready
                | S::Done
                | S::Backoff
                | S::Stopping
                | S::Finishing
                | S::Undoing
                | S::Broken,
                I::Emptied,
            ) => {}
            (
                S::Down | S::Waiting | S::Ready | S::Done | S::Backoff | S::Stopping | S::Killing | S::Broken,
                I::Spawned | I::Unspawnable | I::Unlucky,
            ) => {}
        }
    }
}
