//! What can happen to the machine and what it asks for.

use super::device::{Content, Device};
use super::nodes::Ownership;
use daemon::Level;
use interfaces::hardware::{Class, Thing};
use serde::{Deserialize, Serialize};

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The kernel announced a device, or something new about one.
    Uevent {
        /// What happened; never `remove`.
        action: Action,
        /// The kernel's number of the event, where gaps mean something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seqnum: Option<u64>,
        /// The device as it is now.
        device: Device,
    },
    /// A device is gone.
    Removed {
        /// The kernel's number of the event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seqnum: Option<u64>,
        /// Path below /sys.
        devpath: String,
    },
    /// A reading of all of sysfs begins.
    Scan,
    /// One device of that reading.
    Scanned(Device),
    /// That reading is complete: what it did not show is gone.
    ScanEnd,
    /// All that was there at the start has been looked at: from now on everything new is announced.
    Settled,
    /// A probe asked for by [`Effect::Probe`] ended.
    Probed {
        /// Its number.
        job: u64,
        /// The block device.
        devpath: String,
        /// What is on it; `None` for nothing known, no medium, or no answer in time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<Content>,
    },
    /// The deadline asked for by [`Effect::Arm`] has passed.
    Deadline,
    /// Somebody asked for the list.
    List {
        /// Only this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<Class>,
        /// Where the answer goes.
        reply: String,
    },
}

/// The kernel's actions, as far as they differ here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It exists now: its node is new.
    Add,
    /// It is something else now: medium, size, driver.
    Change,
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Give a node its owner and mode.
    Node {
        /// Name below /dev.
        name: String,
        /// What it gets.
        #[serde(flatten)]
        ownership: Ownership,
        /// Only when it is still as the kernel made it: somebody may have changed it since.
        fresh: bool,
    },
    /// Load the modules for an alias.
    Modules {
        /// The alias.
        alias: String,
    },
    /// Look at what is on a block device and answer with [`Input::Probed`].
    Probe {
        /// Number of the job.
        job: u64,
        /// Path below /sys.
        devpath: String,
        /// Absolute node.
        node: String,
        /// Major and minor number the node must have.
        number: (u32, u32),
        /// Its size.
        size_bytes: u64,
    },
    /// Publish that a thing can be used.
    Add(Thing<'static>),
    /// Publish that a thing is gone.
    Remove(Thing<'static>),
    /// Answer with the list, as [`super::Machine::things`] gives it.
    List {
        /// Only this class.
        class: Option<Class>,
        /// Where to.
        reply: String,
    },
    /// Compare the table with sysfs: [`Input::Scan`] to [`Input::ScanEnd`].
    Compare,
    /// Call with [`Input::Deadline`] then (nanoseconds of the monotonic clock); `None`: never.
    Arm(Option<u64>),
    /// Write a log line.
    Note(Note),
}

/// What the log is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The table is full; so many devices are not followed since the last note.
    TableFull {
        /// How many.
        lost: u64,
    },
}

impl Note {
    /// How much it matters.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::TableFull { .. } => Level::Warn,
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TableFull { lost } => write!(f, "devices not followed: table full (lost={lost})"),
        }
    }
}
