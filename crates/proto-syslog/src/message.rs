//! A message of either format.

use crate::scan::Scan;
use crate::structured::Elements;
use crate::time::Time;
use crate::{rfc3164, rfc5424};

/// Priority of a message that says none: facility user, severity notice (RFC 3164, 4.3.3).
const PRIORITY_DEFAULT: u8 = 13;
/// The largest priority: facility 23, severity 7.
const PRIORITY_MAX: u64 = 191;

/// Where a message comes from, which decides whether it names a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A program on this machine: syslog(3) does not write the host.
    Local,
    /// The network.
    Network,
}

/// What a message is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 5424.
    Rfc5424,
    /// RFC 3164 or one of its variants: there was a priority or a time.
    Rfc3164,
    /// Neither: all of it is text.
    Raw(Reason),
}

/// Why a message is in no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It does not begin with a priority between angle brackets.
    NoPriority,
    /// The priority is no number from 0 to 191.
    BadPriority,
    /// It says that it is RFC 5424, and is not.
    BadHeader,
    /// Its structured data is not well-formed.
    BadStructuredData,
}

impl Reason {
    /// In a few words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoPriority => "no priority",
            Self::BadPriority => "the priority is no number from 0 to 191",
            Self::BadHeader => "the header is not that of RFC 5424",
            Self::BadStructuredData => "the structured data is not well-formed",
        }
    }
}

/// A message. What it does not say is `None` or empty; nothing that it says is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is written in.
    pub format: Format,
    /// Facility and severity in one, 0 to 191.
    pub priority: u8,
    /// When it was written.
    pub time: Option<Time>,
    /// The sender's name for itself.
    pub host: Option<&'a [u8]>,
    /// The program.
    pub program: Option<&'a [u8]>,
    /// Its process id, where it is a number.
    pub pid: Option<u32>,
    /// What stands in the place of a process id, where it is no number.
    pub process: Option<&'a [u8]>,
    /// Kind of message (RFC 5424).
    pub message_id: Option<&'a [u8]>,
    /// Structured data (RFC 5424).
    pub structured: Elements<'a>,
    /// The text, without line end.
    pub text: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads one message: a datagram, or what a stream's framing gave.
    #[must_use]
    pub fn parse(bytes: &'a [u8], origin: Origin) -> Self {
        let bytes = without_line_end(bytes);
        let mut scan = Scan::new(bytes);
        let priority = match priority(&mut scan) {
            Ok(priority) => priority,
            Err(reason) => return Self::without_priority(bytes, origin, reason),
        };
        let read = if scan.word(b"1 ").is_some() {
            rfc5424::parse(scan, priority)
        } else {
            Ok(rfc3164::parse(scan, priority, origin))
        };
        read.unwrap_or_else(|reason| Self { priority, ..Self::raw(scan.rest(), reason) })
    }

    /// One that begins with a time, as log files and some devices have it, is still RFC 3164.
    fn without_priority(bytes: &'a [u8], origin: Origin, reason: Reason) -> Self {
        let message = rfc3164::parse(Scan::new(bytes), PRIORITY_DEFAULT, origin);
        if message.time.is_some() && reason == Reason::NoPriority { message } else { Self::raw(bytes, reason) }
    }

    fn raw(text: &'a [u8], reason: Reason) -> Self {
        Self { format: Format::Raw(reason), ..Self::new(PRIORITY_DEFAULT, text) }
    }

    pub(crate) fn new(priority: u8, text: &'a [u8]) -> Self {
        Self {
            format: Format::Rfc3164,
            priority,
            time: None,
            host: None,
            program: None,
            pid: None,
            process: None,
            message_id: None,
            structured: Elements::none(),
            text,
        }
    }

    /// Facility, 0 to 23.
    #[must_use]
    pub const fn facility(&self) -> u8 {
        self.priority >> 3
    }

    /// Severity, 0 (worst) to 7.
    #[must_use]
    pub const fn severity(&self) -> u8 {
        self.priority & 7
    }

    pub(crate) fn set_process(&mut self, process: &'a [u8]) {
        self.pid = Scan::new(process).number(1, 10).and_then(|pid| u32::try_from(pid).ok());
        self.pid = self.pid.filter(|_| process.iter().all(u8::is_ascii_digit));
        self.process = (self.pid.is_none() && !process.is_empty()).then_some(process);
    }
}

/// Senders end a datagram with a line feed, a carriage return before it, a NUL, or nothing.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn priority(scan: &mut Scan<'_>) -> Result<u8, Reason> {
    scan.byte(b'<').ok_or(Reason::NoPriority)?;
    let number = scan.number(1, 3).filter(|&number| number <= PRIORITY_MAX).ok_or(Reason::BadPriority)?;
    scan.byte(b'>').ok_or(Reason::BadPriority)?;
    u8::try_from(number).map_err(|_| Reason::BadPriority)
}
