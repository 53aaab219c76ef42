//! A service in full, and what it wrote.

use crate::Text;
use serde::{Deserialize, Serialize};

/// Everything lunix-init knows of a service, at the moment of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceStatus<'a> {
    /// Its name: that of its directory.
    pub name: Text<'a>,
    /// One of `down`, `waiting`, `starting`, `ready`, `done`, `backoff`, `stopping`, `killing`, `finishing`, `undoing`, `broken`.
    pub state: Text<'a>,
    /// One of `longrun`, `oneshot`, `bundle`.
    #[serde(rename = "type", default = "longrun")]
    pub kind: Text<'a>,
    /// True when it should run (a oneshot: have run), by its directory and the operator's word.
    #[serde(default)]
    pub wanted: bool,
    /// The operator's word where it differs from the directory: `started` or `stopped`; otherwise absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#override: Option<Text<'a>>,
    /// True while it runs until it ends, not longer, by the operator's word; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    /// Its process; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Milliseconds since it came into this state.
    #[serde(default)]
    pub since_ms: u64,
    /// Milliseconds since its process started; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_ms: Option<u64>,
    /// Milliseconds since it announced that it is ready; absent when it announces nothing, or has not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_ms: Option<u64>,
    /// How many times it was started again after it had ended by itself.
    #[serde(default)]
    pub restarts: u32,
    /// Exit code of the process that ended last; absent when there was none, or a signal ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Signal that ended the process that ended last; otherwise absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
    /// The services that must be ready before it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Text<'a>>,
    /// What it says of itself (sd_notify's STATUS); absent when it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Text<'a>>,
    /// Why it is in this state, in a sentence; absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<'a>>,
}

fn longrun<'a>() -> Text<'a> {
    "longrun".into()
}

/// One line of a service's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputLine<'a> {
    /// The service that wrote it.
    pub service: Text<'a>,
    /// The line without its end, cut at 1024 bytes; what is no UTF-8 is U+FFFD.
    pub line: Text<'a>,
}

/// The newest lines that lunix-init keeps (64 KiB of all services), oldest first. Where a log service keeps the output, they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputTail<'a> {
    /// How many older lines, of all services, are gone for good.
    pub dropped: u64,
    /// The lines.
    pub lines: Vec<OutputLine<'a>>,
}

/// lunix-init has taken note of a command for the whole machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Taken<'a> {
    /// The verb.
    pub taken: Text<'a>,
}
