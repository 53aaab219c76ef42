//! Passwords kept as bcrypt hashes are compared by a process of their own: this program started again, with another first word.
//!
//! Comparing takes tens of milliseconds by design, so it never happens between two messages. The helper has no more than one end of a
//! socket pair; at its end it ends, too. It does one job at a time, and may be killed in the middle of one.
//!
//! ```text
//! job    = number (8 bytes) length of the hash (1 byte) hash password
//! answer = number (8 bytes) "\x01" / "\x00"
//! ```

mod queue;
mod worker;

pub use queue::{Hasher, Outcome};
pub use worker::main;

/// The first word of the helper's command line.
const WORD: &std::ffi::CStr = c"helper:bcrypt";
/// Its name in process lists, at most 15 bytes.
const PROCESS_NAME: &std::ffi::CStr = c"lunix-bus:hash";
/// Largest job in bytes: a password is part of a CONNECT.
const JOB_MAX: usize = 1 << 17;
/// Bytes of an answer.
const ANSWER: usize = 9;
