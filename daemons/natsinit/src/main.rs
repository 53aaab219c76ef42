//! `natsinit`, the daemon.

fn main() -> std::process::ExitCode {
    daemon::main::<natsinit::Natsinit>()
}
