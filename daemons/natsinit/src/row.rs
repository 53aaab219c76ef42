//! What is kept of services, and what differs in a generation of their directory.

use init_control::{ServiceState, What};
use interfaces::init::{Generation, Service, ServiceStatus};
use serde::{Deserialize, Serialize};

/// A service and the last thing that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Last token of its subject: `ready`, `exited`, …
    pub what: String,
    /// The service.
    pub name: String,
    /// Its process, or the one that ended.
    pub pid: Option<u32>,
    /// Exit code of the process that ended.
    pub exit_code: Option<u8>,
    /// Signal that ended the process.
    pub signal: Option<u8>,
    /// Why, in a sentence.
    pub reason: Option<String>,
}

impl Row {
    /// The row of a service in full: under the event that leads to its state.
    #[must_use]
    pub fn of(status: &ServiceStatus<'_>) -> Self {
        let what = ServiceState::from_word(&status.state).map_or(What::Added, last_event);
        let reason = status.reason.as_deref().map(str::to_owned);
        let (exit_code, signal) = (status.exit_code, status.signal);
        Self { what: what.word().to_owned(), name: status.name.to_string(), pid: status.pid, exit_code, signal, reason }
    }

    /// True for what happens to a service without changing what it is.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self.what.as_str(), "changed" | "reloaded" | "oom" | "pressure")
    }

    /// The payload of its event.
    #[must_use]
    pub fn service(&self) -> Service<'_> {
        let (name, reason) = (self.name.as_str().into(), self.reason.as_deref().map(Into::into));
        Service { name, pid: self.pid, exit_code: self.exit_code, signal: self.signal, reason }
    }
}

/// What differs in a generation of the service directory; the fields are those of [`Generation`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Its number.
    pub generation: u64,
    /// What is new.
    pub added: Vec<String>,
    /// What holds something else.
    pub changed: Vec<String>,
    /// What is gone.
    pub removed: Vec<String>,
    /// How many are what they were.
    pub kept: u64,
    /// How many are not named.
    pub omitted: Option<u64>,
    /// How long it took.
    pub took_ms: Option<u64>,
    /// Why, in a sentence.
    pub reason: Option<String>,
}

impl Diff {
    /// The payload of its event.
    #[must_use]
    pub fn event(&self) -> Generation<'_> {
        let names = |names: &'_ [String]| names.iter().map(|name| name.clone().into()).collect();
        Generation {
            generation: self.generation,
            added: names(&self.added),
            changed: names(&self.changed),
            removed: names(&self.removed),
            kept: self.kept,
            omitted: self.omitted,
            took_ms: self.took_ms,
            reason: self.reason.as_deref().map(Into::into),
        }
    }
}

/// The event that leads to a state.
const fn last_event(state: ServiceState) -> What {
    match state {
        ServiceState::Down => What::Stopped,
        ServiceState::Waiting => What::Waiting,
        ServiceState::Starting => What::Started,
        ServiceState::Ready | ServiceState::Done => What::Ready,
        ServiceState::Backoff => What::Backoff,
        ServiceState::Stopping | ServiceState::Killing | ServiceState::Finishing | ServiceState::Undoing => {
            What::Stopping
        }
        ServiceState::Broken => What::Broken,
    }
}
