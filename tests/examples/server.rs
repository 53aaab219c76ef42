//! The bus that the examples speak to.

use crate::soon;
use std::path::PathBuf;
use std::process::Command;
use testkit::bus::Bus;
use testkit::process::{Process, binary};
use testkit::{Error, Result, qemu::free_port};

/// Which program serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The original.
    NatsServer,
    /// Ours, with the same flags.
    LunixBus,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NatsServer => "nats_server",
            Self::LunixBus => "lunix_bus",
        }
    }

    fn program(self) -> Result<PathBuf> {
        match self {
            Self::NatsServer => {
                let path = std::env::var_os("NATS_SERVER").map(PathBuf::from).filter(|path| path.is_file());
                path.ok_or_else(|| Error::unexpected("NATS_SERVER names no program"))
            }
            Self::LunixBus => binary("lunix-bus"),
        }
    }

    /// Why it cannot run here.
    pub(crate) fn missing(self) -> Option<String> {
        self.program().err().map(|error| error.to_string())
    }
}

/// A running bus on a loopback port of its own.
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    process: Option<Process>,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Result<Self> {
        let mut server = Self { kind, port: free_port()?, process: None };
        server.again()?;
        Ok(server)
    }

    /// Starts it, after [`Self::kill`] on the same port.
    pub(crate) fn again(&mut self) -> Result<()> {
        let mut command = Command::new(self.kind.program()?);
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string()]);
        self.process = Some(Process::spawn(self.kind.name(), &mut command)?);
        testkit::vm::wait_for_bus(&self.url(), soon()).map(drop)
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn connect(&self) -> Result<Bus> {
        Bus::connect(&self.url(), soon())
    }
}
