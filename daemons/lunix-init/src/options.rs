//! The command line.

use crate::cmdline::{Mode, Shell, Words};
use crate::last::Steps;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Where services are found when nothing else is said.
pub const SERVICES: &str = "/etc/lunix/services";

/// Where PID 1 keeps the operator's word when nothing else is said: gone with the next boot.
pub const OVERRIDES: &str = "/run/lunix/init.overrides";

/// One row per flag: feeds the help and the manual.
pub const FLAGS: [(&str, &str, &str); 16] = [
    (
        "--services",
        "DIR",
        "supervise the services in DIR (default /etc/lunix/services as PID 1; must be given otherwise)",
    ),
    (
        "--store",
        "DIR",
        "what lies in DIR never changes: a service is the same as long as its path there is; may be given several times (default /nix/store, /gnu/store)",
    ),
    ("--control", "SOCKET", "listen for commands on SOCKET (default /run/lunix/init.sock as PID 1; otherwise none)"),
    (
        "--ready-fd",
        "N",
        "write a newline to descriptor N and close it when the control socket listens and services start",
    ),
    (
        "--overrides",
        "FILE",
        "keep in FILE what the operator started or stopped (default /run/lunix/init.overrides as PID 1; otherwise in memory)",
    ),
    (
        "--cgroup",
        "DIR",
        "keep the services in cgroups below DIR, a directory of cgroup v2 (default: below lunix-init's own cgroup where it may)",
    ),
    ("--stop-limit-ms", "N", "in an orderly end, kill services that need more than N milliseconds (default 30000)"),
    ("--check-config", "", "read the services, say what is wrong with them, and exit with 0 or 78"),
    (
        "--watchdog",
        "SECONDS",
        "as PID 1: the hardware watchdog starts the machine anew when lunix-init stands still for so long (default 0: unused)",
    ),
    (
        "--rescue",
        "WHO",
        "as PID 1: let in whoever knows root's password (sulogin, the default) or anybody (shell) when the boot fails",
    ),
    ("--no-mounts", "", "as PID 1: mount nothing, for containers that come with their mounts"),
    ("--resumes", "N", "exit with 0 when it can go on from a state of version N, with 78 otherwise"),
    (
        "--state-fd",
        "N",
        "go on from the state in descriptor N that another lunix-init left in this process (it says so itself)",
    ),
    ("--crashed", "SIGNAL", "that one was ended by SIGNAL (it says so itself)"),
    ("-V, --version", "", "print the version"),
    ("-h, --help", "", "print this help"),
];

/// What the command line asks for.
#[derive(Debug)]
pub enum Wish {
    /// Supervise.
    Run(Options),
    /// Only read the services and say what is wrong.
    Check(Options),
    /// Unmount and so on, for the PID 1 that is our parent.
    LastSteps(Steps),
    /// Say whether a state of this version can be gone on from.
    Resumes(u32),
    /// Print the version.
    Version,
    /// Print the help.
    Help,
}

/// How to supervise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The service directory.
    pub services: Option<PathBuf>,
    /// The stores, whose paths never change what they hold; empty for the usual ones.
    pub stores: Vec<PathBuf>,
    /// The control socket.
    pub control: Option<PathBuf>,
    /// Where the operator's word is kept.
    pub overrides: Option<PathBuf>,
    /// Where the services' cgroups are made.
    pub cgroup: Option<PathBuf>,
    /// Where to announce readiness.
    pub ready_fd: Option<i32>,
    /// The limit of an orderly end.
    pub stop_limit: Duration,
    /// Mount what a machine needs, as PID 1.
    pub mounts: bool,
    /// Seconds without a sign of life after which the hardware starts the machine anew; `None`: never.
    pub watchdog: Option<u16>,
    /// How far it boots before a person is asked.
    pub mode: Mode,
    /// Who is let in when the boot fails.
    pub shell: Shell,
    /// The state that another lunix-init left in this process.
    pub state_fd: Option<i32>,
    /// The signal that ended that one.
    pub crashed: Option<i32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            services: None,
            stores: Vec::new(),
            control: None,
            overrides: None,
            cgroup: None,
            ready_fd: None,
            stop_limit: Duration::from_secs(30),
            mounts: true,
            watchdog: None,
            mode: Mode::Whole,
            shell: Shell::Login,
            state_fd: None,
            crashed: None,
        }
    }
}

impl Options {
    /// Takes in what the kernel's command line says; it counts more than the arguments.
    pub fn take_in(&mut self, words: &Words) {
        self.watchdog = words.watchdog.map_or(self.watchdog, watched);
        self.shell = words.shell.unwrap_or(self.shell);
        self.stop_limit = words.stop_limit.unwrap_or(self.stop_limit);
    }
}

/// No seconds mean no watchdog.
#[must_use]
pub fn watched(seconds: u16) -> Option<u16> {
    (seconds > 0).then_some(seconds)
}

/// Reads the command line, without the program's name. `lenient` passes over what it does not know: the kernel hands PID 1 every word of
/// its own command line that it does not know either.
///
/// # Errors
/// A sentence, unless lenient.
pub fn parse(arguments: impl IntoIterator<Item = OsString>, lenient: bool) -> Result<Wish, String> {
    let mut options = Options::default();
    let mut check = false;
    let mut parser = Parser::from_args(arguments);
    loop {
        let argument = match parser.next() {
            Ok(Some(argument)) => argument,
            Ok(None) => break,
            Err(_) if lenient => continue,
            Err(error) => return Err(error.to_string()),
        };
        let result = match argument {
            Arg::Long("services") => parser.value().map(|path| options.services = Some(path.into())),
            Arg::Long("store") => parser.value().map(|path| options.stores.push(path.into())),
            Arg::Long("overrides") => parser.value().map(|path| options.overrides = Some(path.into())),
            Arg::Long("cgroup") => parser.value().map(|path| options.cgroup = Some(path.into())),
            Arg::Long("control") => parser.value().map(|path| options.control = Some(path.into())),
            Arg::Long("ready-fd") => number(&mut parser).map(|fd: i32| options.ready_fd = Some(fd)),
            Arg::Long("stop-limit-ms") => number(&mut parser).map(|ms| options.stop_limit = Duration::from_millis(ms)),
            Arg::Long("watchdog") => number(&mut parser).map(|seconds: u16| options.watchdog = watched(seconds)),
            Arg::Long("rescue") => {
                parser.value().and_then(|word| word.parse_with(who)).map(|shell| options.shell = shell)
            }
            Arg::Long("last-steps") => return last_steps(&mut parser),
            Arg::Value(word) if lenient => {
                options.mode = word.to_str().and_then(Mode::of).unwrap_or(options.mode);
                Ok(())
            }
            Arg::Long("state-fd") => number(&mut parser).map(|fd: i32| options.state_fd = Some(fd)),
            Arg::Long("crashed") => number(&mut parser).map(|signal: i32| options.crashed = Some(signal)),
            Arg::Long("resumes") if !lenient => match number(&mut parser) {
                Ok(version) => return Ok(Wish::Resumes(version)),
                Err(error) => Err(error),
            },
            Arg::Long("no-mounts") => {
                options.mounts = false;
                Ok(())
            }
            Arg::Long("check-config") => {
                check = true;
                Ok(())
            }
            Arg::Long("version") | Arg::Short('V') if !lenient => return Ok(Wish::Version),
            Arg::Long("help") | Arg::Short('h') if !lenient => return Ok(Wish::Help),
            Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => Err(argument.unexpected()),
        };
        match result {
            Ok(()) => {}
            Err(_) if lenient => {
                // Of `--unknown=value` the value must go, too.
                let _ = parser.optional_value();
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(if check { Wish::Check(options) } else { Wish::Run(options) })
}

fn who(word: &str) -> Result<Shell, &'static str> {
    Shell::of(word).ok_or("expected sulogin or shell")
}

/// What lunix-init calls itself with in the end of a machine.
fn last_steps(parser: &mut Parser) -> Result<Wish, String> {
    let word = parser.value().and_then(|word| word.string()).map_err(|error| error.to_string())?;
    Steps::from_word(&word).map(Wish::LastSteps).ok_or_else(|| format!("--last-steps: there are no steps {word:?}"))
}

fn number<N: std::str::FromStr>(parser: &mut Parser) -> Result<N, lexopt::Error>
where
    N::Err: Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
{
    parser.value()?.parse()
}

/// The text of `--help`.
#[must_use]
pub fn help() -> String {
    let mut text = "usage: lunix-init --services DIR [--control SOCKET] [--ready-fd N]\n\nPID 1 and supervisor of service directories. See lunix-init(8), lunix-service(5).\n\n".to_owned();
    for (flag, value, meaning) in FLAGS {
        text.push_str(&format!("  {:24}{meaning}\n", format!("{flag} {value}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], lenient: bool) -> Result<Options, String> {
        match parse(words.iter().map(OsString::from), lenient)? {
            Wish::Run(options) => Ok(options),
            other @ (Wish::Check(_) | Wish::LastSteps(_) | Wish::Resumes(_) | Wish::Version | Wish::Help) => {
                Err(format!("{other:?}"))
            }
        }
    }

    #[test]
    fn flags_are_taken_and_unknown_ones_refused() {
        let options = run(&["--services", "/s", "--control=/c", "--ready-fd", "3"], false).unwrap();
        assert_eq!((options.services, options.control), (Some("/s".into()), Some("/c".into())));
        assert_eq!(options.ready_fd, Some(3));
        assert_eq!(run(&["--dance"], false).unwrap_err(), "invalid option '--dance'");
        assert!(run(&["--ready-fd", "x"], false).is_err());
    }

    #[test]
    fn the_words_of_the_kernel_command_line_do_no_harm() {
        let options = run(&["splash", "--dance=1", "-x", "--version", "--services", "/s", "5"], true).unwrap();
        assert_eq!(options, Options { services: Some("/s".into()), ..Options::default() });
    }

    #[test]
    fn a_person_may_ask_for_a_shell_as_with_other_inits() {
        assert_eq!(run(&["splash", "single"], true).unwrap().mode, Mode::Single);
        assert_eq!(run(&["emergency", "--rescue=shell"], true).unwrap().shell, Shell::Open);
        assert!(run(&["single"], false).is_err());
        assert!(run(&["--rescue", "me"], false).unwrap_err().contains("expected sulogin or shell"));
    }

    #[test]
    fn the_kernels_command_line_counts_more() {
        let mut options = run(&["--watchdog", "30", "--stop-limit-ms=5"], true).unwrap();
        options.take_in(&crate::cmdline::parse("lunix.watchdog=0 lunix.rescue=shell"));
        let expected = (None, Shell::Open, Duration::from_millis(5));
        assert_eq!((options.watchdog, options.shell, options.stop_limit), expected);
        assert!(matches!(parse(["--last-steps=all".into()], false), Ok(Wish::LastSteps(Steps::All))));
    }

    #[test]
    fn help_names_every_flag() {
        assert!(FLAGS.iter().all(|(flag, _, _)| help().contains(flag)));
    }
}
