//! `s6-svwait`: waits for services.

use crate::getopt::{Found, Options, text};
use crate::place::name_of;
use crate::supervisor::{Snapshot, Waiter, look};
use crate::{Failure, Outcome};
use init_control::ServiceState;
use std::ffi::OsString;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: s6-svwait [ -U | -u | -d | -D | -r | -R ] [ -a | -o ] [ -t timeout ] servicedir...";

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its process runs.
    Up,
    /// It is ready.
    Ready,
    /// Its process has ended.
    Down,
    /// Its `finish` has ended, too.
    FullyDown,
    /// It was started again.
    Restarted,
    /// It was started again and is ready.
    RestartedReady,
}

impl Event {
    /// The event of a letter.
    #[must_use]
    pub fn of(letter: &str) -> Option<Self> {
        match letter {
            "u" => Some(Self::Up),
            "U" => Some(Self::Ready),
            "d" => Some(Self::Down),
            "D" => Some(Self::FullyDown),
            "r" => Some(Self::Restarted),
            "R" => Some(Self::RestartedReady),
            _ => None,
        }
    }

    fn has_come(self, before: &Snapshot, now: &Snapshot) -> bool {
        match self {
            Self::Up => now.is_up(),
            Self::Ready => now.is_ready(),
            Self::Down => !now.is_up(),
            Self::FullyDown => now.is_fully_down(),
            Self::Restarted => now.is_up() && now.pid != before.pid,
            Self::RestartedReady => now.is_ready() && now.pid != before.pid,
        }
    }

    const fn is_about_running(self) -> bool {
        match self {
            Self::Up | Self::Ready | Self::Restarted | Self::RestartedReady => true,
            Self::Down | Self::FullyDown => false,
        }
    }
}

/// Waits for one (`any`) or all of the services, given with how they were before.
///
/// # Errors
/// 99 when the time is up, 1 when a service cannot come up any more, 111 when lunix-init cannot be asked.
pub fn wait_for(
    services: &[(String, Snapshot)],
    event: Event,
    any: bool,
    deadline: Option<Instant>,
    waiter: &mut Waiter,
) -> Outcome {
    let fatal = |error: init_control::Error| Failure::new(111, format!("fatal: {error}"));
    loop {
        let mut come = 0;
        for (name, before) in services {
            // A service that is gone is down for good.
            let now = look(name).map_err(fatal)?;
            let broken = now.as_ref().is_none_or(|now| now.state == ServiceState::Broken);
            if broken && event.is_about_running() {
                return Err(Failure::new(1, format!("fatal: {name} failed permanently or its supervisor died")));
            }
            come += usize::from(now.is_none_or(|now| event.has_come(before, &now)));
        }
        if come == services.len() || (any && come > 0) {
            return Ok(0);
        }
        if !waiter.wait(deadline).map_err(fatal)? {
            return Err(Failure::new(99, "fatal: timed out"));
        }
    }
}

/// Runs `s6-svwait`.
///
/// # Errors
/// 100 for wrong usage, 111 when there is no such service, and those of [`wait_for`].
pub fn run(arguments: &[OsString]) -> Outcome {
    let usage = || Failure::new(100, USAGE);
    let mut options = Options::new(arguments, b"t");
    let (mut event, mut any, mut limit) = (Event::Up, false, None);
    for option in options.by_ref() {
        match option {
            Found::Letter(b'a', None) => any = false,
            Found::Letter(b'o', None) => any = true,
            Found::Letter(b't', Some(word)) => {
                let millis: u64 = text(&word).parse().map_err(|_| usage())?;
                limit = (millis > 0).then(|| Duration::from_millis(millis));
            }
            Found::Letter(letter, None) => event = Event::of(&char::from(letter).to_string()).ok_or_else(usage)?,
            Found::Letter(..) | Found::Incomplete(_) => return Err(usage()),
        }
    }
    if options.rest().is_empty() {
        return Err(usage());
    }
    let fatal = |word: &str, why: &str| Failure::new(111, format!("fatal: unable to read status for {word}: {why}"));
    let mut waiter = Waiter::open().map_err(|error| Failure::new(111, format!("fatal: {error}")))?;
    let mut services = Vec::new();
    for word in options.rest() {
        let (word, name) = (text(word), name_of(&text(word)));
        let found = look(&name).map_err(|error| fatal(&word, &error.to_string()))?;
        services.push((name, found.ok_or_else(|| fatal(&word, "No such file or directory"))?));
    }
    let deadline = limit.map(|limit| Instant::now() + limit);
    wait_for(&services, event, any, deadline, &mut waiter)
}
