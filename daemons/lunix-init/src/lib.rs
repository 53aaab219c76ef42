//! PID 1 and supervisor: what runs is what the service directory says, and what the operator said on top.
//!
//! | input | effect |
//! |---|---|
//! | the service directory, read as a whole | services start in the order of their dependencies; changed ones restart, removed ones stop |
//! | inotify, SIGHUP, `rescan` | the directory is read again |
//! | a process ends | it is buried; a service's is started again: at once, then after 0.1 to 30 s |
//! | a line end on `notification-fd`, `READY=1` | what depends on the service may start |
//! | output of a service | a ring of 64 KiB, and the console |
//! | `start`, `stop`, `restart`, `signal` on the control socket | the operator's word, shown until it is undone |
//! | SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGPWR, `poweroff` ... | everything ends in order, within a limit |
//!
//! What it never does: write to the service directory, depend on the bus, poll, wait for a slow reader, end on its own as PID 1.
//!
//! Where to read: [`lifecycle`] is one service's life as a table, [`supervisor`] is all of them together, [`shutdown`] is the end; these are
//! pure. `adapter` is the side that makes system calls, [`directory`] reads what services there are.
//!
//! ```
//! use lunix_init::lifecycle::{Effect, Input, Lifecycle, Policy, Script};
//! use reactor::Instant;
//!
//! let (now, policy, mut effects) = (Instant::from_nanos(0), Policy::default(), Vec::new());
//! let mut life = Lifecycle::new(now);
//! life.step(now, &policy, Input::Up, &mut effects);
//! assert_eq!(effects, [Effect::Run(Script::Main)]);
//! ```
#![forbid(unsafe_code)]

mod adapter;
pub mod boot;
mod by_name;
pub mod cgroup;
pub mod cmdline;
pub mod console;
mod criticality;
pub mod directory;
pub mod environment;
pub mod generation;
mod graph;
pub mod identity;
pub mod kernel_log;
pub mod last;
pub mod lifecycle;
pub mod lines;
pub mod mounts;
pub mod notice;
pub mod options;
mod orders;
pub mod overrides;
pub mod poweroff;
pub mod rate;
mod reasons;
pub mod reconcile;
pub mod rescue;
pub mod ring;
mod sayings;
pub mod scarcity;
pub mod service;
pub mod shutdown;
pub mod supervisor;
pub mod survival;
mod uncommon;

use console::Console;
use options::{Options, Wish};
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

/// The whole program; `arguments` without the program's name. As PID 1 it does not return.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let is_pid1 = std::process::id() == 1;
    match options::parse(arguments, is_pid1) {
        Ok(Wish::Run(options)) if is_pid1 => pid1(options),
        Ok(Wish::Run(options)) => supervise(&options),
        Ok(Wish::Check(options)) => check(&options),
        Ok(Wish::LastSteps(steps)) => last_steps(steps),
        Ok(Wish::Resumes(version)) if version == u32::from(survival::copies::VERSION) => ExitCode::SUCCESS,
        Ok(Wish::Resumes(version)) => fail(78, &format!("cannot go on from a state of version {version}")),
        Ok(Wish::Version) => print(concat!("lunix-init ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Wish::Help) => print(&options::help()),
        Err(sentence) => fail(64, &sentence),
    }
}

fn print(text: &str) -> ExitCode {
    let written = std::io::stdout().write_all(text.as_bytes());
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(73) }
}

fn fail(code: u8, sentence: &str) -> ExitCode {
    Console::default().say(format_args!("error: {sentence}"));
    ExitCode::from(code)
}

/// An ordinary process that supervises a directory.
fn supervise(options: &Options) -> ExitCode {
    // First, while nothing else is open that could have its number. Who goes on from where another was has told it already.
    let ready_fd = options.ready_fd.filter(|_| options.state_fd.is_none());
    let ready = match ready_fd.map(sys::descriptor::inherited) {
        None => None,
        Some(Ok(fd)) => Some(fd),
        Some(Err(error)) => {
            Console::default().say(format_args!("info: ready descriptor is not open, going on without: {error}"));
            None
        }
    };
    prepare(options);
    if options.services.is_none() {
        return fail(64, "--services DIR is missing");
    }
    // Orphans of services come to us instead of to PID 1. A kernel that refuses leaves them there.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let mut begun = survival::takeover::begin(options, false, &mut Console::default());
    match adapter::run(options, false, ready, &mut begun) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => fail(71, &error.to_string()),
    }
}

/// For our parent alone: whoever else did this would take the machine from under everybody.
fn last_steps(steps: last::Steps) -> ExitCode {
    let is_called_by_pid1 = rustix::process::getppid().is_some_and(rustix::process::Pid::is_init);
    if !is_called_by_pid1 || !poweroff::is_first_namespace() {
        return fail(64, "--last-steps is for the PID 1 of a machine that ends");
    }
    let mut console = Console::default();
    console.tell_the_kernel();
    last::take(steps, &mut console);
    ExitCode::SUCCESS
}

fn pid1(mut options: Options) -> ExitCode {
    prepare(&options);
    let mut console = Console::default();
    let is_first = options.state_fd.is_none();
    if options.mounts && is_first {
        boot::mount_all(&mut console);
    }
    let mut begun = survival::takeover::begin(&options, true, &mut console);
    if is_first {
        boot::set_up();
    }
    if poweroff::is_first_namespace() {
        options.take_in(&cmdline::parse(&std::fs::read_to_string("/proc/cmdline").unwrap_or_default()));
    }
    if !is_first {
        // What the machine was booted for has been done.
        options.mode = cmdline::Mode::Whole;
    }
    options.control.get_or_insert_with(|| init_control::SOCKET.into());
    options.overrides.get_or_insert_with(|| options::OVERRIDES.into());
    loop {
        match adapter::run(&options, true, None, &mut begun) {
            Ok(goal) => {
                poweroff::finish(goal, &mut console);
                // Nothing more can be done, and PID 1 must not end.
                loop {
                    rustix::event::pause();
                }
            }
            // Without descriptors or memory there is nothing to do but to try again, slowly.
            Err(error) => {
                console.say(format_args!("error: {error}; trying again in 2 s"));
                std::thread::sleep(std::time::Duration::from_secs(2));
            }
        }
    }
}

/// What must not reach the services of what our own parent left.
fn prepare(options: &Options) {
    sys::signal::default_all();
    // What another lunix-init left must outlive a crash that comes before it is taken over.
    if options.state_fd.is_none() {
        // Nothing is lost where the kernel lacks this: what we open ourselves is closed on exec anyway.
        let _ = sys::descriptor::close_all_on_exec();
    }
    // A failure would show in the first write to a closed pipe; the kernel refuses only signals that do not exist.
    let _ = sys::signal::ignore_sigpipe();
}

fn check(options: &Options) -> ExitCode {
    let path = options.services.clone().unwrap_or_else(|| options::SERVICES.into());
    let found = directory::folder::Folder::open(&path)
        .and_then(|folder| directory::read_all(&folder, directory::Known::nothing()));
    let found = match found {
        Ok(found) => found,
        Err(error) => return fail(78, &format!("cannot read {}: {error}", path.display())),
    };
    let mut console = Console::default();
    let mut supervisor = supervisor::Supervisor::new();
    let count = found.len();
    let sentences = supervisor.check(found);
    for sentence in &sentences {
        console.say(format_args!("error: {sentence}"));
    }
    console.say(format_args!("info: {count} services read, {} of them broken", sentences.len()));
    if sentences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(78) }
}
