//! Standard output, a line at a time.

use program::Fatal;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd};

/// Why the program ends before its work is done.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something is wrong.
    Fatal(Fatal),
    /// Nobody reads our output any more.
    OutputClosed,
}

impl From<Fatal> for Stop {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

/// Standard output. Every line is written at once, so that a reader in a pipe sees it when it happens.
#[derive(Debug)]
pub(crate) struct Lines(());

impl Lines {
    pub(crate) fn stdout() -> Self {
        Self(())
    }

    /// Writes bytes and a newline.
    pub(crate) fn line(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.bytes(&[bytes, b"\n"].concat())
    }

    /// Writes text as it is.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Stop> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        while !bytes.is_empty() {
            match rustix::io::write(rustix::stdio::stdout(), bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // The terminal is gone, or the reader of the pipe.
                Err(Errno::PIPE | Errno::IO | Errno::BADF) => return Err(Stop::OutputClosed),
                Err(errno) => return Err(Fatal::system("cannot write to standard output", errno).into()),
            }
        }
        Ok(())
    }
}

impl AsFd for Lines {
    fn as_fd(&self) -> BorrowedFd<'_> {
        rustix::stdio::stdout()
    }
}
