//! `lunix`, the command line.

fn main() -> std::process::ExitCode {
    lunix::main()
}
