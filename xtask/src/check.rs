//! `cargo xtask check`: everything about the source that a machine can judge.

use crate::build::{self, Flavour};
use crate::failure::{Context, Failure, Result, expect_success};
use crate::house;
use crate::panics;
use crate::progress::Step;
use crate::project::{self, TARGET};
use lexopt::{Arg, ValueExt};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// Runs one check. One that cannot run here says so and is not a failure.
type Check = fn() -> Result<()>;

const CHECKS: &[(&str, Check)] = &[
    ("format", format),
    ("house rules", house::check),
    ("generated files", || cargo(&["run", "--quiet", "--package", "codegen", "--", "--check"])),
    ("lints", lints),
    ("manuals", manuals),
    ("docs", docs),
    ("licences and duplicates", deny),
    ("panics", panics::check),
    ("sizes", sizes),
];

/// `cargo xtask check`
pub fn command(mut parser: lexopt::Parser) -> Result<()> {
    let mut wanted = None;
    match parser.next()? {
        None => {}
        Some(Arg::Value(name)) => wanted = Some(name.string()?),
        Some(Arg::Short('h') | Arg::Long("help")) => {
            let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
            println!("usage: cargo xtask check [NAME]\nchecks {}", names.join(", "));
            return Ok(());
        }
        Some(other) => return Err(other.unexpected().into()),
    }
    let checks: Vec<&(&str, Check)> =
        CHECKS.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name)).collect();
    if checks.is_empty() {
        return Err(Failure::new("there is no such check: see --help"));
    }
    let mut failed = Vec::new();
    for (name, check) in &checks {
        eprintln!("== {name}");
        if let Err(failure) = check() {
            eprintln!("{failure}");
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        println!("{} of {} checks passed", checks.len(), CHECKS.len());
        return Ok(());
    }
    Err(Failure::new(format!("failed: {}", failed.join(", "))))
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let status = project::cargo().args(arguments).env("RUSTDOCFLAGS", "-D warnings").status().context("cargo")?;
    expect_success(&format!("cargo {}", arguments.join(" ")), status)
}

fn format() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])
}

fn lints() -> Result<()> {
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--quiet",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ])
}

fn docs() -> Result<()> {
    cargo(&["doc", "--workspace", "--no-deps", "--quiet"])
}

fn deny() -> Result<()> {
    let has_deny = project::cargo().args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !has_deny.is_ok_and(|status| status.success()) {
        eprintln!("skipped: cargo-deny is not here (cargo install --locked cargo-deny takes some minutes)");
        return Ok(());
    }
    cargo(&["deny", "check"])
}

/// Every manual must be one that scdoc accepts.
fn manuals() -> Result<()> {
    if Command::new("scdoc").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        eprintln!("skipped: scdoc is not here (apt-get install scdoc)");
        return Ok(());
    }
    let mut bad = Vec::new();
    for path in house::files()?.into_iter().filter(|path| path.ends_with(".scd")) {
        let file = std::fs::File::open(project::root().join(&path)).context(&path)?;
        let output = Command::new("scdoc").stdin(file).output().context("scdoc")?;
        if !output.status.success() {
            bad.push(format!("{path}: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(Failure::new(bad.join("\n"))) }
}

/// Prints crates and bytes per program.
fn sizes() -> Result<()> {
    let built = build::build(Flavour::Stable)?;
    if built.programs.is_empty() {
        return Ok(());
    }
    build::print_sizes(&built)?;
    let _step = Step::new("count the crates");
    for program in &built.programs {
        let arguments = [
            "tree",
            "-p",
            &program.package,
            "--edges",
            "normal",
            "--target",
            TARGET,
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let output = project::cargo().args(arguments).output().context("cargo tree")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (own, others): (BTreeSet<&str>, BTreeSet<&str>) = text
            .lines()
            .map(|line| line.trim_end_matches(" (*)"))
            .filter(|line| !line.contains("proc-macro"))
            .partition(|line| line.contains("(/"));
        println!("{:<12} {:>3} crates of ours, {:>3} of others", program.name, own.len(), others.len());
    }
    Ok(())
}
