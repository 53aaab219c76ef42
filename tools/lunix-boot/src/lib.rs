//! What a machine does once when it boots, and undoes when it ends: one program, a command for each, made for oneshots of lunix-init.
//!
//! | command | at boot | in the end | file |
//! |---|---|---|---|
//! | `mounts` | checks and mounts what fstab says, and swaps to it | (PID 1 unmounts) | [`mounts`] |
//! | `hostname` | gives the kernel the machine's name | | [`hostname`] |
//! | `seed` | feeds the random pool what was kept of it | keeps some of it (`--save`) | [`seed`] |
//! | `sysctl` | gives the kernel its settings | | [`sysctl`] |
//! | `modules` | loads the kernel modules that are named | | [`load`] |
//! | `hwclock` | sets the clock by its chip | sets the chip (`--save`) | [`hwclock`] |
//! | `loopback` | enables the interface lo | | [`loopback`] |
//!
//! Each is also what the program does when it is called by a link of the name `boot-mounts` and so on. What a file says wrong is told with
//! file, line and, where there are some, field; `--check` only tells.
//!
//! ```
//! use lunix_boot::mounts::{entry, order};
//! let (entries, wrong) = entry::table(b"/dev/sda1 /var/log ext4\n/dev/sda2 /var ext4 nofail,x-any=thing 0 2\n");
//! assert!(wrong.is_empty() && entries[1].options.nofail);
//! assert_eq!(order::order(&entries), [1, 0]);
//! ```
#![forbid(unsafe_code)]

pub mod fields;
pub mod folders;
pub mod hostname;
pub mod hwclock;
pub mod job;
pub mod load;
pub mod loopback;
pub mod mounts;
pub mod seed;
pub mod sysctl;

pub use job::Job;

use program::flags::{HELP, VERSION};
use program::{Command, Fatal, Flag, Given, exit};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const fn flag(long: &'static str, value: Option<&'static str>, help: &'static str) -> Flag {
    Flag { long, short: None, value, help }
}

const SAVE: Flag = flag("save", None, "the other way round, for the end");

/// The command line.
pub const LUNIX_BOOT: Command = Command {
    name: "lunix-boot",
    summary: "does once what a machine needs when it boots",
    common: &[
        flag("check", None, "only tell what would be done, and what is wrong"),
        flag("root", Some("DIR"), "find files below DIR instead of /"),
        VERSION,
        HELP,
    ],
    commands: &[
        Command {
            name: "mounts",
            summary: "mounts what fstab says, and swaps to it",
            flags: &[
                flag("fstab", Some("FILE"), "read FILE instead of /etc/fstab"),
                flag("network", None, "mount what needs the network, and only that"),
                flag("wait", Some("SECONDS"), "wait so long for a device that the boot needs (default 10)"),
            ],
            ..Command::NEW
        },
        Command { name: "hostname", summary: "gives the kernel the name in /etc/hostname", ..Command::NEW },
        Command { name: "seed", summary: "feeds the random pool what was kept of it", flags: &[SAVE], ..Command::NEW },
        Command { name: "sysctl", summary: "gives the kernel the settings of sysctl.d", ..Command::NEW },
        Command { name: "modules", summary: "loads the kernel modules of modules-load.d", ..Command::NEW },
        Command { name: "hwclock", summary: "sets the clock by its chip", flags: &[SAVE], ..Command::NEW },
        Command { name: "loopback", summary: "enables the interface lo", ..Command::NEW },
    ],
    ..Command::NEW
};

/// Runs the command line, the program's name included.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = arguments.into_iter();
    let called = words.next().unwrap_or_default();
    let called = Path::new(&called).file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let link = called.strip_prefix("boot-").filter(|name| LUNIX_BOOT.commands.iter().any(|one| one.name == *name));
    let job = Job::new();
    match run(job, link.map(OsString::from).into_iter().chain(words)) {
        Ok(code) => ExitCode::from(code),
        Err(fatal) => {
            program::log::line(LUNIX_BOOT.name, program::Level::Error, &fatal);
            ExitCode::from(fatal.code)
        }
    }
}

fn run(mut job: Job, words: impl IntoIterator<Item = OsString>) -> Result<u8, Fatal> {
    let given = LUNIX_BOOT.parse(words)?;
    let name = given.commands().first().copied().unwrap_or_default();
    if given.has(HELP.long) {
        let path: Vec<&str> = given.commands().to_vec();
        let text = if path.is_empty() { LUNIX_BOOT.help() } else { LUNIX_BOOT.help_of(&path) };
        return job.print(format_args!("{}", text.trim_end())).map(|()| exit::OK);
    }
    if given.has(VERSION.long) {
        return job.print(format_args!("lunix-boot {}", env!("CARGO_PKG_VERSION"))).map(|()| exit::OK);
    }
    job.check = given.has("check");
    job.set_root(given.value("root"));
    match name {
        "mounts" => mount(&job, &given),
        "hostname" => hostname::run(&job),
        "seed" => seed::run(&job, given.has(SAVE.long)),
        "sysctl" => sysctl::run(&job),
        "modules" => load::run(&job),
        "hwclock" => hwclock::run(&job, given.has(SAVE.long)),
        _ => loopback::run(&job),
    }
}

fn mount(job: &Job, given: &Given) -> Result<u8, Fatal> {
    let wait = given.value("wait").map_or(Ok(mounts::WAIT_S), str::parse);
    let wait = wait.map_err(|_| Fatal::new(exit::USAGE, "--wait: expected a number of seconds"))?;
    let which = if given.has("network") { mounts::Which::Network } else { mounts::Which::Local };
    mounts::run(job, given.value("fstab"), which, Duration::from_secs(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_first_arguments_are_the_same_command() {
        let parse =
            |words: &[&str]| LUNIX_BOOT.parse(words.iter().map(OsString::from)).map(|given| given.commands().to_vec());
        assert_eq!(parse(&["seed", "--save", "--check"]).unwrap(), ["seed"]);
        assert_eq!(parse(&["--root", "/x", "mounts", "--wait", "3"]).unwrap(), ["mounts"]);
        assert!(parse(&["hostname", "--save"]).is_err());
    }
}
