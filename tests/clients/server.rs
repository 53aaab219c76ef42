//! A server that the clients speak to, and what can be done to it.

use crate::identity;
use crate::play::soon;
pub(crate) use lunix_tests::peer::Kind;
use rustix::process::Signal;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use testkit::process::Process;
use testkit::{Error, Result};

/// Why nothing can run here.
pub(crate) fn missing() -> Option<String> {
    [Kind::NatsServer, Kind::LunixBus].iter().find_map(|kind| kind.missing())
}

/// A server on ports of its own, which it keeps over restarts.
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    http_port: u16,
    configuration: PathBuf,
    process: Option<Process>,
}

impl Server {
    /// A server that keeps its configuration in `folder` and does not run yet.
    pub(crate) fn new(kind: Kind, folder: &Path, name: &str) -> Result<Self> {
        let configuration = folder.join(format!("{name}.conf"));
        Ok(Self { kind, port: free_port()?, http_port: free_port()?, configuration, process: None })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Starts it and waits until it serves.
    pub(crate) fn start(&mut self, configuration: &str) -> Result<()> {
        self.configure(configuration)?;
        let mut command = Command::new(self.kind.program()?);
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-m", &self.http_port.to_string()]);
        command.arg("-c").arg(&self.configuration);
        let process = self.process.insert(Process::spawn(self.kind.name(), &mut command)?);
        process.line(soon(), "Server is ready").map(drop)
    }

    /// Replaces the configuration; a running server hears of it.
    pub(crate) fn reload(&mut self, configuration: &str) -> Result<()> {
        self.configure(configuration)?;
        self.signal(Signal::HUP)?;
        self.running()?.line(soon(), "Reloaded server configuration").map(drop)
    }

    fn configure(&self, configuration: &str) -> Result<()> {
        let written = std::fs::write(&self.configuration, format!("{}\n", identity::filled_in(configuration)));
        written.map_err(Error::io(format!("write {}", self.configuration.display())))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        self.running()?.signal(signal)
    }

    /// Sends it a signal and waits for its end.
    pub(crate) fn end(&mut self, signal: Signal) -> Result<()> {
        self.signal(signal)?;
        self.running()?.exit(soon())?;
        self.process = None;
        Ok(())
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.as_ref().map(Process::printed).unwrap_or_default()
    }

    /// What stands at `pointer` on a monitoring page.
    pub(crate) fn monitor(&self, target: &str, pointer: &str) -> Result<Value> {
        let failed = || Error::io(format!("ask for {target}"));
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).map_err(failed())?;
        stream.set_read_timeout(soon().left()).map_err(failed())?;
        stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).map_err(failed())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed())?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let page: Value =
            serde_json::from_str(body).map_err(|error| Error::unexpected(format!("{target}: {error}")))?;
        Ok(page.pointer(pointer).cloned().unwrap_or(Value::Null))
    }

    fn running(&mut self) -> Result<&mut Process> {
        self.process.as_mut().ok_or_else(|| Error::unexpected("the server does not run"))
    }
}

/// A port below those that the kernel gives to whoever connects: while a server is down its port must not be taken, least of all
/// by the client that tries to reach it.
pub(crate) fn free_port() -> Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Runs at the same time begin at different places.
    let offset = u16::try_from(std::process::id() % 1_000).unwrap_or(0) * 12;
    (0..COUNT)
        .map(|_| FIRST + (offset.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| Error::unexpected("no free port"))
}
