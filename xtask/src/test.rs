//! `cargo xtask test`: every stage with its own summary, and at the end one line `N passed, N failed, N skipped`.

mod clients;
mod count;
mod state;

use crate::build::{self, Flavour};
use crate::failure::{Context, Failure, Result};
use crate::kernel;
use crate::need::{self, Need};
use crate::project;
use crate::userland;
use crate::vm::prepare::{self, Wanted, prepare};
use count::Count;
use lexopt::{Arg, ValueExt};
use state::State;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A part of the test run.
struct Stage {
    name: &'static str,
    /// What it proves.
    what: &'static str,
    /// Arguments of `cargo test`.
    arguments: &'static [&'static str],
    /// What is made for it first.
    prepares: Prepares,
    /// It is run when it is named or everything is asked for, because it takes long or much.
    only_full: bool,
    /// After so many seconds it has failed; `--full` has four times as long.
    limit_s: u64,
}

/// What a stage needs beside the built programs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prepares {
    Nothing,
    /// The kernel and an image with a test shell.
    Machine,
    /// A Debian userland on a disk.
    Debian,
    /// The examples in Rust.
    Examples,
    /// Programs around other people's compiled clients.
    Clients,
    /// The tiny build: always in a full run, else where nightly is here already.
    TinyBuild,
}

/// In this order: what fails fast comes first.
const STAGES: &[Stage] = &[
    Stage {
        name: "unit",
        what: "every crate's own tests and examples",
        arguments: &["--workspace"],
        prepares: Prepares::Nothing,
        only_full: false,
        limit_s: 900,
    },
    Stage {
        name: "process",
        what: "the built programs on this machine",
        arguments: &["-p", "lunix-tests", "--features", "process", "--test", "process"],
        prepares: Prepares::Nothing,
        only_full: false,
        limit_s: 600,
    },
    Stage {
        name: "clients",
        what: "other people's clients see the same of nats-server and of our bus",
        arguments: &["-p", "lunix-tests", "--features", "clients", "--test", "clients"],
        prepares: Prepares::Clients,
        only_full: false,
        limit_s: 600,
    },
    Stage {
        name: "budget",
        what: "bytes, memory, wake-ups and allocations within SPECIFICATION.md",
        arguments: &["-p", "lunix-tests", "--features", "budget", "--test", "budget"],
        prepares: Prepares::TinyBuild,
        only_full: false,
        limit_s: 600,
    },
    Stage {
        name: "vm",
        what: "a real kernel: boot, plug, kill, power off",
        arguments: &["-p", "lunix-tests", "--features", "vm", "--test", "vm"],
        prepares: Prepares::Machine,
        only_full: false,
        limit_s: 600,
    },
    Stage {
        name: "debian",
        what: "a Debian userland with login, sshd and cron under lunix-init",
        arguments: &["-p", "lunix-tests", "--features", "debian", "--test", "debian"],
        prepares: Prepares::Debian,
        only_full: true,
        limit_s: 900,
    },
    Stage {
        name: "examples",
        what: "the examples in every language, on nats-server and on our bus",
        arguments: &["-p", "lunix-tests", "--features", "examples", "--test", "examples"],
        prepares: Prepares::Examples,
        only_full: false,
        limit_s: 600,
    },
];

const NEEDS: &[Need] = &[
    Need::apt_program("dosfstools", "mkfs.vfat", "file systems on test sticks"),
    Need::apt_program("exfatprogs", "mkfs.exfat", "file systems on test sticks"),
    Need::apt_program("e2fsprogs", "mkfs.ext4", "file systems on test sticks"),
    Need::apt("strace", "counts system calls at idle"),
];

/// Other people's inits and daemons. Tests that miss them are skipped; a full run skips nothing.
const FULL_NEEDS: &[Need] = &[
    Need::apt_program("runit", "runsvdir", "runs our daemons"),
    Need::apt_program("s6", "s6-svscan", "runs our daemons"),
    Need::apt_program("openrc", "openrc-run", "runs our daemons"),
    Need::apt_program("systemd", "systemd-analyze", "reads our units"),
    Need::apt("mosquitto", "runs from its converted unit"),
    Need::apt("redis-server", "runs from its converted unit"),
    Need::apt_program("nginx-light", "nginx", "runs from its converted unit"),
    Need::apt("cron", "runs from its converted unit"),
];

type Environment = BTreeMap<&'static str, OsString>;

/// `cargo xtask test [STAGE…] [--full]`
pub fn command(mut parser: lexopt::Parser) -> Result<()> {
    let mut is_full = false;
    let mut wanted: Vec<String> = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("full") => is_full = true,
            Arg::Value(name) => wanted.push(name.string()?),
            Arg::Short('h') | Arg::Long("help") => {
                println!("usage: cargo xtask test [--full] [STAGE…]");
                STAGES.iter().for_each(|stage| println!("  {:<9} {}", stage.name, stage.what));
                println!("  --full    larger counts; what passed is not repeated until the source changes");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if let Some(unknown) = wanted.iter().find(|name| !STAGES.iter().any(|stage| stage.name == **name)) {
        return Err(Failure::usage(format!("no stage {unknown}: see `cargo xtask test --help`")));
    }
    let stages: Vec<&Stage> = STAGES.iter().filter(|stage| is_wanted(stage, &wanted, is_full)).collect();
    run(&stages, is_full)
}

/// Stages that are named, or without a name those of the run.
fn is_wanted(stage: &Stage, names: &[String], is_full: bool) -> bool {
    if names.is_empty() { is_full || !stage.only_full } else { names.iter().any(|name| name == stage.name) }
}

fn run(stages: &[&Stage], is_full: bool) -> Result<()> {
    let vm = if stages.iter().any(|stage| matches!(stage.prepares, Prepares::Machine | Prepares::Debian)) {
        [prepare::NEEDS, kernel::NEEDS].concat()
    } else {
        Vec::new()
    };
    let full = if is_full { FULL_NEEDS } else { &[] };
    need::satisfy(&[NEEDS, full, &vm, build::needs(Flavour::Stable), clients::NEEDS].concat())?;
    let built = build::build(Flavour::Stable)?;
    let mut environment = clients::environment();
    environment.insert("LUNIX_BIN_DIR", built.folder.into());
    if is_full {
        environment.insert("LUNIX_FULL", "1".into());
    }
    let mut state = State::load(is_full)?;
    let mut results: Vec<(&Stage, Count, f32)> = Vec::new();
    for stage in stages {
        let start = Instant::now();
        let count = match state.passed(stage.name) {
            Some(count) => {
                eprintln!("== {}: passed before on this very tree", stage.name);
                count
            }
            None => run_stage(stage, &environment, is_full).unwrap_or_else(|failure| {
                eprintln!("xtask: {failure}");
                Count { failed: 1, ..Count::default() }
            }),
        };
        state.save(stage.name, &count)?;
        results.push((stage, count, start.elapsed().as_secs_f32()));
    }
    summary(&results, is_full)
}

fn run_stage(stage: &Stage, environment: &Environment, is_full: bool) -> Result<Count> {
    eprintln!("== {}: {}", stage.name, stage.what);
    let mut environment = environment.clone();
    match stage.prepares {
        Prepares::Nothing => {}
        Prepares::Machine => {
            let folder = project::vm().join("run/test");
            project::make_folder(&folder)?;
            prepare(&Wanted { flavour: Flavour::Stable, kernel: None, busybox: None, has_test_shell: true }, &folder)?;
            environment.insert("LUNIX_VM", folder.join("prepared.json").into());
        }
        Prepares::Debian => prepare_debian(&mut environment)?,
        Prepares::TinyBuild if is_full || need::is_met(build::needs(Flavour::Tiny)) => {
            environment.insert("LUNIX_TINY_BIN_DIR", build::build(Flavour::Tiny)?.folder.into());
        }
        Prepares::TinyBuild => eprintln!("no nightly toolchain: the tiny build is left out (`--full` installs it)"),
        Prepares::Clients => drop(environment.insert("LUNIX_CLIENTS_BIN_DIR", clients::compile()?.into())),
        Prepares::Examples => {
            clients::build_rust()?;
            environment.insert("LUNIX_EXAMPLES_BIN_DIR", project::target().join("debug").into());
        }
    }
    let skip_log = project::target().join(format!("skipped-{}.txt", stage.name));
    std::fs::write(&skip_log, "").at(&skip_log)?;
    environment.insert("LUNIX_SKIP_LOG", skip_log.clone().into());
    let limit_s = stage.limit_s * if is_full { 4 } else { 1 };
    let cargo = project::cargo();
    let mut command = Command::new("timeout");
    command.args(["--foreground", "--kill-after=10", &limit_s.to_string()]).arg(cargo.get_program());
    command.current_dir(project::root()).args(["test", "--no-fail-fast"]).args(stage.arguments);
    command.envs(&environment).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cargo test")?;
    let mut count = Count::default();
    for line in
        child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(std::result::Result::ok)
    {
        println!("{line}");
        count.add_result_line(&line);
    }
    let status = child.wait().context("cargo test")?;
    if status.code() == Some(124) {
        eprintln!("xtask: stage {} was stopped after {limit_s} s", stage.name);
    }
    if !status.success() && count.failed == 0 {
        count.failed = 1;
    }
    count.add_skips(&std::fs::read_to_string(&skip_log).at(&skip_log)?);
    Ok(count)
}

/// Where there can be no such userland, the tests are told why and say so.
fn prepare_debian(environment: &mut Environment) -> Result<()> {
    let folder = project::vm().join("run/debian");
    project::make_folder(&folder)?;
    let built = build::build(Flavour::Stable)?;
    let prepared = match userland::missing() {
        Some(reason) => Err(reason),
        None => userland::prepare(&built, &folder).map_err(|failure| failure.to_string()),
    };
    match prepared {
        Ok(path) => environment.insert("LUNIX_DEBIAN", path.into()),
        Err(reason) => environment.insert("LUNIX_DEBIAN_MISSING", reason.into()),
    };
    Ok(())
}

fn summary(results: &[(&Stage, Count, f32)], is_full: bool) -> Result<()> {
    println!();
    let mut all = Count::default();
    for (stage, count, seconds) in results {
        println!("{:<9} {count} ({seconds:.0} s)", stage.name);
        count.reasons().iter().for_each(|reason| println!("          skipped {reason}"));
        all.add(count);
    }
    if is_full {
        let rows: Vec<String> =
            results.iter().map(|(stage, count, _)| format!("| {} | {} | {count} |", stage.name, stage.what)).collect();
        state::write_to_specification(&rows)?;
    }
    println!("{all}");
    if all.failed == 0 { Ok(()) } else { Err(Failure::new("some tests failed")) }
}
