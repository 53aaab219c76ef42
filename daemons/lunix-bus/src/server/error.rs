//! Why the server cannot start or go on.

use std::fmt;
use std::io;

/// A failure that ends the program.
#[derive(Debug)]
pub enum Error {
    /// A socket cannot be made or bound.
    Listen(String, io::Error),
    /// Another server answers on this unix socket.
    Taken(String),
    /// A file cannot be written.
    Create(String, io::Error),
    /// A system call that must not fail did.
    System(&'static str, io::Error),
    /// The descriptor to report readiness on is not open.
    Inherited(&'static str, io::Error),
}

impl Error {
    /// The program's exit code: 73 cannot create, 71 system call failed, 64 a descriptor named on the command line is not open.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Listen(..) | Self::Taken(_) | Self::Create(..) => 73,
            Self::System(..) => 71,
            Self::Inherited(..) => 64,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::Taken(path) => write!(f, "cannot listen on {path}: another server answers there"),
            Self::Create(path, error) => write!(f, "cannot write {path}: {error}"),
            Self::System(call, error) => write!(f, "{call}: {error}"),
            Self::Inherited(what, error) => write!(f, "{what} is not open: {error}"),
        }
    }
}

impl std::error::Error for Error {}
