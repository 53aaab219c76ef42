//! Processes: who runs, who started, who ended. Daemon: natsps.
//!
//! | subject | kind | payload |
//! |---|---|---|
//! | `ps.<name>` | request | answers the oldest matching process id in digits, nothing else |
//! | `process.list` | request | [`crate::List`] of [`Process`] |
//! | `process.<name>.started` | event | [`Process`] |
//! | `process.<name>.exited` | event | [`Exited`] |
//! | `process.overrun` | event without number | [`crate::Overrun`] |
//!
//! In `ps.<name>` everything after `ps.` is the name, dots included. It matches a process's `comm`, the file name of its
//! executable, of its `argv[0]` and of the script an interpreter runs, and Nix's `.name-wrapped`. When nothing matches, the answer
//! is empty with status 503, which clients report as "no responders".
//!
//! In event subjects the name is one token: characters outside `[A-Za-z0-9_-]` are percent-encoded (`Web Content` is `Web%20Content`).

use crate::Text;
use serde::{Deserialize, Serialize};

/// A running program. Published when it starts (`process.<name>.started`) and listed while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Process<'a> {
    /// Process id.
    pub pid: u32,
    /// Process id of the parent; 0 for the first process.
    pub parent_pid: u32,
    /// Real user id. Source: `/proc/<pid>/status`.
    pub uid: u32,
    /// The name people use: the script's file name where an interpreter runs one, else the executable's, else `comm`; Nix's
    /// `.name-wrapped` is `name`.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The kernel's name, at most 15 bytes, may be set by the program. Source: `/proc/<pid>/comm`.
    #[serde(borrow)]
    pub comm: Text<'a>,
    /// Path of the executable; absent for kernel threads and where it may not be read. Source: `/proc/<pid>/exe`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<Text<'a>>,
    /// Path of the script, as given on the command line, where the executable is an interpreter that runs one; else absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Text<'a>>,
    /// When it started. RFC 3339, UTC. Source: `/proc/<pid>/stat`, field 22.
    #[serde(borrow)]
    pub started: Text<'a>,
}

/// A program that runs no longer: the fields of its start, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Exited<'a> {
    /// What was published when it started.
    #[serde(flatten, borrow)]
    pub process: Process<'a>,
    /// Exit code, 0–255; absent when a signal ended it, when it was replaced, and when nobody saw the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Number of the signal that ended it; otherwise absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
    /// Name of the program the same process runs now (`execve`); otherwise absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<Text<'a>>,
    /// Processor time of all its threads, in microseconds. Source: taskstats; absent where the kernel does not count (before 5.18, or without
    /// CONFIG_TASKSTATS), when it was replaced, and when nobody saw the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_us: Option<u64>,
    /// The most memory it held at once, in bytes (its resident set). Source and absence as of `cpu_us`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
}

impl Process<'_> {
    /// The same with memory of its own.
    #[must_use]
    pub fn into_owned(self) -> Process<'static> {
        let own = |text: Text<'_>| -> Text<'static> { text.into_owned().into() };
        Process {
            pid: self.pid,
            parent_pid: self.parent_pid,
            uid: self.uid,
            name: own(self.name),
            comm: own(self.comm),
            executable: self.executable.map(own),
            script: self.script.map(own),
            started: own(self.started),
        }
    }
}
