//! `chpst` of runit, and the programs of daemontools that it can be called as: changes the state of its own process, then executes a program.

mod account;
mod apply;
mod options;

pub use account::Account;
pub use options::{Change, Plan};

use crate::Outcome;
use std::ffi::OsString;

/// The names it may be called by.
pub const NAMES: [&str; 7] = ["chpst", "envdir", "envuidgid", "pgrphack", "setlock", "setuidgid", "softlimit"];

/// Runs the program of this name; on success it does not return.
///
/// # Errors
/// 100 for wrong usage, 111 when the state cannot be changed or the program not executed.
pub fn run(name: &str, arguments: &[OsString]) -> Outcome {
    let plan = options::parse(name, arguments)?;
    match plan {
        Some(plan) => Err(apply::execute(&plan)),
        None => Ok(0),
    }
}
