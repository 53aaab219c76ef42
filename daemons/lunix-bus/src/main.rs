//! lunix-bus: see the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    lunix_bus::run(std::env::args_os().skip(1))
}
