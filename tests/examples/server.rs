//! The bus that the examples speak to.

use crate::soon;
pub(crate) use lunix_tests::peer::Kind;
use std::process::Command;
use testkit::bus::Bus;
use testkit::process::Process;
use testkit::{Result, qemu::free_port};

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
