//! The clients, and how their programs are run.

use crate::play::soon;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::process::Process;
use testkit::{Error, Result, TempDir};

/// A stock client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// PyPI's nats-py.
    NatsPy,
    /// npm's `@nats-io/transport-node`.
    TransportNode,
    /// npm's `@nats-io/nats-core` in Chromium.
    Browser,
    /// npm's `nats` in its version 2.
    Nats2,
    /// npm's `nats` in its version 1.
    Nats1,
    /// crates.io's async-nats.
    AsyncNats,
    /// Debian's nats.go.
    NatsGo,
    /// Debian's libnats.
    LibNats,
}

impl Client {
    pub(crate) const ALL: &[Self] = &[
        Self::NatsPy,
        Self::TransportNode,
        Self::Browser,
        Self::Nats2,
        Self::Nats1,
        Self::AsyncNats,
        Self::NatsGo,
        Self::LibNats,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NatsPy => "nats_py",
            Self::TransportNode => "nats_js_3",
            Self::Browser => "browser",
            Self::Nats2 => "nats_js_2",
            Self::Nats1 => "nats_js_1",
            Self::AsyncNats => "async_nats",
            Self::NatsGo => "nats_go",
            Self::LibNats => "libnats",
        }
    }

    /// Why it cannot run here.
    pub(crate) fn missing(self) -> Option<String> {
        let needed = match self {
            Self::NatsPy => variable("LUNIX_PYTHON"),
            Self::TransportNode | Self::Nats2 | Self::Nats1 => variable("LUNIX_NODE_PATH"),
            Self::Browser => browser(),
            Self::AsyncNats => built("async-nats"),
            Self::NatsGo => built("nats-go"),
            Self::LibNats => built("libnats"),
        };
        needed.err().map(|error| error.to_string())
    }

    /// The scenarios that its program has.
    pub(crate) fn scenarios(self) -> Result<Vec<String>> {
        let folder = TempDir::new("client")?;
        let mut program = Process::spawn(self.name(), &mut self.command(folder.path())?)?;
        let status = program.exit(soon())?;
        program.line(soon(), "done")?;
        let printed = program.printed();
        let scenarios: Vec<String> =
            printed.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect();
        if status.success() && !scenarios.is_empty() {
            return Ok(scenarios);
        }
        Err(Error::unexpected(format!("{} lists no scenarios:\n{printed}", self.name())))
    }

    /// Its program; `folder` is for what it needs beside it.
    pub(crate) fn command(self, folder: &Path) -> Result<Command> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let command = match self {
            Self::NatsPy => {
                let mut command = Command::new(variable("LUNIX_PYTHON")?);
                command.arg("-B").arg(source.join("python/main.py"));
                command
            }
            Self::TransportNode => node(&source.join("js"), "main.mjs", folder, "transport-node")?,
            Self::Browser => {
                let mut command = node(&source.join("js"), "browser.mjs", folder, "browser")?;
                command.env("CHROMIUM", browser()?);
                command
            }
            Self::Nats2 => node(&source.join("js"), "main.mjs", folder, "nats2")?,
            Self::Nats1 => node(&source.join("js"), "nats1.mjs", folder, "nats1")?,
            Self::AsyncNats => Command::new(built("async-nats")?),
            Self::NatsGo => Command::new(built("nats-go")?),
            Self::LibNats => Command::new(built("libnats")?),
        };
        Ok(command)
    }
}

/// A compiled program, if whoever prepares the tests has made it.
fn built(name: &str) -> Result<PathBuf> {
    let path = variable("LUNIX_CLIENTS_BIN_DIR")?.join(name);
    if path.is_file() {
        return Ok(path);
    }
    // Whoever prepares the tests leaves the reason beside it.
    let reason = std::fs::read_to_string(path.with_extension("missing")).unwrap_or_default();
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(Error::unexpected(format!("{name} is not built: {reason}")))
}

/// Chromium, where what bundles programs for it is there too.
fn browser() -> Result<PathBuf> {
    let bundler = variable("LUNIX_NODE_PATH")?.join("esbuild");
    if !bundler.is_dir() {
        return Err(Error::unexpected("esbuild is not installed: run `cargo xtask test clients`"));
    }
    let tool = testkit::disk::find_tool("chromium");
    if tool.is_absolute() { Ok(tool) } else { Err(Error::unexpected("chromium is not installed")) }
}

fn variable(name: &str) -> Result<PathBuf> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| Error::unexpected(format!("{name} is not set: run `cargo xtask test clients`")))
}

/// Node looks for packages beside the program alone, so the program is copied to where they are.
fn node(source: &Path, program: &str, folder: &Path, client: &str) -> Result<Command> {
    let failed = || Error::io(format!("copy {}", source.display()));
    for entry in std::fs::read_dir(source).map_err(failed())?.flatten() {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).map_err(failed())?;
    }
    std::os::unix::fs::symlink(variable("LUNIX_NODE_PATH")?, folder.join("node_modules")).map_err(failed())?;
    let mut command = Command::new("node");
    command.arg(folder.join(program)).env("CLIENT", client);
    Ok(command)
}
