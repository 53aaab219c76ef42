//! The project's own commands: `cargo xtask COMMAND`.
#![forbid(unsafe_code)]

mod bench;
mod build;
mod check;
mod cpio;
mod debian;
mod failure;
mod house;
mod image;
mod kernel;
mod need;
mod progress;
mod project;
mod test;
mod userland;
mod vm;

use failure::{Context, Failure, Result};
use std::process::ExitCode;

/// One command: its name, what the help says, and what runs it.
struct Command {
    name: &'static str,
    summary: &'static str,
    run: fn(lexopt::Parser) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "vm",
        summary: "boot lunix in QEMU, with the console on this terminal; `vm help` lists the rest",
        run: vm::command,
    },
    Command {
        name: "build",
        summary: "build the programs as they ship and print their sizes; --tiny for flash",
        run: build::command,
    },
    Command {
        name: "test",
        summary: "run all tests, or only the stages named; --full for larger counts",
        run: test::command,
    },
    Command {
        name: "bench",
        summary: "us and the peer in the same minute: [bus] [boot] [sizes] [--tiny] [--seconds S] [--rounds N]",
        run: bench::command,
    },
    Command {
        name: "codegen",
        summary: "write api/ and the generated parts of the manuals from crates/interfaces",
        run: codegen,
    },
    Command { name: "up", summary: "build lunix and run `lunix up` on this machine; what follows goes to it", run: up },
    Command {
        name: "check",
        summary: "format, house rules, generated files, lints, manuals, docs, licences, sizes",
        run: check::command,
    },
];

fn main() -> ExitCode {
    let mut parser = lexopt::Parser::from_env();
    let name = match parser.next() {
        Ok(Some(lexopt::Arg::Value(name))) => name.to_string_lossy().into_owned(),
        Ok(None | Some(lexopt::Arg::Short('h') | lexopt::Arg::Long("help"))) => "help".to_owned(),
        Ok(Some(other)) => return report(&other.unexpected().into()),
        Err(error) => return report(&error.into()),
    };
    if name == "help" {
        print_help();
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return report(&Failure::usage(format!("no command {name}: see `cargo xtask help`")));
    };
    match (command.run)(parser) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

/// The generator is a program of its own: it needs every daemon, which `cargo xtask vm` must not wait for.
fn codegen(mut parser: lexopt::Parser) -> Result<()> {
    let words: Vec<_> = parser.raw_args().map(Iterator::collect).unwrap_or_default();
    let status = project::cargo().args(["run", "--quiet", "--package", "codegen", "--"]).args(words).status();
    failure::expect_success("codegen", status.context("cargo run")?)
}

/// Host mode from a clone.
fn up(mut parser: lexopt::Parser) -> Result<()> {
    let words: Vec<_> = parser.raw_args().map(Iterator::collect).unwrap_or_default();
    let built = build::build(build::Flavour::Stable)?;
    let status = std::process::Command::new(built.folder.join("lunix")).arg("up").args(words).status();
    failure::expect_success("lunix up", status.context("lunix up")?)
}

fn report(failure: &Failure) -> ExitCode {
    eprintln!("xtask: {failure}");
    ExitCode::from(failure.exit_code())
}

fn print_help() {
    println!("usage: cargo xtask COMMAND [OPTIONS]\n");
    for command in COMMANDS {
        println!("  {:<8} {}", command.name, command.summary);
    }
}
