//! The operator's word, kept in a file so that it outlives lunix-init, not the machine; written anew as a whole.

use super::Host;
use crate::supervisor::Override;
use std::io;
use std::path::Path;

/// Most bytes read of the file.
const FILE_MAX: u64 = 1024 * 1024;

/// Reads the file; lines that make no sense are passed over, a missing file says nothing.
pub(crate) fn read(path: &Path) -> Vec<Override> {
    let is_small = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= FILE_MAX);
    let content = if is_small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    crate::overrides::read(&content)
}

fn write(path: &Path, all: &[Override]) -> io::Result<()> {
    let draft = path.with_extension("new");
    std::fs::write(&draft, crate::overrides::write(all))?;
    std::fs::rename(&draft, path)
}

impl Host {
    /// Writes the operator's word down when it is another one than before.
    pub(crate) fn save_overrides(&mut self) {
        let Some(path) = &self.overrides else { return };
        let Some(all) = self.supervisor.changed_overrides() else { return };
        if let Err(error) = write(path, &all) {
            self.console
                .say(format_args!("warn: cannot write {}: {error}; it holds until lunix-init ends", path.display()));
        }
    }
}
