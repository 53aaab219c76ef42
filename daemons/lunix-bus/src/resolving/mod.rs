//! Names of hosts are looked up by a process of their own: it may take seconds, and what answers comes from outside.
//!
//! ```text
//! job    = number (8 bytes) port (2 bytes) name
//! answer = number (8 bytes) 1*( address ":" port LF ) / number (8 bytes) "!" reason
//! ```

mod asker;
mod worker;

pub use asker::{Outcome, Resolver};
pub use worker::main;

/// The first word of the helper's command line.
const WORD: &std::ffi::CStr = c"helper:resolve";
/// Its name in process lists, at most 15 bytes.
const PROCESS_NAME: &std::ffi::CStr = c"lunix-bus:name";
/// Largest job in bytes: a name has at most 255.
const JOB_MAX: usize = 1024;
/// Largest answer in bytes.
const ANSWER_MAX: usize = 4096;
/// Addresses told of one host.
const ADDRESSES_MAX: usize = 32;
/// What looking names up opens: files and sockets.
const DESCRIPTORS: u64 = 32;
