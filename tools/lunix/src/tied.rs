//! `lunix tied`: a program that ends with its parent.

use program::{Fatal, Given, exit};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Asks the kernel for SIGTERM when the parent ends (`PR_SET_PDEATHSIG`, kept over `execve`) and executes the program. Returns only
/// when that fails.
pub(crate) fn run(given: &Given) -> Fatal {
    if let Err(errno) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return Fatal::system("cannot ask for a signal at the parent's end", errno);
    }
    // The parent may have ended before the kernel knew of our wish.
    if let Some(expected) = given.value("parent") {
        let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
        if expected.parse() != Ok(parent) {
            return Fatal::new(exit::TRY_AGAIN, format!("the parent is not process {expected}: it has ended"));
        }
    }
    let Some((program, arguments)) = given.arguments().split_first() else {
        return Fatal::new(exit::USAGE, "expected a program");
    };
    let error = Command::new(program).args(arguments).exec();
    Fatal::new(exit::NOT_PERMITTED, format!("cannot execute {program}: {error}"))
}
