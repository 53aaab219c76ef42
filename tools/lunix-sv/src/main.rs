//! lunix-sv, the program.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    lunix_sv::main(std::env::args_os())
}
