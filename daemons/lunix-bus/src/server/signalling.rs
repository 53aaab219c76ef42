//! `--signal`: tells a running server what to do, as nats-server does.

use std::fmt;
use std::fs;
use sys::signal::{self, Signal, Target};

/// What `--signal` is told: the command and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signalling {
    signal: Signal,
    /// A process number or the name of a file that holds one; `None`: the one server that runs.
    process: Option<String>,
}

/// Why nobody was told.
#[derive(Debug)]
pub enum Failure {
    /// There is no such command.
    Unknown(String),
    /// Neither a number nor a readable file with one.
    BadProcess(String),
    /// No server runs.
    Nobody,
    /// Several servers run.
    Several(Vec<i32>),
    /// The signal cannot be sent.
    Refused(i32, std::io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(command) => write!(f, "unknown signal {command:?}"),
            Self::BadProcess(text) => write!(f, "invalid pid: {text}"),
            Self::Nobody => f.write_str("no nats-server processes running"),
            Self::Several(processes) => {
                f.write_str("multiple nats-server processes running:")?;
                processes.iter().try_for_each(|process| write!(f, " {process}"))
            }
            Self::Refused(process, error) => write!(f, "cannot signal process {process}: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// The program's exit code: 64 wrong usage, 69 there is no such server, 71 the system call failed.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unknown(_) | Self::BadProcess(_) => 64,
            Self::Nobody | Self::Several(_) => 69,
            Self::Refused(..) => 71,
        }
    }
}

impl Signalling {
    /// Reads `COMMAND` or `COMMAND=PROCESS`. `None`: there is no such command.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (command, process) = text.split_once('=').map_or((text, None), |(name, process)| (name, Some(process)));
        let signal = match command {
            "stop" => signal::KILL,
            "quit" => signal::INT,
            "reopen" => signal::USR1,
            "reload" => signal::HUP,
            "ldm" => signal::USR2,
            "term" => signal::TERM,
            _ => return None,
        };
        Some(Self { signal, process: process.map(str::to_owned) })
    }

    /// Sends the signal.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn send(&self) -> Result<(), Failure> {
        let process = match &self.process {
            Some(text) => number(text).ok_or_else(|| Failure::BadProcess(text.clone()))?,
            None => only_one()?,
        };
        signal::send(Target::Process(process), self.signal).map_err(|error| Failure::Refused(process, error))
    }
}

fn number(text: &str) -> Option<i32> {
    text.parse().ok().or_else(|| fs::read_to_string(text).ok()?.trim().parse().ok())
}

/// The one other process that runs the same program.
fn only_one() -> Result<i32, Failure> {
    let ours = i32::try_from(std::process::id()).unwrap_or_default();
    let program = fs::read_link("/proc/self/exe").ok();
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_server = |&number: &i32| number != ours && fs::read_link(format!("/proc/{number}/exe")).ok() == program;
    let servers: Vec<i32> = numbers.filter(is_server).collect();
    match *servers.as_slice() {
        [] => Err(Failure::Nobody),
        [process] => Ok(process),
        [..] => Err(Failure::Several(servers)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_signals() {
        for (text, signal) in [("ldm", signal::USR2), ("reload=5", signal::HUP), ("quit=/run/pid", signal::INT)] {
            let told = Signalling::parse(text).unwrap();
            assert_eq!(told.signal, signal);
            assert_eq!(told.process.as_deref(), text.split_once('=').map(|(_, process)| process));
        }
        assert_eq!(Signalling::parse("bogus"), None);
        let told = Signalling { signal: 0, process: Some("/nowhere".into()) };
        assert_eq!(told.send().unwrap_err().to_string(), "invalid pid: /nowhere");
    }
}
