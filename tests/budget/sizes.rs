//! Bytes of every program.

use crate::Flavour;
use crate::table::{Table, all};
use testkit::suite::Suite;
use testkit::{Error, Result};

pub(crate) fn run(suite: &mut Suite, table: &Table, flavour: &Flavour) {
    suite.check(&format!("sizes::{}_programs_are_within_their_bytes", flavour.name), || {
        all(table.programs().map(|program| size(table, flavour, program)))
    });
}

fn size(table: &Table, flavour: &Flavour, program: &str) -> Result<()> {
    let path = flavour.folder.join(program);
    let bytes = std::fs::metadata(&path).map_err(Error::io(format!("find {}", path.display())))?.len();
    table.holds(program, &format!("{} bytes", flavour.name), bytes)
}
