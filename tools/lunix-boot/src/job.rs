//! What all commands share: where files are, whether anything may be changed, how they speak.

use program::{Fatal, Level, exit, log};
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// One run of a command.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Nothing is changed, only told.
    pub check: bool,
    root: Option<PathBuf>,
}

impl Job {
    /// On the machine as it is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Files are found below this folder from now on.
    pub fn set_root(&mut self, root: Option<&str>) {
        self.root = root.map(PathBuf::from);
    }

    /// Where the file is that is at the absolute `path` otherwise.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        match &self.root {
            None => Path::new(path).to_path_buf(),
            Some(root) => root.join(path.trim_start_matches('/')),
        }
    }

    /// Says that something was not done that the boot needs.
    pub fn error(&self, text: fmt::Arguments<'_>) {
        log::line("lunix-boot", Level::Error, text);
    }

    /// Says that something was not done that the boot can do without.
    pub fn warn(&self, text: fmt::Arguments<'_>) {
        log::line("lunix-boot", Level::Warn, text);
    }

    /// Says what was done.
    pub fn info(&self, text: fmt::Arguments<'_>) {
        log::line("lunix-boot", Level::Info, text);
    }

    /// Writes a line to standard output.
    ///
    /// # Errors
    /// When nobody takes it.
    pub fn print(&self, text: fmt::Arguments<'_>) -> Result<(), Fatal> {
        let written = writeln!(std::io::stdout(), "{text}");
        written.map_err(|error| Fatal::new(exit::CANNOT_CREATE, format!("cannot write to standard output: {error}")))
    }
}
