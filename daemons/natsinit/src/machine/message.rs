//! What can happen, and what must.

use crate::jobs::Answer;
use crate::question::Question;
use crate::row::{Diff, Row};
use crate::trust::{Trust, Who};
use daemon::Level;
use interfaces::init::{OutputLine, ServiceStatus, Usage};
use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// To a service.
    Service(Row),
    /// A generation of the service directory is taken over, done or rejected.
    Generation {
        /// `begun`, `done` or `rejected`.
        what: String,
        /// What differs.
        diff: Diff,
    },
    /// To the whole machine.
    Machine {
        /// `poweroff`, `reboot`, `halt`, `kexec` or `shutdown`.
        what: String,
        /// A sentence.
        reason: Option<String>,
    },
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// lunix-init tells a service in full: one row of all of them, or the answer to a question.
    Row(ServiceStatus<'static>),
    /// It tells what a service uses.
    Usage(Usage<'static>),
    /// It tells a line that a service wrote.
    Line(OutputLine<'static>),
    /// The rows, numbers or lines are complete.
    End {
        /// Number of the last event that they include.
        seq: u64,
        /// How many lines are gone.
        #[serde(default)]
        dropped: u64,
    },
    /// It has taken note of a command.
    Taken,
    /// It refuses.
    Refused {
        /// As of sysexits.
        code: u8,
        /// A sentence.
        reason: String,
    },
    /// It tells of something that happened.
    Event {
        /// Its number.
        seq: u64,
        /// What.
        happened: Happened,
    },
    /// So many events were overwritten before we read them; all rows follow.
    Overwritten(u64),
    /// The connection to lunix-init could not be made or broke.
    Lost(String),
    /// The moment asked for by [`Effect::Arm`] is there.
    Deadline,
    /// Somebody asked for the list.
    List {
        /// Where the answer goes.
        reply: String,
    },
    /// Somebody asks something else.
    Ask {
        /// What.
        question: Question,
        /// Where the answer goes.
        reply: String,
        /// Who.
        who: Who,
    },
    /// The configuration says now whom to trust.
    Trust(Trust),
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Publish what happened.
    Publish(Happened),
    /// Answer with the list, as [`rows`](super::Machine::rows) gives it.
    List {
        /// Where to.
        reply: String,
    },
    /// Answer a question.
    Answer {
        /// Where to.
        reply: String,
        /// The payload.
        answer: Answer,
    },
    /// Answer with an error.
    Refuse {
        /// Where to.
        reply: String,
        /// Its code.
        code: u16,
        /// Its sentence.
        why: String,
    },
    /// Ask lunix-init.
    Ask(Question),
    /// Ask lunix-init for all rows and every event again.
    Watch,
    /// Leave lunix-init, for this reason, and call with [`Input::Lost`].
    Leave(String),
    /// Connect to lunix-init, and ask for all rows and every event.
    Connect,
    /// Call with [`Input::Deadline`] at this moment, in nanoseconds since boot; `None`: never.
    Arm(Option<u64>),
    /// Write a log line.
    Note(Note),
}

/// What the log is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// lunix-init does not answer.
    Lost(String),
    /// lunix-init answers again.
    Back,
    /// More services than are followed.
    TableFull,
    /// Events are missing: so many.
    Missing(u64),
    /// A command was passed on.
    Passed(String),
    /// It is no answer to anything.
    Stray,
}

impl Note {
    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Lost(_) | Self::TableFull | Self::Missing(_) | Self::Stray => Level::Warn,
            Self::Back | Self::Passed(_) => Level::Info,
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(why) => write!(f, "lunix-init does not answer: {why}"),
            Self::Back => f.write_str("lunix-init answers"),
            Self::TableFull => f.write_str("more services than are followed"),
            Self::Missing(count) => {
                write!(f, "events of lunix-init are missing: asking for all services (lost={count})")
            }
            Self::Passed(what) => write!(f, "passed on to lunix-init: {what}"),
            Self::Stray => f.write_str("lunix-init answers what nobody asked"),
        }
    }
}
