//! natsinit is the companion of lunix-init: it puts on the bus what lunix-init does, and asks it what the bus may ask.
//!
//! | input | effect |
//! |---|---|
//! | something happens to a service | `init.service.<name>.<what>` |
//! | the service directory is another one | `init.generation.<begun\|done\|rejected>` with what differs |
//! | the machine is about to stop | `init.machine.<what>` |
//! | request `init.list` | every service, under the last thing that happened to it, with epoch and number |
//! | request `init.status.<name>`, `init.usage[.<name>]`, `init.log[.<name>]` | lunix-init is asked; its answer as JSON |
//! | request `init.control.<verb>[.<name>]` | the same, when the bus says that who asks may |
//! | lunix-init has overwritten events before they were read, or their numbers have a hole | the differences, from fresh rows |
//! | lunix-init is gone | connect again with growing pauses, then publish the differences; as a companion: end, to be started anew |
//!
//! lunix-init itself speaks no NATS and trusts nobody on the bus, natsinit least of all. It starts natsinit with one end of a socket pair and takes from it
//! only the verbs that the file `companion` in natsinit's service directory names, one at a time. Without such a socket natsinit connects to the control
//! socket as anybody may, and takes no commands from the bus.
//!
//! It runs as a user of its own without capabilities, and once it runs the kernel lets it make only the system calls of its loop.
//!
//! Sources: crate `init-control`, `man 3 sd_listen_fds`.
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
pub mod jobs;
pub mod machine;
pub mod question;
pub mod row;
pub mod trust;

pub use adapter::Natsinit;
