//! What every event and every list carries.

use crate::Text;
use serde::{Deserialize, Serialize};

/// The number of an event. Two events of one domain with the same epoch are ordered by `seq` without holes, over all subjects of
/// the domain; a hole means that a message was missed, another epoch that the numbers started anew: list again in both cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stamp<'a> {
    /// Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot.
    #[serde(borrow)]
    pub epoch: Text<'a>,
    /// The event's number within the epoch and domain, from 1.
    pub seq: u64,
    /// When it was published. RFC 3339, UTC, milliseconds.
    #[serde(borrow)]
    pub time: Text<'a>,
}

/// An event as it travels: the stamp and the body's own fields, in one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event<'a, T> {
    /// Number and time.
    #[serde(flatten, borrow)]
    pub stamp: Stamp<'a>,
    /// What happened.
    #[serde(flatten)]
    pub body: T,
}

/// One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Item<'a, T> {
    /// Subject of the announcement, `hardware.usb.add` for a stick.
    #[serde(borrow)]
    pub subject: Text<'a>,
    /// The same fields as in the announcement, but for the stamp.
    #[serde(flatten)]
    pub body: T,
}

/// The whole state of a domain: the answer to `<domain>.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct List<'a, T> {
    /// The epoch of `seq`, as in [`Stamp`].
    #[serde(borrow)]
    pub epoch: Text<'a>,
    /// The number of the last event that this state includes: drop events of the same epoch with a `seq` up to this one. 0 before
    /// the first event.
    pub seq: u64,
    /// Why this list or its events are less than they should be, in a sentence; absent when all is well.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<'a>>,
    /// Everything there is, in no particular order.
    pub items: Vec<Item<'a, T>>,
}

/// The kernel dropped events before the daemon could read them: the daemon has compared its state with the system and published the
/// differences. Subject `<domain>.overrun`; without a number, since it changes no state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overrun<'a> {
    /// When it was noticed. RFC 3339, UTC, milliseconds.
    #[serde(borrow)]
    pub time: Text<'a>,
}
