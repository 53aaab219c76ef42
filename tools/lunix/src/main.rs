//! `lunix`, the command line.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    lunix::main()
}
