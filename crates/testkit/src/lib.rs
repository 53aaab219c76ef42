//! What the tests share: split feeding, golden traces, random numbers with a printed seed, processes and virtual machines.
//!
//! | module | what it gives |
//! |---|---|
//! | [`rng`] | a small random number generator; the seed is printed, so a failure can be repeated |
//! | [`split`] | every way to cut a byte string in two, and random ways to cut it in many |
//! | [`golden`] | `.trace` files: what a pure machine is told and what it does, with made-up time |
//! | [`process`] | a program under test: its lines, its ready notification, killed when dropped |
//! | [`bus`] | a NATS client of a hundred lines that shares nothing with ours, so it can judge it |
//! | [`server`] | a bus of its own for daemons under test |
//! | [`suite`] | many checks on one expensive thing (a booted machine), reported one by one |
//! | [`qemu`], [`qmp`], [`disk`], [`vm`] | a real kernel in QEMU: boot, plug, unplug, run commands in the guest |
//!
//! Nothing here sleeps and hopes: every wait names what it waits for and has a deadline, and the error tells what was seen instead.
//!
//! ```
//! // A parser that counts lines gives the same answer wherever its input is cut.
//! let text = b"one\ntwo\n";
//! testkit::split::two(text, |parts| {
//!     let lines: usize = parts.iter().map(|part| part.iter().filter(|byte| **byte == b'\n').count()).sum();
//!     assert_eq!(lines, 2, "cut: {parts:?}");
//! });
//! ```
#![forbid(unsafe_code)]

pub mod bus;
pub mod deadline;
pub mod disk;
pub mod error;
pub mod golden;
pub mod process;
pub mod qemu;
pub mod qmp;
pub mod rng;
pub mod server;
pub mod skip;
pub mod split;
pub mod suite;
pub mod tempdir;
pub mod vm;

pub use deadline::Deadline;
pub use error::{Error, Result};
pub use tempdir::TempDir;
