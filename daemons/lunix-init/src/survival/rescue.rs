//! When it crashes again and again, a person is asked for: a login for the administrator on the console, or a shell. Services go on meanwhile.

use crate::console::Console;
use crate::{environment, poweroff};
use rustix::fs::{Access, Mode, OFlags};
use rustix::process::{Pid, WaitOptions, WaitStatus};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use sys::spawn::Command;

/// Where the programs may be, in this order.
const LOGINS: [&CStr; 3] = [c"/sbin/sulogin", c"/usr/sbin/sulogin", c"/bin/sulogin"];
const SHELLS: [&CStr; 2] = [c"/bin/sh", c"/usr/bin/sh"];
/// Most deaths remembered while it takes.
const DEATHS_MAX: usize = 4096;

/// What there is to execute: logins on a machine's own console, shells.
#[must_use]
pub fn shells() -> Vec<CString> {
    // In a container there is no console to log in at.
    let logins = if poweroff::is_first_namespace() { &LOGINS[..] } else { &[] };
    let is_there = |path: &&CStr| rustix::fs::access(*path, Access::EXEC_OK).is_ok();
    logins.iter().chain(&SHELLS).copied().filter(is_there).map(CStr::to_owned).collect()
}

/// Lets a person work on the console until that ends, and buries the dead meanwhile; returns who they were.
#[must_use]
pub fn run(console: &mut Console) -> Vec<(i32, WaitStatus)> {
    let mut deaths = Vec::new();
    for program in shells() {
        let name = program.to_string_lossy().into_owned();
        match start(&program) {
            Ok(pid) => {
                console.say(format_args!("error: too many crashes: {name} on the console; services go on as they are"));
                bury_until(pid, &mut deaths);
                console.say(format_args!("info: {name} has ended: services are looked after again"));
                return deaths;
            }
            Err(error) => console.say(format_args!("error: {name}: {error}")),
        }
    }
    console.say(format_args!("error: too many crashes, and no shell to be had"));
    deaths
}

fn start(program: &CStr) -> io::Result<i32> {
    let [input, output, errors] = terminal()?;
    let root = rustix::fs::open("/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let environment = environment::own();
    let command = Command {
        program,
        arguments: &[program],
        environment: &environment.iter().map(CString::as_c_str).collect::<Vec<_>>(),
        directory: root.as_fd(),
        stdio: [input.as_fd(), output.as_fd(), errors.as_fd()],
        extra: &[],
        identity: None,
        capabilities: None,
        limits: &[],
        pid_variable: None,
        cgroup: None,
        moves: false,
        oom_score: None,
    };
    sys::spawn::spawn(&command).map(|process| process.pid()).map_err(|error| error.cause)
}

/// The console, or what we have for it: to read from, to write to, for errors; never below 3.
fn terminal() -> io::Result<[OwnedFd; 3]> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    if let (true, Ok(fd)) = (poweroff::is_first_namespace(), rustix::fs::open("/dev/console", flags, Mode::empty())) {
        return Ok([fd.try_clone()?, fd.try_clone()?, fd]);
    }
    let copy = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3);
    Ok([copy(rustix::stdio::stdin())?, copy(rustix::stdio::stdout())?, copy(rustix::stdio::stderr())?])
}

fn bury_until(last: i32, deaths: &mut Vec<(i32, WaitStatus)>) {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, _))) if Some(pid) == Pid::from_raw(last) => return,
            Ok(Some((pid, status))) if deaths.len() < DEATHS_MAX => deaths.push((pid.as_raw_nonzero().get(), status)),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
