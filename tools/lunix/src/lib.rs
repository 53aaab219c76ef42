//! The command line: talks to the bus and to lunix-init, and starts a small lunix on any Linux machine.
//!
//! | command | what it does | file |
//! |---|---|---|
//! | `sub` | prints messages, one line each; with `--state` what is there first | [`mod@sub`] |
//! | `pub`, `req` | publish, request | `publish`, `request` |
//! | `log` | lines of the log, those that are kept and those that come | `log` |
//! | `status`, `service`, `poweroff` … | daemons and services | `status`, `service` |
//! | `service convert` | units of systemd as service directories | [`convert`] |
//! | `up` | host mode: bus, daemons and their supervisor as ordinary processes | [`up`] |
//! | `tied` | runs a program that ends with its parent | `tied` |
//!
//! Everything is one thread that waits; nothing polls. The table in [`table`] makes parser, help, manual and completions.
//!
//! ```
//! use lunix::line;
//! // A payload never becomes more than one line, whatever is in it.
//! assert_eq!(line::shown(b"{\n  \"a\": 1\n}"), "{   \"a\": 1 }");
//! assert_eq!(line::shown(b"two\nlines"), "two\\nlines");
//! ```
#![forbid(unsafe_code)]

mod bus;
pub mod convert;
mod dependencies;
pub mod field;
mod init;
pub mod line;
mod log;
mod output;
mod publish;
mod request;
mod service;
mod status;
pub mod sub;
pub mod table;
mod tied;
mod time;
pub mod up;

use output::{Lines, Stop};
use program::{Fatal, Given, Level, Shell, exit};
use std::process::ExitCode;

/// Runs the process's command line.
#[must_use]
pub fn main() -> ExitCode {
    let result = table::LUNIX.parse(std::env::args_os().skip(1)).map_err(Stop::from).and_then(|given| run(&given));
    match result {
        // Whoever read our output has what he wanted.
        Ok(()) | Err(Stop::OutputClosed) => ExitCode::SUCCESS,
        Err(Stop::Fatal(fatal)) => {
            program::log::line(table::LUNIX.name, Level::Error, &fatal);
            ExitCode::from(fatal.code)
        }
    }
}

fn run(given: &Given) -> Result<(), Stop> {
    let mut lines = Lines::stdout();
    if given.has("help") {
        return lines.text(&table::LUNIX.help_of(given.commands()));
    }
    if given.has("version") {
        return lines.text(&format!("{} {}\n", table::LUNIX.name, env!("CARGO_PKG_VERSION")));
    }
    match given.commands() {
        ["sub"] => sub::run(given, lines),
        ["pub"] => publish::run(given),
        ["log"] => log::run(given, lines),
        ["req"] => request::run(given, &mut lines),
        ["status"] => status::run(given, &mut lines),
        ["service", "convert"] => convert::run(given, &mut lines),
        ["init", verb] => init::run(given, verb),
        ["service", verb] => service::run(given, verb, &mut lines),
        [verb @ ("poweroff" | "reboot" | "halt")] => service::end(given, verb),
        ["up"] => up::run(given, lines),
        ["tied"] => Err(tied::run(given).into()),
        ["help"] => help(given, &mut lines),
        ["completions"] => completions(given, &mut lines),
        // The table has no other command, and the parser takes none.
        other => Err(Fatal::new(exit::USAGE, format!("unknown command {}", other.join(" "))).into()),
    }
}

fn help(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let commands: Vec<&str> = given.arguments().iter().map(String::as_str).collect();
    lines.text(&table::LUNIX.help_of(&commands))
}

fn completions(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    match given.argument(0).and_then(Shell::from_name) {
        Some(shell) => lines.text(&table::LUNIX.completions(shell)),
        // The table lists the words, and the parser takes no other.
        None => Err(Fatal::new(exit::USAGE, "expected bash, zsh or fish").into()),
    }
}
