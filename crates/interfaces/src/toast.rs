//! Toasts: short messages for the person in front of the machine. Daemon: natstoast.
//!
//! | subject | kind | payload |
//! |---|---|---|
//! | `toast.in` | command | plain text, a JSON string, or [`Toast`] |
//! | `toast.<id>.shown` | event | [`Shown`] |

use crate::Text;
use serde::{Deserialize, Serialize};

/// How much a toast wants to be seen (freedesktop notifications, "urgency").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// May be missed.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Stays until it is dismissed.
    Critical,
}

/// A toast to show. Plain text and a JSON string mean an object with that `summary`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Toast<'a> {
    /// One line, at most 1024 bytes. Control characters are shown as `\u{fffd}`.
    #[serde(borrow)]
    pub summary: Text<'a>,
    /// More lines, at most 4096 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Text<'a>>,
    /// Who speaks; at most 64 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Text<'a>>,
    /// How much it wants to be seen; normal when absent.
    #[serde(default)]
    pub urgency: Urgency,
}

/// A toast that was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shown<'a> {
    /// Number of the toast since the daemon started, from 1; also the token in the subject.
    pub id: u64,
    /// What was shown, after cutting to the limits.
    #[serde(flatten, borrow)]
    pub toast: Toast<'a>,
}
