//! The project's own commands: `cargo xtask COMMAND`.
#![forbid(unsafe_code)]

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
mod vm;

use failure::{Failure, Result};
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
        name: "codegen",
        summary: "write what is generated: schemas, types, manuals; --check only compares",
        run: check::codegen,
    },
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
        Ok(_) => "help".to_owned(),
        Err(error) => return report(&error.into()),
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        print_help();
        return if name == "help" { ExitCode::SUCCESS } else { ExitCode::from(64) };
    };
    match (command.run)(parser) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
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
