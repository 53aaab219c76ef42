//! The one error of the harness: a sentence that names what was being done.

use std::fmt;
use std::io;

/// A result of the harness.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the harness could not do what a test asked.
#[derive(Debug)]
pub enum Error {
    /// A system call or a file failed: what was tried, and the system's answer.
    Io(String, io::Error),
    /// The deadline passed: what was awaited, and what was seen instead.
    Timeout(String, String),
    /// The other side said something that does not fit: a sentence.
    Unexpected(String),
}

impl Error {
    /// Makes a closure that names the failed action, for `map_err`.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io(what, source)
    }

    /// An error that is a sentence.
    pub fn unexpected(sentence: impl Into<String>) -> Self {
        Self::Unexpected(sentence.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what, source) => write!(f, "{what}: {source}"),
            Self::Timeout(awaited, seen) if seen.is_empty() => write!(f, "timed out: {awaited}; nothing was seen"),
            Self::Timeout(awaited, seen) => write!(f, "timed out: {awaited}; seen instead:\n{seen}"),
            Self::Unexpected(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for Error {}
