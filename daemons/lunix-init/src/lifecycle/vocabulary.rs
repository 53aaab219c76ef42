//! What a life is told, what it asks for, and the rules it goes by.

use init_control::{Ended, What};
use std::time::Duration;

/// A process that lived this long counts as sound: the next restart is immediate again.
pub const STABLE: Duration = Duration::from_secs(10);
/// The first delay between a crash and the next start; it doubles with each crash.
pub const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// The longest such delay.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// How long killed leftovers may take to be gone before they are abandoned (a process in the kernel cannot be killed).
pub const CLEAR_LIMIT: Duration = Duration::from_secs(2);
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
    /// What its process has started goes on when that has ended (`flag-keep-children`).
    pub keeps_children: bool,
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
    /// Its process ended; what that has started still runs, and is not to: see [`super::Lifecycle::clears`].
    Remains(Ended),
    /// Nothing of it runs any more.
    Emptied,
    /// The deadline of [`super::Lifecycle::deadline`] has passed.
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
    /// Kill what is left of it, and say [`Input::Emptied`] when nothing is.
    Clear,
    /// Tell whoever listens.
    Tell(What),
}

/// How it came that something was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The process ended by itself.
    ByItself,
    /// It was told to.
    AsTold,
    /// By `finish` or `down`.
    Script,
}

/// Where the effects go.
pub type Effects = Vec<Effect>;
