//! A real bus, a real natslog with a configuration of its own, and what the tests ask of them.
#![allow(dead_code, unreachable_pub, clippy::indexing_slicing, reason = "each test uses what it needs")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use testkit::bus::{Bus, Message};
use testkit::process::Process;
use testkit::server::Server;
use testkit::{Deadline, TempDir};

pub fn soon() -> Deadline {
    Deadline::seconds(20)
}

/// A bus, natslog, and a folder for their files. The sockets for syslog(3) are `log` and `stream` in the folder.
pub struct Stage {
    pub server: Server,
    pub folder: TempDir,
    pub natslog: Process,
    pub bus: Bus,
}

impl Stage {
    /// Starts them; `more` is added to the configuration, which has no lines of the kernel and no limit.
    pub fn start(more: &str) -> Self {
        let (server, folder) = (Server::start().unwrap(), TempDir::new("log").unwrap());
        let config = configuration(folder.path(), more);
        let natslog = server.daemon("natslog", &["--config", config.to_str().unwrap()]).unwrap();
        let mut bus = server.client().unwrap();
        bus.subscribe("log.*.*").unwrap();
        bus.flush(soon()).unwrap();
        Self { server, folder, natslog, bus }
    }

    /// The socket for datagrams.
    pub fn dev_log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Sends a datagram to it.
    pub fn send(&self, text: &str) {
        let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
        socket.send_to(text.as_bytes(), self.dev_log()).unwrap();
    }

    /// The next line whose message is this one, with its subject.
    pub fn line(&mut self, message: &str) -> (String, Value) {
        let found = self.bus.next_where(soon(), message, |event| event.json()["message"] == message).unwrap();
        (found.subject.clone(), found.json())
    }

    /// The next lines, up to one whose message is `last`.
    pub fn lines_up_to(&mut self, last: &str) -> Vec<Message> {
        let mut lines = Vec::new();
        loop {
            let event = self.bus.next(soon()).unwrap();
            let is_last = event.json()["message"] == last;
            lines.push(event);
            if is_last {
                return lines;
            }
        }
    }
}

/// Writes the configuration.
pub fn configuration(folder: &Path, more: &str) -> PathBuf {
    let path = folder.join("natslog.toml");
    let sockets = format!("unix = [\"dgram:{0}/log\", \"stream:{0}/stream\"]", folder.display());
    std::fs::write(&path, format!("{sockets}\nkmsg = \"\"\nlines_per_s = 0\n{more}")).unwrap();
    path
}

pub fn message(event: &Message) -> String {
    event.json()["message"].as_str().unwrap().to_owned()
}
