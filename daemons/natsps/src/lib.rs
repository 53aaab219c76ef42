//! natsps puts processes on the bus: who runs, who started, who ended.
//!
//! | input | effect |
//! |---|---|
//! | a process executes a program | `process.<name>.started`; of one that ran another program before, first `process.<name>.exited` |
//! | a process is forked and executes nothing for 100 ms | `process.<name>.started` |
//! | a process ends | `process.<name>.exited`, if it was announced |
//! | request `ps.<name>` | the oldest matching process id in digits; status 503 when there is none |
//! | request `process.list` | every announced process, with epoch and number |
//! | the kernel dropped events | `/proc` is read, the differences are published, `process.overrun` says so |
//!
//! It never polls: the kernel's process connector tells it, filtered in the kernel to what makes and ends processes (threads and
//! the kernel's own workers wake nobody). Where the kernel refuses the connector (it takes `CAP_NET_ADMIN` in the first user
//! namespace), `/proc` is read when somebody asks, differences are published then, and the list says so.
//!
//! What was there at its start is in `process.list` and is never announced.
//!
//! Sources: `Documentation/driver-api/connector.rst`, `man 5 proc`.
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
pub mod machine;
pub mod names;

pub use adapter::Natsps;
