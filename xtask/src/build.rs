//! Builds the programs as they ship.

use crate::failure::{Context, Failure, Result, expect_success};
use crate::need::{self, Need};
use crate::project::{self, Program, TARGET};
use lexopt::Arg;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How they are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// The stable toolchain's release build.
    Stable,
    /// For flash: nightly, the standard library built for size, no panic messages.
    Tiny,
}

/// What a build made.
pub struct Built {
    /// The folder with the programs.
    pub folder: PathBuf,
    /// The programs in it.
    pub programs: Vec<Program>,
}

/// `cargo xtask build [--tiny]`
pub fn command(mut parser: lexopt::Parser) -> Result<()> {
    let mut flavour = Flavour::Stable;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("tiny") => flavour = Flavour::Tiny,
            Arg::Short('h') | Arg::Long("help") => {
                println!("usage: cargo xtask build [--tiny]");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let built = build(flavour)?;
    print_sizes(&built)
}

/// What a build needs from the system.
pub const fn needs(flavour: Flavour) -> &'static [Need] {
    const STABLE: &[Need] = &[Need::rust_target(TARGET, "static programs")];
    const TINY: &[Need] = &[Need::nightly("the standard library built for size")];
    match flavour {
        Flavour::Stable => STABLE,
        Flavour::Tiny => TINY,
    }
}

/// Builds every program of the workspace.
pub fn build(flavour: Flavour) -> Result<Built> {
    need::satisfy(needs(flavour))?;
    let programs = project::programs()?;
    if programs.is_empty() {
        return Ok(Built { folder: PathBuf::new(), programs });
    }
    let folder = match flavour {
        Flavour::Stable => run_cargo(project::cargo(), "release", &programs, &project::target())?,
        Flavour::Tiny => run_cargo(tiny_cargo(), "tiny", &programs, &project::target().join("tiny"))?,
    };
    Ok(Built { folder, programs })
}

fn run_cargo(mut cargo: Command, profile: &str, programs: &[Program], target_folder: &Path) -> Result<PathBuf> {
    eprintln!("build {} programs for {TARGET}", programs.len());
    cargo.args(["build", "--profile", profile, "--target", TARGET, "--target-dir"]).arg(target_folder);
    for program in programs {
        cargo.args(["-p", &program.package, "--bin", &program.name]);
    }
    expect_success("cargo build", cargo.status().context("cargo build")?)?;
    Ok(target_folder.join(TARGET).join(profile))
}

/// A panic ends the program at once, so nobody walks the stack: no tables for that. Relocations are packed.
const TINY_FLAGS: &str = "-Zunstable-options -Cpanic=immediate-abort -Cforce-unwind-tables=no \
                          -Clink-arg=-Wl,-z,pack-relative-relocs";

/// Cargo of the nightly toolchain, set up to build the standard library as small as it gets.
fn tiny_cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(project::root()).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    cargo.env("RUSTFLAGS", TINY_FLAGS);
    cargo.args(["+nightly", "-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
    cargo
}

/// Prints bytes per program.
pub fn print_sizes(built: &Built) -> Result<()> {
    if built.programs.is_empty() {
        return Err(Failure::new("the workspace has no programs yet"));
    }
    let mut sum = 0;
    for program in &built.programs {
        let path = built.folder.join(&program.name);
        let bytes = std::fs::metadata(&path).at(&path)?.len();
        sum += bytes;
        println!("{:<12} {bytes:>9} bytes", program.name);
    }
    println!("{:<12} {sum:>9} bytes", "all");
    Ok(())
}
