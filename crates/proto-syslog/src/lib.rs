//! Syslog messages and kernel log records: bytes to borrowed values; and the framing of syslog over streams.
//!
//! Nothing is allocated or copied, nothing is judged: a message is read as far as its format goes, and what is no format at all is text.
//! Sources: RFC 5424, RFC 3164, RFC 6587, RFC 5426, `man 3 syslog`, `Documentation/ABI/testing/dev-kmsg`.
//!
//! ```abnf
//! rfc5424   = "<" pri ">" "1" SP time SP host SP app SP procid SP msgid SP ( "-" / 1*element ) [ SP text ]
//! element   = "[" id *( SP name "=" %x22 *( char / "\" ( %x22 / "\" / "]" ) ) %x22 ) "]"
//! rfc3164   = [ "<" pri ">" ] [ time SP ] [ host SP ] [ tag [ "[" pid "]" ] ":" ] text   ; what is there is taken, what is not is not missed
//! time      = "-" / date "T" clock [ "." 1*6DIGIT ] ( "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT ) / month SP day SP clock
//! kmsg      = pri "," sequence "," microseconds "," flags *( "," other ) ";" text LF *( SP key "=" value LF )
//! stream    = *( length SP length*OCTET / *octet LF )                                    ; octet counting or line ends, per message
//! ```
//!
//! ```
//! use proto_syslog::{Message, Origin};
//! let message = Message::parse(b"<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed", Origin::Network);
//! assert_eq!((message.facility(), message.severity()), (4, 2));
//! assert_eq!((message.host, message.program, message.pid), (Some(&b"mymachine"[..]), Some(&b"su"[..]), Some(77)));
//! assert_eq!(message.text, b"'su root' failed");
//!
//! // The same from a program on this machine: syslog(3) does not write the host.
//! let message = Message::parse(b"<34>Oct 11 22:14:15 su[77]: failed\r\n", Origin::Local);
//! assert_eq!((message.host, message.program, message.text), (None, Some(&b"su"[..]), &b"failed"[..]));
//! ```
#![forbid(unsafe_code)]
#![no_std]

pub mod frame;
mod kernel;
mod message;
mod rfc3164;
mod rfc5424;
mod scan;
mod structured;
mod time;

pub use kernel::{Fault, Properties, Record};
pub use message::{Format, Message, Origin, Reason};
pub use structured::{Element, Elements, Parameter, Parameters, Value};
pub use time::{Moment, Time};

/// The names of the severities, from 0.
pub const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// The names of the facilities, from 0, as syslog.conf has them.
pub const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
