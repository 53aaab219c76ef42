//! A place for services, and how they are heard: each writes its process id to a pipe when it executes.

use super::program;
use crate::failure::{Context, Failure, Result};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use testkit::TempDir;

/// Nothing takes longer, even where machines are busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A service that executes.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub pid: u32,
    pub at: Instant,
}

/// A folder with the services' program, and the ear for it.
pub struct Stage {
    pub folder: TempDir,
    /// Keeps the pipe open while nobody writes.
    _pipe: File,
    starts: Receiver<Start>,
}

impl Stage {
    pub fn new() -> Result<Self> {
        let folder = TempDir::new("bench-init")?;
        // Services of any supervisor may stand in here, whoever they run as.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).at(folder.path())?;
        let (pipe, program) = (folder.join("starts"), folder.join("service"));
        let made = Command::new("mkfifo").arg(&pipe).status().context("mkfifo")?;
        crate::failure::expect_success("mkfifo", made)?;
        fs::write(&program, program::announcer(&pipe.display().to_string())).at(&program)?;
        fs::set_permissions(&program, Permissions::from_mode(0o755)).at(&program)?;
        let open = || OpenOptions::new().read(true).write(true).open(&pipe).at(&pipe);
        let (mut reader, kept) = (open()?, open()?);
        let (sender, starts) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4];
            while reader.read_exact(&mut bytes).is_ok() {
                let start = Start { pid: u32::from_le_bytes(bytes), at: Instant::now() };
                if start.pid == 0 || sender.send(start).is_err() {
                    return;
                }
            }
        });
        Ok(Self { folder, _pipe: kept, starts })
    }

    pub fn services(&self) -> PathBuf {
        self.folder.join("services")
    }

    /// Makes `count` services in `services`.
    pub fn fill(&self, count: usize) -> Result<()> {
        (0..count).try_for_each(|number| self.service(&self.services().join(name(number))))
    }

    /// Makes one service; it appears as a whole.
    pub fn service(&self, path: &Path) -> Result<()> {
        let draft = self.folder.join("draft");
        crate::project::make_folder(&draft)?;
        let run = draft.join("run");
        symlink(self.folder.join("service"), &run).at(&run)?;
        if let Some(parent) = path.parent() {
            crate::project::make_folder(parent)?;
        }
        fs::rename(&draft, path).at(path)
    }

    /// The next service that executes.
    pub fn next(&self, limit: Duration) -> Result<Start> {
        self.starts.recv_timeout(limit).map_err(|_| Failure::new(format!("no service started within {limit:?}")))
    }

    /// The next `count` of them.
    pub fn starts(&self, count: usize) -> Result<Vec<Start>> {
        (0..count).map(|_| self.next(PATIENCE)).collect()
    }

    /// Forgets those that nobody waited for.
    pub fn forget(&self) -> usize {
        self.starts.try_iter().count()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Ends the thread that listens; a pipe that is gone has ended it already.
        let _ = fs::write(self.folder.join("starts"), [0; 4]);
    }
}

/// The name of a service by its number.
pub fn name(number: usize) -> String {
    format!("service{number:04}")
}
