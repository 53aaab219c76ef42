//! A bus for the daemons under test: lunix-bus on a unix socket of its own.

use crate::bus::Bus;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::process::{Process, binary};
use crate::tempdir::TempDir;
use rustix::process::Signal;

/// A running bus. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    process: Process,
}

impl Server {
    /// Starts a bus and waits until it is ready.
    ///
    /// # Errors
    /// When it is not built or does not become ready in time.
    pub fn start() -> Result<Self> {
        let folder = TempDir::new("bus")?;
        let process = spawn(&folder)?;
        Ok(Self { folder, process })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix://{}", self.folder.join("bus.sock").display())
    }

    /// A client of it.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub fn client(&self) -> Result<Bus> {
        Bus::connect(&self.url(), Deadline::seconds(10))
    }

    /// Kills it, so that nobody is told, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not go.
    pub fn kill(&mut self) -> Result<()> {
        self.process.signal(Signal::KILL)?;
        self.process.exit(Deadline::seconds(10))?;
        Ok(())
    }

    /// Starts it again at the same address.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.process = spawn(&self.folder)?;
        Ok(())
    }

    /// Starts a daemon on this bus with `--url` and `--ready-fd`, and waits until it is ready.
    ///
    /// # Errors
    /// When it is not built or does not become ready in time.
    pub fn daemon(&self, name: &str, arguments: &[&str]) -> Result<Process> {
        let url = self.url();
        let mut all = vec!["--url", &url, "--ready-fd", "3"];
        all.extend_from_slice(arguments);
        let mut process = Process::spawn_notifying(name, binary(name)?, &all, &[("LUNIX_LOG", "info")])?;
        process.ready(Deadline::seconds(20))?;
        Ok(process)
    }
}

fn spawn(folder: &TempDir) -> Result<Process> {
    let socket = folder.join("bus.sock").display().to_string();
    let conf = folder.join("bus.conf");
    let text = format!("host: false\nunix: [\"{socket}\"]\n");
    std::fs::write(&conf, text).map_err(crate::Error::io("write bus.conf"))?;
    let conf = conf.display().to_string();
    let mut process = Process::spawn_notifying(
        "lunix-bus",
        binary("lunix-bus")?,
        &["--config", conf.as_str(), "--ready-fd", "3"],
        &[],
    )?;
    process.ready(Deadline::seconds(20))?;
    Ok(process)
}
