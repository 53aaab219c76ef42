//! Telling the supervisor how we are: a newline on the descriptor it gave us (the s6 way), and datagrams to NOTIFY_SOCKET (that of systemd).

use program::exit::{self, Fatal};
use program::log::{self, Level};
use reactor::Instant;
use std::fs::File;
use std::io::{self, Write};
use sys::notify::Notify;

/// Whoever waits for us.
#[derive(Debug)]
pub(crate) struct Ready {
    /// Waits for our newline.
    file: Option<File>,
    socket: Notify,
}

impl Ready {
    /// Nobody waits on a descriptor.
    pub(crate) fn nobody(program: &str) -> Self {
        Self::with(program, None)
    }

    /// Takes the descriptor with that number; call it before anything else is opened. `Ok(None)` when it is closed, so that one
    /// `run` script also serves supervisors that do not wait.
    pub(crate) fn take(program: &str, number: &str) -> Result<Option<Self>, Fatal> {
        let wrong =
            || Fatal::new(exit::USAGE, format!("--ready-fd {number}: expected the number of a descriptor above 2"));
        match sys::descriptor::inherited(number.parse().map_err(|_| wrong())?) {
            Ok(fd) => Ok(Some(Self::with(program, Some(File::from(fd))))),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(wrong()),
            Err(_) => Ok(None),
        }
    }

    fn with(program: &str, file: Option<File>) -> Self {
        let socket = Notify::from_environment().unwrap_or_else(|error| {
            log::line(program, Level::Warn, format_args!("no word to the supervisor: {error}"));
            Notify::default()
        });
        Self { file, socket }
    }

    /// Says that we are ready; the newline once.
    pub(crate) fn notify(&mut self) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.write_all(b"\n")?;
        }
        self.socket.say("READY=1")
    }

    /// Says that the configuration is being read again; [`Ready::notify`] says that this is over.
    pub(crate) fn reloading(&self, now: Instant) -> io::Result<()> {
        self.socket.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_nanos() / 1000))
    }

    /// Says that we end.
    pub(crate) fn stopping(&self) -> io::Result<()> {
        self.socket.say("STOPPING=1")
    }
}
