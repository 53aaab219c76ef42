//! A bus to test against: lunix-bus where it is built, else the nats-server that `NATS_SERVER` names.

pub(crate) mod init;

use std::path::PathBuf;
use std::process::{Command, Output};
use testkit::process::{Process, binary};
use testkit::{Deadline, TempDir};

/// How long anything may take.
pub(crate) fn soon() -> Deadline {
    Deadline::seconds(20)
}

/// The command under test, with nothing of the tester's environment that it could look at.
pub(crate) fn lunix(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lunix"));
    command.args(arguments).env_remove("NATS_URL").env_remove("LUNIX_LOG").env_remove("XDG_RUNTIME_DIR");
    command
}

/// A bus on a loopback port, killed when dropped.
pub(crate) struct Bed {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    port: u16,
    program: PathBuf,
    configuration: Option<PathBuf>,
    process: Option<Process>,
}

impl Bed {
    /// Starts one, or notes why `test` is skipped.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
        match binary("lunix-bus").ok().or(named) {
            Some(program) => Some(Self::with(program, None)),
            None => {
                testkit::skip::note(test, "no bus: lunix-bus is not built and NATS_SERVER is not set");
                None
            }
        }
    }

    /// Starts one, nats-server where it is named: for what must work with the bus of others.
    pub(crate) fn foreign(test: &str) -> Option<Self> {
        match std::env::var_os("NATS_SERVER").map(PathBuf::from) {
            Some(program) => Some(Self::with(program, None)),
            None => Self::start(test),
        }
    }

    /// Starts nats-server with a configuration, or notes why `test` is skipped.
    pub(crate) fn configured(test: &str, configuration: &str) -> Option<Self> {
        match std::env::var_os("NATS_SERVER").map(PathBuf::from) {
            Some(program) => Some(Self::with(program, Some(configuration))),
            None => {
                testkit::skip::note(test, "NATS_SERVER is not set");
                None
            }
        }
    }

    fn with(program: PathBuf, configuration: Option<&str>) -> Self {
        let folder = TempDir::new("cli").unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = configuration.map(|text| {
            let path = folder.join("bus.conf");
            std::fs::write(&path, text).unwrap();
            path
        });
        let url = format!("nats://127.0.0.1:{port}");
        let mut bed = Self { folder, url, port, program, configuration, process: None };
        bed.up();
        bed
    }

    /// Starts the bus (again), and waits until it listens.
    pub(crate) fn up(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string()]);
        if let Some(path) = &self.configuration {
            command.arg("-c").arg(path);
        }
        let mut process = Process::spawn("bus", &mut command).unwrap();
        process.line(soon(), "Server is ready").unwrap();
        self.process = Some(process);
    }

    /// Kills the bus.
    pub(crate) fn down(&mut self) {
        self.process = None;
    }

    /// A client that judges ours.
    pub(crate) fn client(&self) -> testkit::bus::Bus {
        testkit::bus::Bus::connect(&self.url, soon()).unwrap()
    }

    /// Runs a command of ours to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::from(lunix(arguments).env("NATS_URL", &self.url).output().unwrap())
    }

    /// Starts a command of ours.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Process {
        Process::spawn("lunix", lunix(arguments).env("NATS_URL", &self.url)).unwrap()
    }
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ended {
    /// Checks the exit code and that standard error has these words.
    pub(crate) fn refuses(&self, code: i32, words: &str) {
        assert!(self.code == Some(code) && self.err.contains(words), "expected {code} and {words:?}: {self:?}");
    }
}
