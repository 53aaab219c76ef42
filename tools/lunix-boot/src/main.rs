//! lunix-boot, the program.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    lunix_boot::main(std::env::args_os())
}
