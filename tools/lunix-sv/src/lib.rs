//! The commands of runit and s6 that scripts call, for services of lunix-init: one program under several names.
//!
//! | name | of | what it does | file |
//! |---|---|---|---|
//! | `sv` | runit | commands services and shows them | [`sv`] |
//! | `chpst` and its other names | runit | changes the state of its own process, then executes a program | [`chpst`] |
//! | `s6-svc` | s6 | commands a service | [`s6_svc`] |
//! | `s6-svstat` | s6 | shows a service | [`s6_svstat`] |
//! | `s6-svwait` | s6 | waits for services | [`s6_svwait`] |
//!
//! The name is that of the link it is called by, or the first argument. A service directory given as an argument stands for the service of
//! its name; what is done with it is done by lunix-init, asked on its control socket.
//!
//! ```
//! use lunix_sv::place::name_of;
//! assert_eq!(name_of("/run/service/sshd/"), "sshd");
//! assert_eq!(name_of("/var/service/sshd/log"), "sshd/log");
//! ```
#![forbid(unsafe_code)]

pub mod chpst;
pub mod getopt;
pub mod place;
pub mod s6_svc;
pub mod s6_svstat;
pub mod s6_svwait;
pub mod supervisor;
pub mod sv;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Why a command ends, in the words of the original.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is said on standard error; empty for nothing.
    pub sentence: String,
}

impl Failure {
    /// A failure with its exit code.
    pub fn new(code: u8, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }
}

/// What a command comes to.
pub type Outcome = Result<u8, Failure>;

const HELP: &str = "\
usage: lunix-sv [--control SOCKET] COMMAND [ARGUMENTS]
commands: sv, chpst, envdir, envuidgid, pgrphack, setlock, setuidgid, softlimit, s6-svc, s6-svstat, s6-svwait
A link of a command's name to this program is that command. See lunix-sv(1).
";

/// Runs the command line, the program's name included.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = arguments.into_iter();
    let called = words.next().unwrap_or_default();
    let called = Path::new(&called).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut words: Vec<OsString> = words.collect();
    let mut name = called;
    if !is_command(&name) {
        if words.first().is_some_and(|word| word == "--control") {
            words.drain(..1);
            if words.is_empty() {
                return end("lunix-sv", Err(Failure::new(64, "--control needs a socket")));
            }
            supervisor::set_socket(words.remove(0).into());
        }
        match words.first().map(|word| word.to_string_lossy().into_owned()) {
            Some(word) if is_command(&word) => {
                words.remove(0);
                name = word;
            }
            Some(word) if word == "--help" || word == "-h" => return print(HELP),
            Some(word) if word == "--version" || word == "-V" => {
                return print(concat!("lunix-sv ", env!("CARGO_PKG_VERSION"), "\n"));
            }
            Some(word) => return end("lunix-sv", Err(Failure::new(64, format!("there is no command {word}")))),
            None => return end("lunix-sv", Err(Failure::new(64, "which command? (try lunix-sv --help)"))),
        }
    }
    let outcome = match name.as_str() {
        "sv" => sv::run(&words),
        "s6-svc" => s6_svc::run(&words),
        "s6-svstat" => s6_svstat::run(&words),
        "s6-svwait" => s6_svwait::run(&words),
        other => chpst::run(other, &words),
    };
    end(&name, outcome)
}

fn is_command(name: &str) -> bool {
    matches!(name, "sv" | "s6-svc" | "s6-svstat" | "s6-svwait") || chpst::NAMES.contains(&name)
}

fn print(text: &str) -> ExitCode {
    if std::io::stdout().write_all(text.as_bytes()).is_ok() { ExitCode::SUCCESS } else { ExitCode::from(73) }
}

fn end(name: &str, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            if !failure.sentence.is_empty() {
                // Where standard error is closed there is nobody to tell.
                let _ = writeln!(std::io::stderr(), "{name}: {}", failure.sentence);
            }
            ExitCode::from(failure.code)
        }
    }
}
