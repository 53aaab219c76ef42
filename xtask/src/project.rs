//! Where things are, and which programs the workspace has.

use crate::failure::{Context, Failure, Result, expect_success};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What ships is linked statically against musl.
pub const TARGET: &str = "x86_64-unknown-linux-musl";

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of everything about virtual machines.
pub fn vm() -> PathBuf {
    target().join("vm")
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).at(path)
}

/// Cargo, run in the repository.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// A program that ships: its package and its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub package: String,
    pub name: String,
}

/// The programs under `daemons/` and `tools/`, as far as they have a `main`.
pub fn programs() -> Result<Vec<Program>> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1"]).stderr(Stdio::inherit()).output();
    let output = output.context("cargo metadata")?;
    expect_success("cargo metadata", output.status)?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .ok_or_else(|| Failure::new("cargo metadata: no packages"))?;
    let mut programs: Vec<Program> = packages.iter().filter(|package| ships(package)).flat_map(programs_of).collect();
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

fn ships(package: &Value) -> bool {
    let manifest = Path::new(text(package, "manifest_path")).to_owned();
    let root = root();
    ["daemons", "tools"].iter().any(|folder| manifest.starts_with(root.join(folder)))
}

fn programs_of(package: &Value) -> Vec<Program> {
    let targets = package.get("targets").and_then(Value::as_array).into_iter().flatten();
    let is_program = |target: &&Value| {
        target.get("kind").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"))
    };
    targets
        .filter(is_program)
        .map(|target| Program { package: text(package, "name").to_owned(), name: text(target, "name").to_owned() })
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
