//! The promises of SPECIFICATION.md that are counted: bytes of the programs, memory, wake-ups, allocations.
//!
//! The document's own table is the budget. `LUNIX_BIN_DIR` holds the stable build; the tiny one is measured too where
//! `LUNIX_TINY_BIN_DIR` names it.
#![forbid(unsafe_code)]

mod clients;
mod idle;
mod machine;
mod memory;
mod messages;
mod sizes;
mod status;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use table::Table;
use testkit::suite::Suite;

/// One build of the programs.
struct Flavour {
    /// `stable` or `tiny`, as in the headings of the table.
    name: &'static str,
    folder: PathBuf,
}

fn flavours() -> Vec<Flavour> {
    let variables = [("stable", "LUNIX_BIN_DIR"), ("tiny", "LUNIX_TINY_BIN_DIR")];
    let flavour = |(name, variable)| Some(Flavour { name, folder: std::env::var_os(variable)?.into() });
    variables.into_iter().filter_map(flavour).collect()
}

fn main() -> ExitCode {
    let mut suite = Suite::from_arguments();
    let mut read = None;
    suite.check("specification::the_table_is_well_formed", || Table::read().map(|table| read = Some(table)));
    let Some(table) = read.map_or_else(|| Table::read().ok(), Some) else { return suite.finish() };
    let flavours = flavours();
    suite.check("specification::there_is_a_build", || {
        lunix_tests::ensure(!flavours.is_empty(), || "run `cargo xtask test budget`, which builds first".to_owned())
    });
    for flavour in &flavours {
        sizes::run(&mut suite, &table, flavour);
        memory::run(&mut suite, &table, flavour);
        clients::run(&mut suite, flavour);
        messages::run(&mut suite, flavour);
        idle::run(&mut suite, flavour);
    }
    if flavours.len() == 1 {
        suite
            .skip("tiny", "no tiny build here: `cargo xtask build --tiny` makes it, `cargo xtask test --full` uses it");
    }
    suite.finish()
}
