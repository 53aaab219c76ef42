//! Exit codes, an interface of every program (after `sysexits.h`), and the error that carries one.

use std::fmt;

/// Done.
pub const OK: u8 = 0;
/// Wrong usage of the command line.
pub const USAGE: u8 = 64;
/// Bad input data.
pub const DATA: u8 = 65;
/// The bus is not available.
pub const UNAVAILABLE: u8 = 69;
/// A system call failed.
pub const SYSTEM: u8 = 71;
/// A file or socket cannot be created.
pub const CANNOT_CREATE: u8 = 73;
/// Try again later.
pub const TRY_AGAIN: u8 = 75;
/// Not permitted.
pub const NOT_PERMITTED: u8 = 77;
/// Bad configuration.
pub const CONFIG: u8 = 78;

/// Why a program cannot go on: a sentence for the log and the code it exits with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fatal {
    /// Exit code, one of this module's constants.
    pub code: u8,
    /// The sentence: lower case, no full stop, names the thing.
    pub reason: String,
}

impl Fatal {
    /// A fatal error with its code and sentence.
    pub fn new(code: u8, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// A system call failed: `what` names the attempt, as in `cannot open /dev/kmsg`.
    pub fn system(what: &str, error: impl fmt::Display) -> Self {
        Self::new(SYSTEM, format!("{what}: {error}"))
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fatal {}
