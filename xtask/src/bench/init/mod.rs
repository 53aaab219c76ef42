//! lunix-init against the supervisors of Debian, all in the same minutes. Absolute times depend on the machine; read the ratios.

pub mod boot;
mod changes;
mod counts;
mod processes;
mod program;
mod restarts;
mod stage;
mod supervisor;

use crate::failure::Result;
use crate::need::{self, Need};
use std::path::Path;

/// The peers, as packages, and what shows changes on a read-only mount.
const NEEDS: &[Need] = &[
    Need::apt_program("runit", "runsvdir", "a supervisor to compare with"),
    Need::apt_program("s6", "s6-svscan", "a supervisor to compare with"),
    Need::apt_program("util-linux", "unshare", "the read-only mount of one supervisor"),
];

/// Prints all tables about the program `ours` on this machine.
pub fn compare(ours: &Path, rounds: usize) -> Result<()> {
    need::satisfy(NEEDS)?;
    counts::compare(ours, rounds)?;
    restarts::compare(ours, rounds)?;
    changes::compare(ours)
}
