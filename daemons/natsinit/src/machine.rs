//! The table of services.

use daemon::{Effects, Instant, Level};
use interfaces::init::{Generation, Machine as Whole, Service};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Most services that are followed.
const SERVICES_MAX: usize = 4096;

/// First pause before connecting to lunix-init again; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// Longest pause before connecting to lunix-init again.
const PAUSE_MAX: Duration = Duration::from_secs(5);

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

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// One row of the snapshot that lunix-init sends first.
    Row(Row),
    /// The snapshot is complete.
    SnapshotEnd,
    /// Something happened to a service.
    Event(Row),
    /// A generation of the service directory is taken over, done or rejected.
    Generation {
        /// `begun`, `done` or `rejected`.
        what: String,
        /// What differs.
        diff: Diff,
    },
    /// Something happens to the whole machine.
    Machine {
        /// `poweroff`, `reboot`, `halt` or `shutdown`.
        what: String,
        /// A sentence.
        reason: Option<String>,
    },
    /// The connection to lunix-init could not be made or broke.
    Lost(String),
    /// The pause is over.
    Deadline,
    /// Somebody asked for the list.
    List {
        /// Where the answer goes.
        reply: String,
    },
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Publish what happened to a service.
    Service(Row),
    /// Publish what differs in the service directory.
    Generation {
        /// Last token of the subject.
        what: String,
        /// What differs.
        diff: Diff,
    },
    /// Publish what happens to the machine.
    Machine {
        /// Last token of the subject.
        what: String,
        /// The payload.
        event: Whole<'static>,
    },
    /// Answer with the list, as [`Machine::rows`] gives it.
    List {
        /// Where to.
        reply: String,
    },
    /// Connect to lunix-init.
    Connect,
    /// Call with [`Input::Deadline`] at this moment, in nanoseconds since boot.
    Arm(u64),
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
}

impl Note {
    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Lost(_) | Self::TableFull => Level::Warn,
            Self::Back => Level::Info,
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(why) => write!(f, "lunix-init does not answer: {why}"),
            Self::Back => f.write_str("lunix-init answers"),
            Self::TableFull => write!(f, "more than {SERVICES_MAX} services: the others are not followed"),
        }
    }
}

/// How far the snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There was none yet: what it tells is how the world is, and is not announced.
    First,
    /// Rows after a lost connection: what differs is announced.
    Again,
    /// Complete; events follow.
    Live,
}

/// Follows services over snapshots and events.
#[derive(Debug)]
pub struct Machine {
    table: BTreeMap<String, Row>,
    snapshot: BTreeMap<String, Row>,
    phase: Phase,
    pause: Duration,
    lost: bool,
}

impl Default for Machine {
    fn default() -> Self {
        let (table, snapshot) = (BTreeMap::new(), BTreeMap::new());
        Self { table, snapshot, phase: Phase::First, pause: PAUSE_MIN, lost: false }
    }
}

impl Machine {
    /// Most effects of one step: one for every service before and after a lost connection, and some.
    pub const EFFECTS_MAX: usize = 2 * SERVICES_MAX + 16;

    /// The services.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.table.values()
    }

    fn event(&mut self, row: Row, out: &mut Effects<Effect>) {
        let name = row.name.clone();
        let passes = matches!(row.what.as_str(), "changed" | "reloaded") && self.table.contains_key(&name);
        if row.what == "removed" {
            self.table.remove(&name);
        } else if passes {
            // It is still what it was: the list goes on to say that.
        } else if self.table.len() < SERVICES_MAX || self.table.contains_key(&name) {
            self.table.insert(name, row.clone());
        } else {
            return out.push(Effect::Note(Note::TableFull));
        }
        out.push(Effect::Service(row));
    }

    /// Takes the snapshot as the table and announces what differs, unless it is the first.
    fn snapshot_end(&mut self, out: &mut Effects<Effect>) {
        let before = std::mem::replace(&mut self.table, std::mem::take(&mut self.snapshot));
        if self.phase == Phase::Again {
            for row in before.values().filter(|row| !self.table.contains_key(&row.name)) {
                out.push(Effect::Service(Row { what: "removed".to_owned(), ..row.clone() }));
            }
            for row in self.table.values().filter(|row| before.get(&row.name) != Some(row)) {
                out.push(Effect::Service(row.clone()));
            }
        }
        self.phase = Phase::Live;
        self.pause = PAUSE_MIN;
        if std::mem::take(&mut self.lost) {
            out.push(Effect::Note(Note::Back));
        }
    }

    fn lost(&mut self, now: Instant, why: String, out: &mut Effects<Effect>) {
        self.snapshot.clear();
        if self.phase == Phase::Live {
            self.phase = Phase::Again;
        }
        if !std::mem::replace(&mut self.lost, true) {
            out.push(Effect::Note(Note::Lost(why)));
        }
        out.push(Effect::Arm((now + self.pause).as_nanos()));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}

impl daemon::Machine for Machine {
    type Input<'a> = Input;
    type Effect = Effect;

    fn step(&mut self, now: Instant, input: Input, out: &mut Effects<Effect>) {
        match input {
            Input::Row(row) if self.snapshot.len() < SERVICES_MAX => {
                self.snapshot.insert(row.name.clone(), row);
            }
            Input::Row(_) => out.push(Effect::Note(Note::TableFull)),
            Input::SnapshotEnd => self.snapshot_end(out),
            Input::Event(row) => self.event(row, out),
            Input::Generation { what, diff } => out.push(Effect::Generation { what, diff }),
            Input::Machine { what, reason } => {
                let event = Whole { reason: reason.map(Into::into) };
                out.push(Effect::Machine { what, event });
            }
            Input::Lost(why) => self.lost(now, why, out),
            Input::Deadline => out.push(Effect::Connect),
            Input::List { reply } => out.push(Effect::List { reply }),
        }
    }
}
