//! What can block runs here: one long-lived process per kind, this same program started again with another first word.
//!
//! Jobs and answers are JSON datagrams on a SOCK_SEQPACKET pair that the helper has as its standard input; at its end the helper
//! ends too. A helper does one job at a time and may be killed in the middle of it.

pub mod modules;
pub mod probe;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::CString;
use std::io;
use std::os::fd::BorrowedFd;
use std::process::ExitCode;

/// Largest job or answer in bytes.
pub const MESSAGE_MAX: usize = 16 * 1024;

/// The two kinds of helpers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Looks at what is on block devices; without capabilities.
    Probe,
    /// Loads kernel modules; reads nothing from outside.
    Modules,
}

impl Kind {
    /// The first word of its command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Probe => "helper:probe",
            Self::Modules => "helper:modules",
        }
    }

    /// Its name in process lists, at most 15 bytes.
    #[must_use]
    pub const fn process_name(self) -> &'static str {
        match self {
            Self::Probe => "natsdev:probe",
            Self::Modules => "natsdev:modules",
        }
    }
}

/// Runs as a helper when the first word of the command line says so; `None` for the daemon itself.
#[must_use]
pub fn main() -> Option<ExitCode> {
    let word = std::env::args_os().nth(1)?;
    let kind = [Kind::Probe, Kind::Modules].into_iter().find(|kind| word == kind.word())?;
    let named = CString::new(kind.process_name()).map_err(io::Error::other);
    let named = named.and_then(|name| Ok(rustix::thread::set_name(&name)?));
    let ended = named.and_then(|()| match kind {
        Kind::Probe => probe::run(),
        Kind::Modules => modules::run(),
    });
    Some(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            daemon::log::line("natsdev", daemon::Level::Error, format_args!("{}: {error}", kind.word()));
            ExitCode::from(daemon::exit::SYSTEM)
        }
    })
}

/// Answers jobs until the daemon closes its end.
fn serve<J: DeserializeOwned, A: Serialize>(mut answer: impl FnMut(J) -> A) -> io::Result<()> {
    let socket: BorrowedFd<'static> = rustix::stdio::stdin();
    let mut buffer = vec![0; MESSAGE_MAX];
    loop {
        let count = match rustix::net::recv(socket, &mut buffer, rustix::net::RecvFlags::empty()) {
            Ok((_, 0)) => return Ok(()),
            Ok((_, count)) => count,
            Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let job = serde_json::from_slice(buffer.get(..count).unwrap_or_default())?;
        let text = serde_json::to_vec(&answer(job))?;
        rustix::net::send(socket, &text, rustix::net::SendFlags::NOSIGNAL)?;
    }
}
