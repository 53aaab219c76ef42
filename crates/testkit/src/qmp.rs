//! QEMU's machine protocol: JSON lines on a unix socket, one client at a time.
//!
//! Source: `docs/interop/qmp-spec.rst` of QEMU, and its QMP reference manual.

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Connects to the unix socket `name` in `folder`, however long the folder's path is (a socket's own path may have 107 bytes).
///
/// # Errors
/// When there is no such folder, or nobody listens.
pub fn connect_in(folder: &Path, name: &str) -> Result<UnixStream> {
    let handle = std::fs::File::open(folder).map_err(Error::io(format!("open {}", folder.display())))?;
    let path = format!("/proc/self/fd/{}/{name}", handle.as_raw_fd());
    UnixStream::connect(path).map_err(Error::io(format!("connect to {}", folder.join(name).display())))
}

/// A session with a running QEMU. Others wait until it is dropped, so keep it short.
#[derive(Debug)]
pub struct Qmp {
    stream: BufReader<UnixStream>,
    events: Vec<Value>,
}

impl Qmp {
    /// Connects to `qmp.sock` in the machine's run folder and negotiates.
    ///
    /// # Errors
    /// When no machine listens there or it does not answer in ten seconds.
    pub fn connect(run_folder: &Path) -> Result<Self> {
        let stream = connect_in(run_folder, "qmp.sock")?;
        let mut qmp = Self { stream: BufReader::new(stream), events: Vec::new() };
        let greeting = qmp.read(Deadline::seconds(10))?;
        if greeting.get("QMP").is_none() {
            return Err(Error::unexpected(format!("not QMP but {greeting}")));
        }
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Runs one command and returns its answer.
    ///
    /// # Errors
    /// QEMU's own sentence when it refuses.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let line = format!("{}\n", json!({"execute": command, "arguments": arguments}));
        self.stream.get_mut().write_all(line.as_bytes()).map_err(Error::io(format!("tell QEMU {command}")))?;
        let deadline = Deadline::seconds(30);
        loop {
            let answer = self.read(deadline)?;
            if answer.get("event").is_some() {
                self.events.push(answer);
            } else if let Some(value) = answer.get("return") {
                return Ok(value.clone());
            } else {
                let sentence = answer.pointer("/error/desc").and_then(Value::as_str).unwrap_or("no reason given");
                return Err(Error::unexpected(format!("QEMU refuses {command}: {sentence}")));
            }
        }
    }

    /// Runs a command of the human monitor, for the few things that have no other; returns what it prints.
    ///
    /// # Errors
    /// When QEMU refuses.
    pub fn monitor(&mut self, command: &str) -> Result<String> {
        let printed = self.execute("human-monitor-command", &json!({"command-line": command}))?;
        Ok(printed.as_str().unwrap_or_default().trim().to_owned())
    }

    /// Waits for the event `name`, whatever it is about, and returns what it says.
    ///
    /// # Errors
    /// When the deadline passes, or QEMU ends before.
    pub fn announced(&mut self, name: &str, deadline: Deadline) -> Result<Value> {
        loop {
            if let Some(index) =
                self.events.iter().position(|event| event.get("event").is_some_and(|event| event == name))
            {
                return Ok(self.events.swap_remove(index));
            }
            let message = self.read(deadline);
            let seen = |error: Error| Error::Timeout(format!("QEMU's {name}: {error}"), format!("{:?}", self.events));
            let message = message.map_err(seen)?;
            self.events.push(message);
        }
    }

    /// Waits for the event `name` about `device` and takes it.
    ///
    /// # Errors
    /// When the deadline passes.
    pub fn event(&mut self, name: &str, device: &str, deadline: Deadline) -> Result<()> {
        let wanted = |event: &Value| {
            event.get("event").is_some_and(|event| event == name)
                && event.pointer("/data/device").is_some_and(|event| event == device)
        };
        loop {
            if let Some(index) = self.events.iter().position(wanted) {
                self.events.swap_remove(index);
                return Ok(());
            }
            match self.read(deadline) {
                Ok(message) => self.events.push(message),
                Err(_) => {
                    return Err(Error::Timeout(format!("QEMU's {name} for {device}"), format!("{:?}", self.events)));
                }
            }
        }
    }

    /// Waits until QEMU has ended; false when it still runs at the deadline.
    pub fn closed(&mut self, deadline: Deadline) -> bool {
        while deadline.left().is_some() {
            match self.read(deadline) {
                Ok(_) => {}
                Err(Error::Unexpected(_)) => return true,
                Err(Error::Io(..) | Error::Timeout(..)) => return deadline.left().is_some(),
            }
        }
        false
    }

    fn read(&mut self, deadline: Deadline) -> Result<Value> {
        let failed = "read from QEMU";
        self.stream.get_ref().set_read_timeout(Some(deadline.left_or_tick())).map_err(Error::io(failed))?;
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).map_err(Error::io(failed))?;
        if count == 0 {
            return Err(Error::unexpected("QEMU has gone (or another client holds its monitor)"));
        }
        serde_json::from_str(&line).map_err(|error| Error::unexpected(format!("QEMU said {line}: {error}")))
    }
}
