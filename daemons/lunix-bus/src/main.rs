//! lunix-bus: see the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "bcrypt")]
    if let Some(code) = lunix_bus::hashing::main() {
        return code;
    }
    #[cfg(feature = "leaf")]
    if let Some(code) = lunix_bus::resolving::main() {
        return code;
    }
    lunix_bus::run(std::env::args_os().skip(1))
}
