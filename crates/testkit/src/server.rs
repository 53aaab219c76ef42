//! A bus for the daemons under test: lunix-bus on a unix socket of its own.

use crate::bus::Bus;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::process::{Process, binary};
use crate::tempdir::TempDir;
use rustix::process::Signal;
use std::path::{Path, PathBuf};

/// A running bus. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    /// Where the programs are, when not where [`binary`] finds them.
    programs: Option<PathBuf>,
    process: Process,
}

impl Server {
    /// Starts a bus and waits until it is ready.
    ///
    /// # Errors
    /// When it is not built or does not become ready in time.
    pub fn start() -> Result<Self> {
        Self::start_program(None)
    }

    /// The same with the programs of another build.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_from(programs: &Path) -> Result<Self> {
        Self::start_program(Some(programs.to_owned()))
    }

    fn start_program(programs: Option<PathBuf>) -> Result<Self> {
        let folder = TempDir::new("bus")?;
        let process = spawn(&folder, find(programs.as_deref(), "lunix-bus")?)?;
        Ok(Self { folder, programs, process })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
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
        self.process = spawn(&self.folder, find(self.programs.as_deref(), "lunix-bus")?)?;
        Ok(())
    }

    /// Starts a daemon on this bus with `--url` and `--ready-fd`, and waits until it is ready.
    ///
    /// # Errors
    /// When it is not built or does not become ready in time.
    pub fn daemon(&self, name: &str, arguments: &[&str]) -> Result<Process> {
        self.daemon_within(&[], name, arguments)
    }

    /// The same through another command, which runs what follows it, as `ip netns exec NAME` does.
    ///
    /// # Errors
    /// As [`Self::daemon`].
    pub fn daemon_within(&self, command: &[&str], name: &str, arguments: &[&str]) -> Result<Process> {
        let program = find(self.programs.as_deref(), name)?.display().to_string();
        let url = self.url();
        let own = [&program, "--url", &url, "--ready-fd", "3"];
        let all = [command, &own, arguments].concat();
        let Some((first, rest)) = all.split_first() else { return self.daemon(name, arguments) };
        let mut process = Process::spawn_notifying(name, first, rest, &[("LUNIX_LOG", "info")])?;
        process.ready(Deadline::seconds(20))?;
        Ok(process)
    }
}

fn find(programs: Option<&Path>, name: &str) -> Result<PathBuf> {
    programs.map_or_else(|| binary(name), |folder| Ok(folder.join(name)))
}

fn spawn(folder: &TempDir, program: PathBuf) -> Result<Process> {
    let socket = folder.join("bus.sock").display().to_string();
    let conf = folder.join("bus.conf");
    let text = format!("host: false\nunix: [\"{socket}\"]\n");
    std::fs::write(&conf, text).map_err(crate::Error::io("write bus.conf"))?;
    let conf = conf.display().to_string();
    let arguments = ["--config", conf.as_str(), "--ready-fd", "3"];
    let mut process = Process::spawn_notifying("lunix-bus", program, &arguments, &[])?;
    process.ready(Deadline::seconds(20))?;
    Ok(process)
}
