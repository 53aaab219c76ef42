//! Files that tell others where we are: process number, ports, readiness.

use super::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A file that is removed at the end.
#[derive(Debug)]
pub(crate) struct Written(PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        // Nothing can be done about it while ending.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes the process number.
pub(crate) fn process_number(path: &Path) -> Result<Written, Error> {
    write(path, &std::process::id().to_string())
}

/// Writes `lunix-bus_PID.ports`, as nats-server names it after its own program.
pub(crate) fn ports(directory: &Path, port: u16, monitoring: Option<u16>) -> Result<Written, Error> {
    let program = std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let name = format!("{}_{}.ports", program.as_deref().unwrap_or("lunix-bus"), std::process::id());
    let monitoring =
        monitoring.map_or_else(String::new, |port| format!(",\"monitoring\":[\"http://127.0.0.1:{port}\"]"));
    write(&directory.join(name), &format!("{{\"nats\":[\"nats://127.0.0.1:{port}\"]{monitoring}}}"))
}

fn write(path: &Path, text: &str) -> Result<Written, Error> {
    fs::write(path, text).map_err(|error| Error::Create(path.display().to_string(), error))?;
    Ok(Written(path.to_owned()))
}

/// Tells whoever started us that clients may connect.
pub(crate) fn ready(fd: OwnedFd) {
    // A parent that no longer listens does not want to know.
    let _ = File::from(fd).write_all(b"\n");
}
