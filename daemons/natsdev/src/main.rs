//! `natsdev`, the daemon, and its helpers.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    natsdev::helper::main().unwrap_or_else(daemon::main::<natsdev::Natsdev>)
}
