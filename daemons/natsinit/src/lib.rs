//! natsinit puts what lunix-init does on the bus: which services run, which started, failed, stopped.
//!
//! | input | effect |
//! |---|---|
//! | something happens to a service | `init.service.<name>.<what>` |
//! | the service directory is another one | `init.generation.<begun\|done\|rejected>` with what differs |
//! | the machine is about to stop | `init.machine.<what>` |
//! | request `init.list` | every service, under the last thing that happened to it, with epoch and number |
//! | lunix-init is gone or cut us off | connect again with growing pauses; then publish the differences |
//!
//! lunix-init itself speaks no NATS and trusts nobody on the bus. natsinit only looks: it runs as a user of its own, sends no
//! command, and what it could do wrong cannot stop a service.
//!
//! Source of the events: the control socket of lunix-init (crate `init-control`).
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
pub mod machine;

pub use adapter::Natsinit;
