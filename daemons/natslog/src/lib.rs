//! natslog puts the log on the bus: what programs, services, the kernel and other machines have to say.
//!
//! | input | effect |
//! |---|---|
//! | a datagram or stream at `/dev/log` | `log.user-<uid>.<severity>`, user and process as the kernel says |
//! | a line of a service's output, through the pipe that lunix-init holds | `log.<service>.<severity>` |
//! | a record of `/dev/kmsg` | `log.kernel.<severity>` |
//! | syslog over UDP or TCP, where configured | `log.remote-<address>.<severity>` |
//! | `log.in` on the bus | `log.bus.<severity>` |
//! | any of them with facility auth or authpriv | `log.auth.<severity>` instead |
//! | a source that sends too much | the lines are dropped; `log.natslog.warning` says how many |
//! | a line that is there only because a line was passed on | counted, and not passed on |
//! | files are configured | each line is in one of them, a few seconds later; they never take more than their budget |
//! | targets are configured | each line that is meant for one is sent there as RFC 5424, after an outage those that waited first |
//! | request `log.tail` | the newest lines, or those since a number |
//!
//! Every line has a number, which is that of its event, and is kept in a ring of fixed size until newer ones take its place. The bus gets
//! lines from the ring as fast as it takes them. Nothing is dropped for its form: what is in no format is text, with the reason.
//!
//! It never writes to the log itself, resolves no names and believes no claims: host, program and time of a message stay in the payload.
//!
//! Sources: RFC 5424, RFC 3164, RFC 6587, `man 3 syslog`, `Documentation/ABI/testing/dev-kmsg`, lunix-service(5).
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
pub mod files;
pub mod lines;
pub mod machine;
pub mod queue;
pub mod shown;
pub mod stream;
pub mod syslog;

pub use adapter::Natslog;
