//! What a client asks for.

use crate::record::{Record, Text, Writer};
use crate::{Error, REQUEST_MAX};

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
    /// What services use of the machine.
    Usage {
        /// Which; `None` for all.
        name: Option<&'a str>,
    },
    /// The lines kept of the services' output.
    Log {
        /// Whose; `None` for all.
        name: Option<&'a str>,
        /// Then every line that comes, until the connection ends.
        follow: bool,
    },
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
    /// Stop everything and start the kernel that was loaded.
    Kexec,
    /// Go on as the program that is installed now; services run on.
    Reexec,
}

impl<'a> Request<'a> {
    /// True for requests that anybody may make: they change nothing, and tell nothing that is private.
    #[must_use]
    pub const fn only_looks(&self) -> bool {
        match self {
            Self::List | Self::Status { .. } | Self::Usage { .. } | Self::Watch => true,
            // What services say is not for everybody.
            Self::Log { .. }
            | Self::Start { .. }
            | Self::Stop { .. }
            | Self::Restart { .. }
            | Self::Reload { .. }
            | Self::Once { .. }
            | Self::Signal { .. }
            | Self::Rescan
            | Self::Poweroff
            | Self::Reboot
            | Self::Halt
            | Self::Kexec
            | Self::Reexec => false,
        }
    }

    /// The request's word.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Status { .. } => "status",
            Self::Usage { .. } => "usage",
            Self::Log { .. } => "log",
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
            Self::Kexec => "kexec",
            Self::Reexec => "reexec",
        }
    }

    /// The words that the file `companion` may hold. What ends lunix-init itself, or makes another program of it, is not among them.
    pub const FOR_COMPANIONS: [&'static str; 15] = [
        "list", "status", "usage", "log", "watch", "start", "stop", "restart", "reload", "once", "signal", "rescan",
        "poweroff", "reboot", "halt",
    ];

    /// What an empty file `companion` stands for.
    pub const FOR_COMPANIONS_USUALLY: [&'static str; 9] =
        ["list", "status", "usage", "log", "watch", "start", "stop", "restart", "reload"];

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
            Self::Usage { name } => writer.optional("name", name.map(str::as_bytes)),
            Self::Log { name, follow } => {
                writer.optional("name", name.map(str::as_bytes)).optional("follow", follow.then_some(b"yes"))
            }
            Self::List
            | Self::Watch
            | Self::Rescan
            | Self::Poweroff
            | Self::Reboot
            | Self::Halt
            | Self::Kexec
            | Self::Reexec => writer,
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
        let optional = |kind, key| record.get(key).map(|text| text.word().ok_or(Error::Field(kind, key))).transpose();
        let yes = |kind, key| match record.get(key).map(Text::word) {
            None => Ok(false),
            Some(Some("yes")) => Ok(true),
            Some(_) => Err(Error::Field(kind, key)),
        };
        Ok(match record.kind() {
            "list" => Self::List,
            "usage" => Self::Usage { name: optional("usage", "name")? },
            "log" => Self::Log { name: optional("log", "name")?, follow: yes("log", "follow")? },
            "watch" => Self::Watch,
            "rescan" => Self::Rescan,
            "poweroff" => Self::Poweroff,
            "reboot" => Self::Reboot,
            "halt" => Self::Halt,
            "kexec" => Self::Kexec,
            "reexec" => Self::Reexec,
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
            Request::Usage { name: None },
            Request::Usage { name: Some(name) },
            Request::Log { name: None, follow: false },
            Request::Log { name: Some(name), follow: true },
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
            Request::Kexec,
            Request::Reexec,
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
        assert_eq!(why(b"log follow=often"), "log: field follow is missing or has no such value");
        assert_eq!(why(b"start name"), "not a record of the control protocol");
        assert_eq!(why(&[b'a'; 600]), "record too long");
    }
}
