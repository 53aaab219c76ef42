//! The two servers that are compared: the original, and ours in its place.

use std::path::PathBuf;
use testkit::process::binary;
use testkit::{Error, Result};

/// Which program serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The original.
    NatsServer,
    /// Ours, with the same flags and configuration.
    LunixBus,
}

impl Kind {
    /// Its name, as it stands in the names of tests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NatsServer => "nats_server",
            Self::LunixBus => "lunix_bus",
        }
    }

    /// The program.
    ///
    /// # Errors
    /// When it is not here.
    pub fn program(self) -> Result<PathBuf> {
        match self {
            Self::NatsServer => {
                let path = std::env::var_os("NATS_SERVER").map(PathBuf::from).filter(|path| path.is_file());
                path.ok_or_else(|| Error::unexpected("NATS_SERVER names no program"))
            }
            Self::LunixBus => binary("lunix-bus"),
        }
    }

    /// Why it cannot run here.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        self.program().err().map(|error| error.to_string())
    }
}
