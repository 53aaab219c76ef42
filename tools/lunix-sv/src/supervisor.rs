//! lunix-init as these commands see it.

use init_control::{Client, Ended, Error, Reply, Request, Service, ServiceState, Watch};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long lunix-init may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

static SOCKET: OnceLock<PathBuf> = OnceLock::new();

/// Asks at this socket instead of the usual one.
pub fn set_socket(path: PathBuf) {
    // There is one command line, and it is read once.
    let _ = SOCKET.set(path);
}

fn socket() -> &'static Path {
    SOCKET.get().map_or_else(|| Path::new(init_control::SOCKET), PathBuf::as_path)
}

/// A service at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What it is doing.
    pub state: ServiceState,
    /// Its process.
    pub pid: Option<i32>,
    /// Age of what it is: of its process, or of its being down.
    pub seconds: u64,
    /// The same in milliseconds.
    pub age_ms: u64,
    /// How long it has been ready; `None` when it is not, or announces nothing.
    pub ready_ms: Option<u64>,
    /// It should run.
    pub wanted: bool,
    /// It would run by its directory alone.
    pub normally_up: bool,
    /// How it ended last.
    pub ended: Option<Ended>,
}

impl Snapshot {
    fn of(service: &Service<'_>) -> Self {
        let runs = is_running(service.state);
        let age_ms = if runs { service.process_ms.unwrap_or(service.since_ms) } else { service.since_ms };
        Self {
            state: service.state,
            pid: service.pid,
            seconds: age_ms / 1000,
            age_ms,
            ready_ms: service.ready_ms,
            wanted: service.wanted && !service.once,
            normally_up: service.chosen.map_or(service.wanted, |chosen| !chosen),
            ended: service.ended,
        }
    }

    /// Its own process runs (or a oneshot is done).
    #[must_use]
    pub const fn is_up(&self) -> bool {
        is_running(self.state)
    }

    /// It is up and has said that it is ready, where it says so at all.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.state, ServiceState::Ready | ServiceState::Done)
    }

    /// Nothing of it runs, its `finish` neither.
    #[must_use]
    pub const fn is_fully_down(&self) -> bool {
        !self.is_up() && !self.is_finishing()
    }

    /// Its `finish` runs.
    #[must_use]
    pub const fn is_finishing(&self) -> bool {
        matches!(self.state, ServiceState::Finishing | ServiceState::Undoing)
    }

    /// Its process stands still, stopped by a signal.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        let stat = self.pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok());
        // `man 5 proc_pid_stat`: the state follows the name in parentheses, which may hold anything.
        stat.is_some_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')))
    }
}

const fn is_running(state: ServiceState) -> bool {
    use ServiceState as S;
    match state {
        S::Starting | S::Ready | S::Done | S::Stopping | S::Killing => true,
        S::Down | S::Waiting | S::Backoff | S::Finishing | S::Undoing | S::Broken => false,
    }
}

/// The service of this name; `None` when there is none.
///
/// # Errors
/// When lunix-init cannot be asked.
pub fn look(name: &str) -> Result<Option<Snapshot>, Error> {
    let mut found = None;
    Client::connect(socket(), PATIENCE)?.ask(&Request::Status { name }, |reply| {
        if let Reply::Service(service) = reply {
            found = Some(Snapshot::of(service));
        }
    })?;
    Ok(found)
}

/// Asks for something; the refusal's sentence when it is refused.
///
/// # Errors
/// When lunix-init cannot be asked.
pub fn command(request: &Request<'_>) -> Result<Result<(), String>, Error> {
    let mut refusal = None;
    Client::connect(socket(), PATIENCE)?.ask(request, |reply| {
        if let Reply::Refused { reason, .. } = reply {
            refusal = Some(reason.to_string());
        }
    })?;
    Ok(refusal.map_or(Ok(()), Err))
}

/// Told whenever something happens; open it before what is to be waited for is asked for.
#[derive(Debug)]
pub struct Waiter {
    watch: Watch,
}

impl Waiter {
    /// Connects.
    ///
    /// # Errors
    /// When lunix-init cannot be asked.
    pub fn open() -> Result<Self, Error> {
        Ok(Self { watch: Watch::connect(socket())? })
    }

    /// Waits until something has happened since it was called last; false when that is not before `deadline` (`None`: as long as it takes).
    ///
    /// # Errors
    /// When lunix-init is gone.
    pub fn wait(&mut self, deadline: Option<Instant>) -> Result<bool, Error> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let limit = left.and_then(|left| Timespec::try_from(left).ok());
        let mut one = [PollFd::new(&self.watch, PollFlags::IN)];
        match rustix::event::poll(&mut one, limit.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        while self.watch.reply()?.is_some() {}
        Ok(true)
    }
}
