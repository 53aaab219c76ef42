//! `natslog`, the daemon.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    daemon::main::<natslog::Natslog>()
}
