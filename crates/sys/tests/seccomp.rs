//! A confined process does what it may, and is gone with the first system call that it may not make.
#![expect(clippy::unwrap_used, clippy::exit, reason = "a test")]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use sys::seccomp::{Call, confine};

/// What a process that only writes and ends needs, the end of the test's own thread included.
const FEW: [Call; 14] = [
    Call::WRITE,
    Call::EXIT,
    Call::EXIT_GROUP,
    Call::MMAP,
    Call::MUNMAP,
    Call::BRK,
    Call::MADVISE,
    Call::MPROTECT,
    Call::FUTEX,
    Call::RT_SIGACTION,
    Call::RT_SIGPROCMASK,
    Call::SIGALTSTACK,
    Call::CLOSE,
    Call::GETRANDOM,
];

/// It has this number wherever the filter works.
const SIGSYS: i32 = 31;

/// Runs this test again in a process of its own, which confines itself and then does as the word says.
fn confined(test: &str, word: &str) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("CONFINED", word);
    command.output().unwrap().status
}

#[test]
fn the_first_call_that_is_not_in_the_list_ends_the_process() {
    if let Ok(word) = std::env::var("CONFINED") {
        confine(&FEW).unwrap();
        if word == "opens a file" {
            let _ = std::fs::File::open("/etc/passwd");
        }
        std::process::exit(7);
    }
    let name = "the_first_call_that_is_not_in_the_list_ends_the_process";
    assert_eq!(confined(name, "does nothing else").code(), Some(7));
    assert_eq!(confined(name, "opens a file").signal(), Some(SIGSYS));
}
