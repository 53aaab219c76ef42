//! Services: what lunix-init does, and what it is asked to do. Daemon: natsinit, the companion of lunix-init, which itself takes nothing from the bus.
//!
//! | subject | kind | payload |
//! |---|---|---|
//! | `init.list` | request | [`crate::List`] of [`Service`] |
//! | `init.status.<name>` | request | [`ServiceStatus`] |
//! | `init.usage.<name>`, `init.usage` | request | [`Usage`]; [`UsageList`] |
//! | `init.log.<name>`, `init.log` | request | [`OutputTail`]; the argument `lines` says how many at most |
//! | `init.control.<verb>.<name>` | request | [`ServiceStatus`], when lunix-init has taken note; `<verb>` is one of [`VERBS`]; `signal` takes the argument `signal` |
//! | `init.control.<verb>` | request | [`Taken`]; `<verb>` is one of [`WHOLE_VERBS`] |
//! | `init.service.<name>.<what>` | event | [`Service`] |
//! | `init.generation.<what>` | event | [`Generation`] |
//! | `init.machine.<what>` | event | [`Machine`] |
//!
//! `<what>` of a service is one of `added`, `removed`, `changed`, `waiting`, `started`, `ready`, `stopping`, `exited`, `backoff`,
//! `stopped`, `broken`, `reloaded`, `oom`, `pressure`; of a generation one of `begun`, `done`, `rejected`; of the machine one of `poweroff`,
//! `reboot`, `halt`, `kexec`, `shutdown`. In the list, `<what>` is the last thing that happened to the service, `changed`, `reloaded`, `oom` and
//! `pressure` aside. In subjects the name is one token, percent-encoded as in [`crate::process`].
//!
//! A refused request has code 400 (not understood), 403 (who asks may not, or lunix-init takes this verb from no companion), 404 (there is no such
//! service), 409 (it is in no state for that), 503 (lunix-init does not answer).

mod status;
mod usage;

pub use status::{OutputLine, OutputTail, ServiceStatus, Taken};
pub use usage::{Usage, UsageList};

/// What can be asked of a service: last but one token of `init.control.<verb>.<name>`.
pub const VERBS: [&str; 6] = ["start", "stop", "restart", "reload", "once", "signal"];

/// What can be asked of the whole: last token of `init.control.<verb>`.
pub const WHOLE_VERBS: [&str; 4] = ["rescan", "poweroff", "reboot", "halt"];

use crate::Text;
use serde::{Deserialize, Serialize};

/// A service, at the moment of the event or of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Service<'a> {
    /// Its name: that of its directory.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Its process, or the one that ended; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Exit code of the process that ended; otherwise absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Signal that ended the process; otherwise absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
    /// Why, in a sentence; absent when there is nothing to say.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<'a>>,
}

/// The whole machine is about to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Machine<'a> {
    /// Who asked for it, in a sentence; absent when unknown.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<'a>>,
}

/// What differs in the service directory: while it is taken over, when all of it is at rest, or when it is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Generation<'a> {
    /// Counts the generations taken over since lunix-init started, from 1; a rejected one has the number it would have had.
    pub generation: u64,
    /// Services that were not there before. With many of them only the first are named.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Text<'a>>,
    /// Services whose directories hold something else than before.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Text<'a>>,
    /// Services that are not there any more.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Text<'a>>,
    /// How many services are what they were: nothing happens to them.
    pub kept: u64,
    /// How many services differ and are not named; absent when all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<u64>,
    /// Milliseconds from the reading of the directory until everything that differs was at rest; only in `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Why it was rejected, or what of it does not run, in a sentence; absent when there is nothing to say.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<'a>>,
}
