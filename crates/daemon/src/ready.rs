//! Telling the supervisor that we are ready (the s6 way): a newline on the descriptor it gave us, then close.

use program::exit::{self, Fatal};
use std::fs::File;
use std::io::{self, Write};

/// The descriptor that waits for our newline, if any.
#[derive(Debug)]
pub(crate) struct Ready(Option<File>);

impl Ready {
    /// Nobody waits.
    pub(crate) fn nobody() -> Self {
        Self(None)
    }

    /// Takes the descriptor with that number; call it before anything else is opened. `Ok(None)` when it is closed, so that one
    /// `run` script also serves supervisors that do not wait.
    pub(crate) fn take(number: &str) -> Result<Option<Self>, Fatal> {
        let wrong =
            || Fatal::new(exit::USAGE, format!("--ready-fd {number}: expected the number of a descriptor above 2"));
        match sys::descriptor::inherited(number.parse().map_err(|_| wrong())?) {
            Ok(fd) => Ok(Some(Self(Some(File::from(fd))))),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(wrong()),
            Err(_) => Ok(None),
        }
    }

    /// Says it, once.
    pub(crate) fn notify(&mut self) -> io::Result<()> {
        match self.0.take() {
            Some(mut file) => file.write_all(b"\n"),
            None => Ok(()),
        }
    }
}
