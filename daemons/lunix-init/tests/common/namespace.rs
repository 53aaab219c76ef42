//! lunix-init as PID 1 of namespaces of its own. Needs root.

use super::{BINARY, Stage, is_root, skip};
use std::process::Command;

const NAMESPACES: [&str; 7] = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--net", "--mount-proc"];

/// Starts it as PID 1; false when that cannot be done here.
pub fn start(stage: &mut Stage) -> bool {
    // As the kernel does with words it does not know.
    start_after(stage, "true", &["splash", "--no-such-flag=1"])
}

/// The same, after a line of shell has changed what it finds, and with more words on its command line.
pub fn start_after(stage: &mut Stage, shell: &str, words: &[&str]) -> bool {
    let Some(mut command) = command(stage, shell) else { return false };
    command.args(words);
    stage.start_as(command);
    true
}

/// What starts it as PID 1 after a line of shell; `None` when that cannot be done here.
pub fn command(stage: &Stage, shell: &str) -> Option<Command> {
    let possible =
        is_root() && Command::new("unshare").args(NAMESPACES).arg("true").status().is_ok_and(|status| status.success());
    if !possible {
        skip("only root can make the namespaces PID 1 needs");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(NAMESPACES).args(["sh", "-c", &format!("{shell}; exec \"$0\" \"$@\""), BINARY]);
    command.arg("--services").arg(stage.services()).arg("--control").arg(stage.socket());
    Some(command)
}

/// The number that PID 1 has outside.
pub fn init_of(stage: &Stage) -> i32 {
    let outer = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", stage.pid())).unwrap();
    outer.split_whitespace().next().unwrap().parse().unwrap()
}
