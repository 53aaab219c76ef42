//! What is done on a kernel that lacks the newer system calls. In a process of its own: what is missing is remembered.

use rustix::process::{Pid, WaitOptions, waitpid};
use std::fs::File;
use std::os::fd::AsFd;
use sys::spawn::{Command, Process, Stage, spawn};
use sys::{old_kernel, signal};

#[test]
fn programs_start_get_signals_and_fail_as_on_a_newer_one() {
    old_kernel::pretend(&old_kernel::NEWER).unwrap();
    sys::descriptor::close_all_on_exec().unwrap();
    let (root, null) = (File::open("/").unwrap(), File::open("/dev/null").unwrap());
    let stdio = [null.as_fd(); 3];
    // The second time the older calls are used at once.
    for _ in 0..2 {
        let process = spawn(&Command::new(c"/bin/sleep", &[c"sleep", c"1000"], root.as_fd(), stdio)).unwrap();
        process.signal(signal::TERM).unwrap();
        let (_, status) = waitpid(Pid::from_raw(process.pid()), WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(status.terminating_signal(), Some(signal::TERM));
        let error = spawn(&Command::new(c"/no/such/program", &[c"none"], root.as_fd(), stdio)).unwrap_err();
        assert_eq!(error.stage, Stage::Execute);
    }
    assert!(Process::of(std::process::id().cast_signed()).unwrap().fd().is_none());
}
