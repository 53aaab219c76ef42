//! What lunix-init answers.

use crate::Error;
use crate::generation::{Generation, Names};
use crate::record::{Record, Text};
use crate::usage::Usage;
use crate::words::{Ended, ServiceState, What};
use std::fmt;

/// One row of `list`.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is doing.
    pub state: ServiceState,
    /// True for `type` oneshot.
    pub oneshot: bool,
    /// True for `type` bundle: a name for several services.
    pub bundle: bool,
    /// True when it should run (or, a oneshot, have run).
    pub wanted: bool,
    /// The operator's word where it differs from the directory: true for started.
    pub chosen: Option<bool>,
    /// It runs until it ends, not longer: the operator's word.
    pub once: bool,
    /// Its process.
    pub pid: Option<i32>,
    /// Age of the state in milliseconds.
    pub since_ms: u64,
    /// Age of its process in milliseconds; absent when it has none.
    pub process_ms: Option<u64>,
    /// Age of its readiness in milliseconds; absent when it announces none, or has not yet.
    pub ready_ms: Option<u64>,
    /// Times it was started again after ending by itself.
    pub restarts: u32,
    /// How its process ended last.
    pub ended: Option<Ended>,
    /// What must be ready before it starts.
    pub after: Names<'a>,
    /// What it says of itself (sd_notify's STATUS); empty when it says nothing.
    pub status: Text<'a>,
    /// Why it is in this state; empty when there is nothing to say.
    pub reason: Text<'a>,
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Counts all events of this lunix-init from 1.
    pub seq: u64,
    /// The service; `None` for the whole init.
    pub service: Option<&'a str>,
    /// What happened.
    pub what: What,
    /// The process it happened to.
    pub pid: Option<i32>,
    /// How the process ended.
    pub ended: Option<Ended>,
    /// A sentence; empty when there is nothing to say.
    pub reason: Text<'a>,
    /// What differs (events of generations only).
    pub generation: Option<Generation<'a>>,
}

/// One line of output. It shows as `service: text`, which is how a console prints it.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The service that wrote it.
    pub service: Option<&'a str>,
    /// The line without its end.
    pub text: Text<'a>,
}

impl<'a> Line<'a> {
    /// The bytes that it shows as.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + 'a {
        let service = self.service.unwrap_or_default();
        let between: &[u8] = if service.is_empty() { b"" } else { b": " };
        service.bytes().chain(between.iter().copied()).chain(self.text.bytes())
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.service {
            Some(service) => write!(f, "{service}: {}", self.text),
            None => write!(f, "{}", self.text),
        }
    }
}

/// What lunix-init answers.
#[derive(Clone, Copy, Debug)]
pub enum Reply<'a> {
    /// The command was taken note of.
    Ok,
    /// It was not.
    Refused {
        /// As of sysexits.
        code: u8,
        /// A sentence.
        reason: Text<'a>,
    },
    /// One row of `list`, `status` or `watch`.
    Service(Service<'a>),
    /// What a service uses of the machine.
    Usage(Usage<'a>),
    /// One line of output.
    Line(Line<'a>),
    /// The rows or lines are complete.
    End {
        /// Number of the last event they include.
        seq: u64,
        /// Lines that were overwritten before (`log` only).
        dropped: u64,
    },
    /// Something happened.
    Event(Event<'a>),
    /// What was to be told was overwritten before it was read: so many events or lines. Of services the rows follow anew, up to their `End`.
    Lost(u64),
    /// A record of a later version.
    Unknown,
}

impl<'a> Reply<'a> {
    /// The reply a packet holds.
    ///
    /// # Errors
    /// [`Error::Syntax`] or [`Error::Field`].
    pub fn decode(packet: &'a [u8]) -> Result<Self, Error> {
        let record = Record::parse(packet)?;
        Ok(match record.kind() {
            "ok" => Self::Ok,
            "error" => Self::Refused {
                code: record.get("code").and_then(Text::number).ok_or(Error::Field("error", "code"))?,
                reason: record.get("reason").unwrap_or_default(),
            },
            "service" => Self::Service(service(&record)?),
            "usage" => Self::Usage(Usage::read(&record)?),
            "line" => Self::Line(Line {
                service: record.get("service").and_then(Text::word),
                text: record.get("text").ok_or(Error::Field("line", "text"))?,
            }),
            "lost" => Self::Lost(record.get("count").and_then(Text::number).ok_or(Error::Field("lost", "count"))?),
            "end" => Self::End {
                seq: record.get("seq").and_then(Text::number).ok_or(Error::Field("end", "seq"))?,
                dropped: record.get("dropped").and_then(Text::number).unwrap_or(0),
            },
            "event" => {
                let word = record.get("what").and_then(Text::word).ok_or(Error::Field("event", "what"))?;
                match What::from_word(word) {
                    Some(what) => Self::Event(event(&record, what)?),
                    None => Self::Unknown,
                }
            }
            _ => Self::Unknown,
        })
    }
}

fn service<'a>(record: &Record<'a>) -> Result<Service<'a>, Error> {
    let word = |key| record.get(key).and_then(Text::word).ok_or(Error::Field("service", key));
    Ok(Service {
        name: word("name")?,
        state: ServiceState::from_word(word("state")?).ok_or(Error::Field("service", "state"))?,
        oneshot: word("type")? == "oneshot",
        bundle: word("type")? == "bundle",
        wanted: word("wanted")? == "up",
        chosen: record.get("override").and_then(Text::word).map(|word| word == "started"),
        once: record.get("once").is_some(),
        pid: record.get("pid").and_then(Text::number),
        since_ms: record.get("since_ms").and_then(Text::number).unwrap_or(0),
        process_ms: record.get("process_ms").and_then(Text::number),
        ready_ms: record.get("ready_ms").and_then(Text::number),
        restarts: record.get("restarts").and_then(Text::number).unwrap_or(0),
        ended: ended(record),
        after: Names::of(record.get("after").unwrap_or_default()),
        status: record.get("status").unwrap_or_default(),
        reason: record.get("reason").unwrap_or_default(),
    })
}

fn event<'a>(record: &Record<'a>, what: What) -> Result<Event<'a>, Error> {
    Ok(Event {
        seq: record.get("seq").and_then(Text::number).ok_or(Error::Field("event", "seq"))?,
        service: record.get("service").and_then(Text::word),
        what,
        pid: record.get("pid").and_then(Text::number),
        ended: ended(record),
        reason: record.get("reason").unwrap_or_default(),
        generation: Generation::read(record),
    })
}

fn ended(record: &Record<'_>) -> Option<Ended> {
    let code = record.get("code").and_then(Text::number).map(Ended::Code);
    code.or_else(|| record.get("signal").and_then(Text::number).map(Ended::Signal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_events_are_read_and_later_versions_passed_over() {
        let row = b"service name=sshd state=ready type=longrun wanted=up override=started pid=7 since_ms=12 restarts=1 signal=9 new=1";
        let Reply::Service(service) = Reply::decode(row).unwrap() else { panic!() };
        assert_eq!((service.name, service.state, service.pid), ("sshd", ServiceState::Ready, Some(7)));
        assert_eq!((service.chosen, service.ended), (Some(true), Some(Ended::Signal(9))));
        let Reply::Event(event) = Reply::decode(b"event seq=3 what=halt").unwrap() else { panic!() };
        assert_eq!((event.seq, event.service, event.what), (3, None, What::Halt));
        assert!(matches!(Reply::decode(b"event seq=3 what=danced").unwrap(), Reply::Unknown));
        assert!(matches!(Reply::decode(b"lost count=7").unwrap(), Reply::Lost(7)));
        assert!(matches!(Reply::decode(b"weather rain=1").unwrap(), Reply::Unknown));
        assert!(matches!(
            Reply::decode(b"service name=a state=odd type=longrun wanted=up"),
            Err(Error::Field(_, "state"))
        ));
    }

    #[test]
    fn a_line_shows_with_its_service() {
        let Reply::Line(line) = Reply::decode(b"line service=sshd text=\"a \\x07\"").unwrap() else { panic!() };
        assert_eq!((line.service, line.to_string().as_str()), (Some("sshd"), "sshd: a \u{7}"));
        assert_eq!(line.bytes().collect::<Vec<u8>>(), b"sshd: a \x07");
        let Reply::Line(line) = Reply::decode(b"line text=alone").unwrap() else { panic!() };
        assert_eq!((line.to_string().as_str(), line.bytes().count()), ("alone", 5));
    }
}
