//! How an example of each language is run.

use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::process::{Process, binary};
use testkit::{Error, Result, TempDir};

/// The languages that have the examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Node.js with today's client.
    JavaScript,
    /// With the client of 2020, whose lines are the first examples word for word.
    JavaScriptOfNats1,
    /// With nats-py.
    Python,
    /// With async-nats.
    Rust,
    /// Without a library.
    C,
    /// With our own `lunix`.
    Shell,
}

impl Language {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::JavaScript, Self::JavaScriptOfNats1, Self::Python, Self::Rust, Self::C, Self::Shell];

    /// Its folder under `examples/`.
    const fn folder(self) -> &'static str {
        match self {
            Self::JavaScript => "js",
            Self::JavaScriptOfNats1 => "js-nats1",
            Self::Python => "python",
            Self::Rust => "rust",
            Self::C => "c",
            Self::Shell => "shell",
        }
    }

    /// Its name in the names of tests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JavaScriptOfNats1 => "js_nats1",
            Self::JavaScript | Self::Python | Self::Rust | Self::C | Self::Shell => self.folder(),
        }
    }

    /// Why its examples cannot run here.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Shell => binary("lunix").err().map(|error| error.to_string()),
            Self::JavaScript | Self::JavaScriptOfNats1 => {
                variable("LUNIX_NODE_PATH").err().map(|error| error.to_string())
            }
            Self::Python => variable("LUNIX_PYTHON").err().map(|error| error.to_string()),
            Self::Rust => variable("LUNIX_EXAMPLES_BIN_DIR").err().map(|error| error.to_string()),
            Self::C => None,
        }
    }

    /// Whether its `sticks` prints `+ node` and `- node`; the shell's prints the events themselves.
    #[must_use]
    pub const fn prints_changes(self) -> bool {
        !matches!(self, Self::Shell)
    }

    /// Starts the example; `folder` is for what it needs beside it.
    ///
    /// # Errors
    /// When it cannot be compiled or started.
    pub fn start(self, example: &str, folder: &TempDir, environment: &[(&str, &str)]) -> Result<Process> {
        let mut command = self.command(example, folder.path())?;
        command.envs(environment.iter().copied());
        Process::spawn(&format!("{}/{example}", self.folder()), &mut command)
    }

    fn command(self, example: &str, folder: &Path) -> Result<Command> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(self.folder());
        match self {
            Self::JavaScript => node(&source, &format!("{example}.mjs"), folder),
            Self::JavaScriptOfNats1 => node(&source, &format!("{example}.js"), folder),
            Self::Python => {
                let mut command = Command::new(variable("LUNIX_PYTHON")?);
                command.arg(source.join(format!("{example}.py")));
                Ok(command)
            }
            Self::Rust => Ok(Command::new(variable("LUNIX_EXAMPLES_BIN_DIR")?.join(example))),
            Self::C => compile(&source.join(format!("{example}.c")), &folder.join(example)),
            Self::Shell => {
                let mut command = Command::new("sh");
                command.arg(source.join(format!("{example}.sh")));
                Ok(command)
            }
        }
    }
}

fn variable(name: &str) -> Result<PathBuf> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| Error::unexpected(format!("{name} is not set: run `cargo xtask test examples`")))
}

/// Node looks for packages beside the program alone, so the program is copied to where they are.
fn node(source: &Path, program: &str, folder: &Path) -> Result<Command> {
    let failed = || Error::io(format!("copy {}", source.display()));
    for entry in std::fs::read_dir(source).map_err(failed())?.flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).map_err(failed())?;
    }
    let packages = folder.join("node_modules");
    if !packages.exists() {
        std::os::unix::fs::symlink(variable("LUNIX_NODE_PATH")?, packages).map_err(failed())?;
    }
    let mut command = Command::new("node");
    command.arg(folder.join(program));
    Ok(command)
}

fn compile(source: &Path, program: &Path) -> Result<Command> {
    let output = Command::new("cc").args(["-Wall", "-Wextra", "-O1", "-o"]).arg(program).arg(source).output();
    let output = output.map_err(Error::io("run cc"))?;
    if output.status.success() && output.stderr.is_empty() {
        return Ok(Command::new(program));
    }
    Err(Error::unexpected(format!("cc {}:\n{}", source.display(), String::from_utf8_lossy(&output.stderr))))
}
