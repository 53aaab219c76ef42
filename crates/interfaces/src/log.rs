//! The log: what programs, services, the kernel and other machines have to say. Daemon: natslog.
//!
//! | subject | kind | payload |
//! |---|---|---|
//! | `log.<source>.<severity>` | event | [`Line`] |
//! | `log.auth.<severity>` | event | [`Line`] of facility auth or authpriv, whatever its source |
//! | `log.tail` | request | [`Tail`]; argument: [`Query`], or a source as plain text |
//! | `log.in` | command | [`Entry`], or its message as plain text |
//!
//! `<source>` is what the kernel or lunix-init vouches for: the name of the service that wrote the line, `kernel`, `user-<uid>` (who sent it to
//! `/dev/log`), `remote-<address>`, `bus` (who sent it to `log.in`), `natslog` (what it has to say itself). It is one token: characters
//! outside `[A-Za-z0-9_-]` are percent-encoded, and a service whose name could be taken for another source has `service-` in front of it. The
//! name of the program is a claim and stands in the payload only. `<severity>` is one of the words of [`Severity`].
//!
//! Lines of one source keep their order. Those that came before are asked for with `log.tail`, whose lines have the numbers of the events.

use crate::{Event, Item, Text};
use serde::{Deserialize, Serialize};

/// How bad it is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The system is unusable.
    Emerg,
    /// Someone must act at once.
    Alert,
    /// Critical.
    Crit,
    /// An error.
    Err,
    /// A warning.
    Warning,
    /// Normal, but worth a look.
    Notice,
    /// For information.
    Info,
    /// For developers.
    Debug,
}

impl Severity {
    /// All of them, the worst first: their numbers in RFC 5424.
    pub const ALL: [Self; 8] =
        [Self::Emerg, Self::Alert, Self::Crit, Self::Err, Self::Warning, Self::Notice, Self::Info, Self::Debug];

    /// That of a number, 0 (worst) to 7, as the low three bits of a priority; the other bits do not count.
    #[must_use]
    pub fn of(priority: u8) -> Self {
        Self::ALL.into_iter().nth(usize::from(priority & 7)).unwrap_or(Self::Debug)
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        Self::ALL.into_iter().zip(0..).find(|(other, _)| *other == self).map_or(7, |(_, number)| number)
    }

    /// Its word, as it stands in subjects.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emerg => "emerg",
            Self::Alert => "alert",
            Self::Crit => "crit",
            Self::Err => "err",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// The one of that word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// A line of the log. Bytes that are not UTF-8 are written as `\xHH` (and a backslash as `\\`), and `raw` says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Line<'a> {
    /// Where it comes from, as in the subject; of what the kernel or lunix-init vouches for.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: one of the words of syslog.conf, `kern`, `daemon`, `auth` …
    #[serde(borrow)]
    pub facility: Text<'a>,
    /// The text; it may have several lines.
    #[serde(borrow)]
    pub message: Text<'a>,
    /// The program, as it calls itself; absent when it does not.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Text<'a>>,
    /// Process id: the kernel's word where the source is `user-<uid>`, elsewhere a claim; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Who sent it, as the kernel says; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The machine, as it calls itself; absent for lines of this one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Text<'a>>,
    /// When it arrived, in microseconds since boot (CLOCK_MONOTONIC); of the kernel's lines, when it was written.
    pub monotonic_us: u64,
    /// When it was written, as the message says: RFC 3339 in UTC with microseconds, or, from those who write neither year nor zone, as
    /// `Oct 11 22:14:15`. Absent when it does not say.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Text<'a>>,
    /// Kind of message (RFC 5424, MSGID); absent without one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Text<'a>>,
    /// What stands in the place of the process id where it is no number; absent otherwise.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Text<'a>>,
    /// Structured data (RFC 5424); of the kernel's lines one element `kernel` with what it knows besides: `SUBSYSTEM`, `DEVICE`. Absent
    /// when there is none.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub structured: Vec<Element<'a>>,
    /// Why the message is (partly) not what it should be, in a few words: it is in no format, or too long. Absent when all is well.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Text<'a>>,
}

/// An element of structured data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Element<'a> {
    /// Its name: `origin`, or `name@number` of an organisation's own.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// Its parameters, in order; a name may come several times.
    #[serde(borrow)]
    pub parameters: Vec<Parameter<'a>>,
}

/// A parameter of structured data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Parameter<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Its value.
    #[serde(borrow)]
    pub value: Text<'a>,
}

/// What `log.tail` is asked for. Every field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Query<'a> {
    /// Only lines of this source, as it stands in subjects.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Text<'a>>,
    /// Only lines at least as bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Only lines of this program.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Text<'a>>,
    /// Only lines with a greater number, and of them the oldest. Without it the newest lines are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// At most so many lines, 1 to 1000; 100 when absent. There may be fewer, since an answer has at most 256 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// The answer to `log.tail`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tail<'a> {
    /// The epoch of all numbers.
    #[serde(borrow)]
    pub epoch: Text<'a>,
    /// The number of the last line that was looked at: go on with it as `since`, or with events that have a greater one.
    pub seq: u64,
    /// The number of the oldest line that is still kept. When it is greater than `since` + 1, lines in between are gone.
    pub oldest: u64,
    /// The lines, the oldest first.
    #[serde(borrow)]
    pub items: Vec<Item<'a, Event<'a, Line<'a>>>>,
}

/// What is sent to `log.in`. Its source is `bus`, whoever sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry<'a> {
    /// The text.
    #[serde(borrow)]
    pub message: Text<'a>,
    /// How bad it is; `notice` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What it is about, one of the words of syslog.conf; `user` when absent. `kern` is the kernel's own.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<Text<'a>>,
    /// The program.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Text<'a>>,
    /// Its process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_have_words_and_numbers() {
        for (number, severity) in (0..).zip(Severity::ALL) {
            assert_eq!((severity.number(), Severity::of(number | 0xf8)), (number, severity));
            assert_eq!(Severity::from_name(severity.name()), Some(severity));
            assert_eq!(serde_json::to_string(&severity).unwrap(), format!("{:?}", severity.name()));
        }
        assert_eq!(Severity::from_name("warn"), None);
        assert!(Severity::Err < Severity::Info);
    }

    #[test]
    fn a_query_with_an_unknown_field_is_refused() {
        assert!(serde_json::from_str::<Query<'_>>(r#"{"sorce":"kernel"}"#).is_err());
        assert_eq!(serde_json::from_str::<Query<'_>>("{}").unwrap(), Query::default());
    }
}
