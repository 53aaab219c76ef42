//! lunix-init, the program.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    lunix_init::main(std::env::args_os().skip(1))
}
