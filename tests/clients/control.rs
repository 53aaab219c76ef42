//! What a client's program may ask of the runner, one line each; the answer is one line too.
//!
//! | line | does | answer |
//! |---|---|---|
//! | `! start NAME [CONFIGURATION]` | starts a server on a free port | `127.0.0.1:PORT` |
//! | `! again NAME [CONFIGURATION]` | starts it again on its port | the same |
//! | `! kill NAME`, `! stop NAME` | SIGKILL, SIGTERM; waits for its end | `ok` |
//! | `! freeze NAME`, `! thaw NAME` | SIGSTOP, SIGCONT | `ok` |
//! | `! lame NAME` | SIGUSR2: it asks its clients to go elsewhere | `ok` |
//! | `! reload NAME CONFIGURATION` | another configuration and SIGHUP; waits until it is taken | `ok` |
//! | `! monitor NAME TARGET POINTER` | asks the monitoring port | the value at the JSON pointer |
//! | `! keys` | writes the files of `user` and `stranger` ([`crate::identity`]) | their folder |
//! | `! certificates` | writes those of [`crate::certificates`] | their folder |
//! | `! port` | a port where nobody listens | `127.0.0.1:PORT` |

use crate::server::{Kind, Server, free_port};
use crate::{certificates, identity};
use rustix::process::Signal;
use std::collections::BTreeMap;
use testkit::{Error, Result, TempDir};

/// The servers of one play.
pub(crate) struct Servers {
    kind: Kind,
    folder: TempDir,
    all: BTreeMap<String, Server>,
}

impl Servers {
    pub(crate) fn new(kind: Kind) -> Result<Self> {
        Ok(Self { kind, folder: TempDir::new("clients")?, all: BTreeMap::new() })
    }

    /// Does what a line says after its `! ` and returns the answer.
    pub(crate) fn obey(&mut self, line: &str) -> Result<String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (name, argument) = rest.split_once(' ').unwrap_or((rest, ""));
        match verb {
            "start" | "again" => {
                if verb == "start" {
                    self.all.insert(name.to_owned(), Server::new(self.kind, self.folder.path(), name)?);
                }
                let server = self.named(name)?;
                server.start(argument)?;
                return Ok(format!("127.0.0.1:{}", server.port()));
            }
            "kill" => self.named(name)?.end(Signal::KILL)?,
            "stop" => self.named(name)?.end(Signal::TERM)?,
            "freeze" => self.named(name)?.signal(Signal::STOP)?,
            "thaw" => self.named(name)?.signal(Signal::CONT)?,
            "lame" => self.named(name)?.signal(Signal::USR2)?,
            "reload" => self.named(name)?.reload(argument)?,
            "monitor" => {
                let (target, pointer) = argument.split_once(' ').unwrap_or((argument, ""));
                return self.named(name)?.monitor(target, pointer).map(|value| value.to_string());
            }
            "keys" => {
                identity::write(self.folder.path())?;
                return Ok(self.folder.path().display().to_string());
            }
            "certificates" => {
                certificates::write(self.folder.path())?;
                return Ok(self.folder.path().display().to_string());
            }
            "port" => return free_port().map(|port| format!("127.0.0.1:{port}")),
            _ => return Err(Error::unexpected(format!("the program asks for {line:?}"))),
        }
        Ok("ok".to_owned())
    }

    /// Everything the servers have logged.
    pub(crate) fn logs(&self) -> String {
        self.all.iter().map(|(name, server)| format!("--- server {name} ---\n{}", server.log())).collect()
    }

    fn named(&mut self, name: &str) -> Result<&mut Server> {
        self.all.get_mut(name).ok_or_else(|| Error::unexpected(format!("no server {name}")))
    }
}
