//! `natsps`, the daemon.

fn main() -> std::process::ExitCode {
    daemon::main::<natsps::Natsps>()
}
