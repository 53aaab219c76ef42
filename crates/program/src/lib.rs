//! What every program of lunix shares: the table its command line is made from, the exit codes, the log line.
//!
//! One table per program ([`Command`]) feeds the parser, `--help`, the manual's OPTIONS and the completions of three shells, so they
//! cannot disagree.
//!
//! ```
//! use program::{Argument, Command, Flag, Times};
//!
//! const GREET: Command = Command {
//!     name: "greet",
//!     summary: "greets people",
//!     flags: &[Flag { long: "loud", short: Some('l'), value: None, help: "shout" }],
//!     arguments: &[Argument { name: "NAME", times: Times::Some, help: "who is greeted", words: &[] }],
//!     ..Command::NEW
//! };
//! let given = GREET.parse(["-l", "Ada", "Linus"].map(Into::into)).unwrap();
//! assert!(given.has("loud"));
//! assert_eq!(given.arguments(), ["Ada", "Linus"]);
//! assert_eq!(GREET.parse([]).unwrap_err().reason, "greet needs NAME (try greet --help)");
//! ```
#![forbid(unsafe_code)]

mod complete;
pub mod exit;
pub mod flags;
mod help;
pub mod log;

pub use complete::Shell;
pub use exit::Fatal;
pub use flags::{Argument, Command, Flag, Given, Times};
pub use log::Level;
