//! lunix-bus: a NATS-compatible message server for small machines.
//!
//! | part | what it does |
//! |---|---|
//! | [`broker`] | the pure machine: clients' bytes in, clients' bytes out, time as an argument |
//! | [`leaf`] | the links to hubs of real clusters: pure machines, too |
//! | [`flags`], [`config`] | command line and configuration file, both those of nats-server |
//! | [`hashing`] | the process that compares hashed passwords |
//! | [`local`] | who somebody on this machine is, from what the kernel says |
//! | [`operator`] | accounts and users known by their tokens |
//! | [`server`] | the only part that makes system calls: one epoll, sockets, signals, files |
//!
//! One thread, one shared read buffer. A message is parsed in that buffer and copied once, straight into the output of each
//! receiver; every receiver is written once per turn.
//!
//! ```
//! use lunix_bus::broker::{Broker, Peer, Progress, Settings};
//! use reactor::Instant;
//!
//! let now = Instant::now();
//! let mut broker = Broker::new(Settings::default(), 1);
//! let client = broker.accept(now, Peer::Unix { uid: 1000 }).unwrap();
//! broker.sent(now, client, broker.pending(client));
//! assert_eq!(broker.receive(now, client, b"SUB toast.in 1\r\nPUB toast.in 2\r\nhi\r\n"), Progress::Done);
//! let output: Vec<u8> = broker.pieces(client).flatten().copied().collect();
//! assert_eq!(output, b"+OK\r\n+OK\r\nMSG toast.in 1 2\r\nhi\r\n");
//! ```
//!
//! Absent on purpose: JetStream, clustering, threads, an async runtime, system calls while nothing happens.
#![forbid(unsafe_code)]

pub mod broker;
pub mod config;
pub mod flags;
#[cfg(feature = "bcrypt")]
pub mod hashing;
#[cfg(any(feature = "bcrypt", feature = "leaf"))]
mod helper;
#[cfg(feature = "leaf")]
pub mod leaf;
pub mod local;
#[cfg(feature = "jwt")]
pub mod operator;
#[cfg(feature = "leaf")]
pub mod resolving;
pub mod server;

use flags::Request;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Runs the program with the arguments after its name. Returns its exit code: 0 after an orderly end, 64 wrong usage, 71 a system call
/// failed, 73 a socket or file cannot be made, 78 bad configuration.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match flags::parse(arguments) {
        Ok(Request::Help) => return print(flags::HELP),
        Ok(Request::Version) => {
            return print(&format!(
                "nats-server: v{} (lunix-bus {})\n",
                broker::REFERENCE_VERSION,
                env!("CARGO_PKG_VERSION")
            ));
        }
        Ok(Request::Signal(signalling)) => {
            signalling.send().map_err(|error| Failure { code: error.exit_code(), text: error.to_string() })
        }
        Ok(Request::Serve(flags)) => start(*flags),
        Err(error) => Err(Failure { code: 64, text: error.to_string() }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // There is nowhere left to tell that this failed.
            let _ = writeln!(std::io::stderr(), "lunix-bus: error: {}", failure.text);
            ExitCode::from(failure.code)
        }
    }
}

/// Why the program ends, and with which exit code.
#[derive(Debug)]
struct Failure {
    code: u8,
    text: String,
}

fn start(flags: flags::Flags) -> Result<(), Failure> {
    let config = config::load(&flags).map_err(|error| Failure { code: 78, text: error.to_string() })?;
    if flags.check {
        return Ok(());
    }
    server::serve(flags, config).map_err(|error| Failure { code: error.exit_code(), text: error.to_string() })
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(71),
    }
}
