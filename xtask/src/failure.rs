//! Why a command stopped, as a sentence.

use std::fmt;
use std::path::Path;
use std::process::ExitStatus;

pub type Result<T> = std::result::Result<T, Failure>;

/// A sentence for the person at the terminal, and whether the command line was wrong.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    is_usage: bool,
}

impl Failure {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), is_usage: false }
    }

    pub fn usage(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), is_usage: true }
    }

    /// 64 for a wrong command line, 1 for everything else.
    pub const fn exit_code(&self) -> u8 {
        if self.is_usage { 64 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<testkit::Error> for Failure {
    fn from(error: testkit::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Names what failed.
pub trait Context<T> {
    fn context(self, what: impl fmt::Display) -> Result<T>;
    fn at(self, path: &Path) -> Result<T>
    where
        Self: Sized,
    {
        self.context(path.display())
    }
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{what}: {error}")))
    }
}

/// Fails unless the program ended well.
pub fn expect_success(what: &str, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{what} failed ({status})"))) }
}
