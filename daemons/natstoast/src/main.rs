//! `natstoast`, the daemon.

fn main() -> std::process::ExitCode {
    daemon::main::<natstoast::Natstoast>()
}
