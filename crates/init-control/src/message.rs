//! What the records mean.

use crate::generation::{Generation, Names};
use crate::record::{Record, Text, Writer};
use crate::{Error, REQUEST_MAX};
use std::fmt;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// All services.
    List,
    /// One service.
    Status {
        /// Which.
        name: &'a str,
    },
    /// The lines kept of the services' output.
    Log,
    /// All services, then every event.
    Watch,
    /// Run it, whatever the directory says.
    Start {
        /// Which.
        name: &'a str,
    },
    /// End it and leave it down, whatever the directory says.
    Stop {
        /// Which.
        name: &'a str,
    },
    /// End it and run it again.
    Restart {
        /// Which.
        name: &'a str,
    },
    /// Run it, and leave it down when it has ended.
    Once {
        /// Which.
        name: &'a str,
    },
    /// Tell it to read its configuration again.
    Reload {
        /// Which.
        name: &'a str,
    },
    /// Send its process a signal.
    Signal {
        /// Which.
        name: &'a str,
        /// `HUP`, `SIGHUP` or a number.
        signal: &'a str,
    },
    /// Read the service directory again.
    Rescan,
    /// Stop everything and switch off.
    Poweroff,
    /// Stop everything and boot again.
    Reboot,
    /// Stop everything and stand still.
    Halt,
}

impl<'a> Request<'a> {
    /// True for requests that change nothing, which anybody may make.
    #[must_use]
    pub const fn only_looks(&self) -> bool {
        match self {
            Self::List | Self::Status { .. } | Self::Log | Self::Watch => true,
            Self::Start { .. }
            | Self::Stop { .. }
            | Self::Restart { .. }
            | Self::Reload { .. }
            | Self::Once { .. }
            | Self::Signal { .. }
            | Self::Rescan
            | Self::Poweroff
            | Self::Reboot
            | Self::Halt => false,
        }
    }

    /// The request's word.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Status { .. } => "status",
            Self::Log => "log",
            Self::Watch => "watch",
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Restart { .. } => "restart",
            Self::Reload { .. } => "reload",
            Self::Once { .. } => "once",
            Self::Signal { .. } => "signal",
            Self::Rescan => "rescan",
            Self::Poweroff => "poweroff",
            Self::Reboot => "reboot",
            Self::Halt => "halt",
        }
    }

    /// The packet to send.
    ///
    /// # Errors
    /// [`Error::Space`] when it does not fit into `buffer` ([`REQUEST_MAX`] bytes are always enough for names of 64 bytes).
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], Error> {
        let writer = Writer::new(buffer, self.verb());
        match self {
            Self::Status { name }
            | Self::Start { name }
            | Self::Stop { name }
            | Self::Restart { name }
            | Self::Once { name }
            | Self::Reload { name } => writer.field("name", name.as_bytes()),
            Self::Signal { name, signal } => writer.field("name", name.as_bytes()).field("signal", signal.as_bytes()),
            Self::List | Self::Log | Self::Watch | Self::Rescan | Self::Poweroff | Self::Reboot | Self::Halt => writer,
        }
        .finish()
    }

    /// The request a packet holds.
    ///
    /// # Errors
    /// [`Error::Space`], [`Error::Syntax`], [`Error::UnknownRequest`] or [`Error::Field`].
    pub fn decode(packet: &'a [u8]) -> Result<Self, Error> {
        if packet.len() > REQUEST_MAX {
            return Err(Error::Space);
        }
        let record = Record::parse(packet)?;
        let word = |kind, key| record.get(key).and_then(Text::word).ok_or(Error::Field(kind, key));
        Ok(match record.kind() {
            "list" => Self::List,
            "log" => Self::Log,
            "watch" => Self::Watch,
            "rescan" => Self::Rescan,
            "poweroff" => Self::Poweroff,
            "reboot" => Self::Reboot,
            "halt" => Self::Halt,
            "status" => Self::Status { name: word("status", "name")? },
            "start" => Self::Start { name: word("start", "name")? },
            "stop" => Self::Stop { name: word("stop", "name")? },
            "restart" => Self::Restart { name: word("restart", "name")? },
            "once" => Self::Once { name: word("once", "name")? },
            "reload" => Self::Reload { name: word("reload", "name")? },
            "signal" => Self::Signal { name: word("signal", "name")?, signal: word("signal", "signal")? },
            _ => return Err(Error::UnknownRequest),
        })
    }
}

/// Words of a small vocabulary: the enum, its words, both ways.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// The word of the protocol.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The meaning of a word; `None` for one this version does not know.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What a service is doing.
    ServiceState {
        /// Not running, not wanted.
        Down = "down",
        /// Wanted; something it depends on is not ready.
        Waiting = "waiting",
        /// Running, not ready yet; a oneshot: its `up` runs.
        Starting = "starting",
        /// Running and ready.
        Ready = "ready",
        /// A oneshot whose `up` succeeded.
        Done = "done",
        /// Ended by itself; starts again after a while.
        Backoff = "backoff",
        /// Told to end.
        Stopping = "stopping",
        /// Killed, not gone yet.
        Killing = "killing",
        /// Ended; its `finish` runs.
        Finishing = "finishing",
        /// A oneshot whose `down` runs.
        Undoing = "undoing",
        /// Cannot run until its directory changes or the operator starts it.
        Broken = "broken",
    }
}

words! {
    /// What an event tells.
    What {
        /// Its directory appeared.
        Added = "added",
        /// Its directory is gone and it is stopped.
        Removed = "removed",
        /// Its directory changed.
        Changed = "changed",
        /// It waits for what it depends on.
        Waiting = "waiting",
        /// Its process runs.
        Started = "started",
        /// It is ready; a oneshot: it succeeded.
        Ready = "ready",
        /// It was told to end.
        Stopping = "stopping",
        /// Its process ended.
        Exited = "exited",
        /// It starts again after the time in the reason.
        Backoff = "backoff",
        /// It is down.
        Stopped = "stopped",
        /// It cannot run; the reason says why.
        Broken = "broken",
        /// It was told to read its configuration again; the reason says what went wrong, if anything did.
        Reloaded = "reloaded",
        /// What differs in the service directory is being taken over.
        GenerationBegun = "generation-begun",
        /// Everything that differed has come to rest.
        GenerationDone = "generation-done",
        /// The directory was swapped for one that cannot run; what runs stays as it was.
        GenerationRejected = "generation-rejected",
        /// Everything stops, then the machine is switched off.
        Poweroff = "poweroff",
        /// Everything stops, then the machine boots again.
        Reboot = "reboot",
        /// Everything stops, then the machine stands still.
        Halt = "halt",
        /// Everything stops, then lunix-init ends.
        Shutdown = "shutdown",
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

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
    /// One line of output.
    Line(Text<'a>),
    /// The rows or lines are complete.
    End {
        /// Number of the last event they include.
        seq: u64,
        /// Lines that were overwritten before (`log` only).
        dropped: u64,
    },
    /// Something happened.
    Event(Event<'a>),
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
            "line" => Self::Line(record.get("text").ok_or(Error::Field("line", "text"))?),
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
    fn every_request_survives_the_wire() {
        let name = "a b";
        let signal = "HUP";
        let all = [
            Request::List,
            Request::Status { name },
            Request::Log,
            Request::Watch,
            Request::Start { name },
            Request::Stop { name },
            Request::Restart { name },
            Request::Once { name },
            Request::Reload { name },
            Request::Signal { name, signal },
            Request::Rescan,
            Request::Poweroff,
            Request::Reboot,
            Request::Halt,
        ];
        for request in all {
            let mut buffer = [0; REQUEST_MAX];
            assert_eq!(Request::decode(request.encode(&mut buffer).unwrap()).unwrap(), request);
        }
    }

    #[test]
    fn a_bad_request_says_what_is_wrong() {
        let why = |packet: &[u8]| Request::decode(packet).unwrap_err().to_string();
        assert_eq!(why(b"start"), "start: field name is missing or has no such value");
        assert!(why(b"dance").starts_with("unknown request: expected list, status"));
        assert_eq!(why(b"start name"), "not a record of the control protocol");
        assert_eq!(why(&[b'a'; 600]), "record too long");
    }

    #[test]
    fn rows_and_events_are_read_and_later_versions_passed_over() {
        let row = b"service name=sshd state=ready type=longrun wanted=up override=started pid=7 since_ms=12 restarts=1 signal=9 new=1";
        let Reply::Service(service) = Reply::decode(row).unwrap() else { panic!() };
        assert_eq!((service.name, service.state, service.pid), ("sshd", ServiceState::Ready, Some(7)));
        assert_eq!((service.chosen, service.ended), (Some(true), Some(Ended::Signal(9))));
        let Reply::Event(event) = Reply::decode(b"event seq=3 what=halt").unwrap() else { panic!() };
        assert_eq!((event.seq, event.service, event.what), (3, None, What::Halt));
        assert!(matches!(Reply::decode(b"event seq=3 what=danced").unwrap(), Reply::Unknown));
        assert!(matches!(Reply::decode(b"weather rain=1").unwrap(), Reply::Unknown));
        assert!(matches!(
            Reply::decode(b"service name=a state=odd type=longrun wanted=up"),
            Err(Error::Field(_, "state"))
        ));
    }
}
