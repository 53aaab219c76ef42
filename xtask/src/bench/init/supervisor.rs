//! The supervisors: started the same way, ended by process id.

use super::processes;
use super::stage::{PATIENCE, Stage};
use crate::failure::{Context, Failure, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which supervisor it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// runsvdir of Debian's runit.
    Runit,
    /// s6-svscan of Debian's s6.
    S6,
    /// lunix-init.
    Ours,
}

impl Kind {
    /// All of them, in the order in which they take turns.
    pub const ALL: [Self; 3] = [Self::Runit, Self::S6, Self::Ours];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runit => "runit",
            Self::S6 => "s6",
            Self::Ours => "lunix-init",
        }
    }
}

/// A supervisor that runs until it is dropped.
pub struct Supervisor {
    kind: Kind,
    child: Child,
    services: PathBuf,
    /// When it was started.
    pub begun: Instant,
}

impl Supervisor {
    /// Supervises the directory `services`; `ours` is lunix-init's program.
    pub fn start(kind: Kind, ours: &Path, services: &Path) -> Result<Self> {
        Self::start_by(kind, ours, services, |command| command)
    }

    /// The same by a command made of the supervisor's.
    pub fn start_by(kind: Kind, ours: &Path, services: &Path, by: impl FnOnce(Command) -> Command) -> Result<Self> {
        let mut command = match kind {
            Kind::Runit => Command::new("runsvdir"),
            Kind::S6 => Command::new("s6-svscan"),
            Kind::Ours => Command::new(ours),
        };
        match kind {
            Kind::Runit => command.arg(services),
            // Room for all services; the others have no such limit.
            Kind::S6 => command.args(["-c", "4000"]).arg(services),
            Kind::Ours => command.arg("--services").arg(services),
        };
        let mut command = by(command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let child = command.spawn().context(kind.name())?;
        Ok(Self { kind, child, services: services.to_owned(), begun })
    }

    /// Starts it in the stage's services and waits until `count` of them run.
    pub fn start_on(stage: &Stage, kind: Kind, ours: &Path, count: usize) -> Result<(Self, Vec<super::stage::Start>)> {
        let supervisor = Self::start(kind, ours, &stage.services())?;
        let starts = stage.starts(count).context(kind.name())?;
        Ok((supervisor, starts))
    }

    /// Its processes: those that are no service.
    pub fn processes(&self, stage: &Stage) -> Vec<u32> {
        let service = stage.folder.join("service").display().to_string();
        let all = processes::tree(self.child.id()).into_iter();
        all.filter(|(_, program)| *program != service).map(|(pid, _)| pid).collect()
    }

    /// Tells it to look at its directory, where it does not do so by itself; returns whether it had to be told.
    pub fn tell(&self) -> Result<bool> {
        if self.kind != Kind::S6 {
            return Ok(false);
        }
        let status = Command::new("s6-svscanctl").arg("-an").arg(&self.services).status().context("s6-svscanctl")?;
        crate::failure::expect_success("s6-svscanctl", status)?;
        Ok(true)
    }
}

impl Drop for Supervisor {
    /// Ends it and everything it started: in order first, and whatever is left then by a kill.
    fn drop(&mut self) {
        let all = processes::tree(self.child.id());
        let signal = match self.kind {
            // HUP makes runsvdir end its children, too.
            Kind::Runit => Signal::HUP,
            Kind::S6 | Kind::Ours => Signal::TERM,
        };
        // What is gone already needs no signal, here and below.
        let _ = send(self.child.id(), signal);
        let end = Instant::now() + Duration::from_secs(10);
        while all.keys().any(|&pid| pid != self.child.id() && processes::exists(pid)) && Instant::now() < end {
            let _ = self.child.try_wait();
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_rest(&all);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills those that still are what they were.
fn kill_rest(all: &BTreeMap<u32, String>) {
    for (&pid, program) in all {
        let is_same =
            std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| *path.display().to_string() == **program);
        if is_same {
            let _ = send(pid, Signal::KILL);
        }
    }
}

/// Sends a signal.
pub fn send(pid: u32, signal: Signal) -> Result<()> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| Failure::new("no such process"))?;
    kill_process(number, signal).context(format!("process {pid}"))
}

/// Waits until a process is gone.
pub fn until_gone(pid: u32) -> Result<Instant> {
    let end = Instant::now() + PATIENCE;
    while processes::exists(pid) {
        if Instant::now() > end {
            return Err(Failure::new(format!("process {pid} does not end")));
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(Instant::now())
}
