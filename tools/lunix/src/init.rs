//! `lunix init …`: lunix-init itself.

use crate::output::Stop;
use crate::service::{ask, open, socket};
use init_control::Request;
use program::{Fatal, Given, exit};

/// One of `reexec`.
pub(crate) fn run(given: &Given, verb: &str) -> Result<(), Stop> {
    match verb {
        "reexec" => reexec(given),
        // The table has no other verb, and the parser takes none.
        other => Err(Fatal::new(exit::USAGE, format!("unknown command init {other}")).into()),
    }
}

/// Lets the program that is installed now take the place of the one that runs, and waits until it answers.
fn reexec(given: &Given) -> Result<(), Stop> {
    ask(&mut open(socket(given))?, &Request::Reexec, |_| {})?;
    Ok(ask(&mut open(socket(given))?, &Request::List, |_| {})?)
}
