//! Command lines in the guest, by the host's own ssh.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use testkit::{Deadline, Error, Result};

/// A way into the guest.
pub(crate) struct Ssh {
    key: PathBuf,
    port: u16,
}

impl Ssh {
    pub(crate) fn new(key: &Path, port: u16) -> Self {
        Self { key: key.to_owned(), port }
    }

    /// Runs a command line as root and returns what it printed.
    pub(crate) fn run(&self, command: &str) -> Result<String> {
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-q",
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "ConnectTimeout=20",
        ]);
        ssh.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "ServerAliveInterval=5", "-p", &self.port.to_string()]);
        ssh.arg("-i").arg(&self.key).arg("root@127.0.0.1").arg(command).stdin(Stdio::null());
        let output = ssh.output().map_err(Error::io("ssh"))?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            return Ok(text);
        }
        Err(Error::unexpected(format!("`{command}` by ssh ended with {}: {text}", output.status)))
    }

    /// The same again and again until it succeeds.
    pub(crate) fn until(&self, command: &str, deadline: Deadline) -> Result<String> {
        loop {
            match self.run(command) {
                Ok(text) => return Ok(text),
                Err(error) if deadline.left().is_none() => return Err(error),
                // There is no sign to wait for from outside: QEMU takes connections before the guest does.
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(500)),
            }
        }
    }
}
