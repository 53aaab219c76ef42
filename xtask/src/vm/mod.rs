//! `cargo xtask vm`: run a machine, and from another shell plug things in, look, stop.

mod control;
pub mod prepare;
mod run;

use crate::failure::{Context, Failure, Result};
use crate::project;
use lexopt::{Arg, ValueExt};
use std::path::PathBuf;

const HELP: &str = "\
usage: cargo xtask vm [OPTIONS]               build lunix and boot it; the console is this terminal, Ctrl-A X quits
       cargo xtask vm plug usb-stick          plug in a stick      [--fs vfat|ext4|exfat] [--label L] [--image FILE] [--empty-reader]
       cargo xtask vm plug keyboard|disk      plug in a keyboard, a virtio disk on PCI
       cargo xtask vm unplug DEVICE           take it out again
       cargo xtask vm status                  which machines run, where their bus is, what is plugged in
       cargo xtask vm exec COMMAND            run a command in a machine that was started with --test-shell
       cargo xtask vm stop                    shut down in order, as Ctrl-Alt-Del does

of all:
  --name NAME        which machine, when several run (default: vm)
of `vm` itself:
  --memory MB        memory of the machine (default: 256)
  --kernel FILE|DIR  another kernel: vmlinux or vmlinuz, or a folder with it and lib/modules (default: Debian's)
  --busybox FILE     another static busybox (default: Debian's)
  --tiny             the programs built for flash
  --headless         console to target/vm/run/NAME/console.log
  --icount           one nanosecond per instruction, whatever this machine does: for measuring
  --share DIR        a folder the guest can mount: mount -t 9p -o trans=virtio share /mnt
  --test-shell       a root shell on the second serial port, for `vm exec` and tests
  --timeout SECONDS  kill the machine after that time
of `vm plug`:
  --as DEVICE        its name (default: what it is)
";

/// `cargo xtask vm …`
pub fn command(mut parser: lexopt::Parser) -> Result<()> {
    let mut name = "vm".to_owned();
    let mut options = run::Options::default();
    let mut stick = control::StickOptions::default();
    let mut words: Vec<String> = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(word) => words.push(word.string()?),
            Arg::Long("name") => name = parser.value()?.string()?,
            Arg::Long("memory") => options.memory_mb = number(&mut parser, "--memory")?,
            Arg::Long("kernel") => options.kernel = Some(existing(parser.value()?.into())?),
            Arg::Long("busybox") => options.busybox = Some(existing(parser.value()?.into())?),
            Arg::Long("share") => options.share = Some(existing(parser.value()?.into())?),
            Arg::Long("timeout") => options.timeout_s = Some(number(&mut parser, "--timeout")?),
            Arg::Long("tiny") => options.is_tiny = true,
            Arg::Long("headless") => options.is_headless = true,
            Arg::Long("icount") => options.icount = true,
            Arg::Long("test-shell") => options.has_test_shell = true,
            Arg::Long("fs") => stick.file_system = control::file_system(&parser.value()?.string()?)?,
            Arg::Long("label") => stick.label = parser.value()?.string()?,
            Arg::Long("image") => stick.image = Some(existing(parser.value()?.into())?),
            Arg::Long("empty-reader") => stick.is_empty = true,
            Arg::Long("as") => stick.name = Some(parser.value()?.string()?),
            Arg::Short('h') | Arg::Long("help") => words = vec!["help".to_owned()],
            other => return Err(other.unexpected().into()),
        }
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Failure::usage("a machine's name is letters, digits and dashes"));
    }
    let folder = project::vm().join("run").join(&name);
    if matches!(words.first().map(String::as_str), Some("plug" | "unplug" | "stop" | "exec")) {
        control::expect_running(&folder, &name)?;
    }
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => run::run(&options, &folder, &name),
        ["help"] => {
            print!("{HELP}");
            Ok(())
        }
        ["plug", what] => control::plug(&folder, what, &stick),
        ["unplug", device] => control::unplug(&folder, device),
        ["status"] => control::status(),
        ["stop"] => control::stop(&folder, &name),
        ["exec", command @ ..] if !command.is_empty() => control::exec(&folder, &command.join(" ")),
        other => Err(Failure::usage(format!("vm {}: see `cargo xtask vm help`", other.join(" ")))),
    }
}

/// The number that the option `name` is given.
fn number<N: std::str::FromStr>(parser: &mut lexopt::Parser, name: &str) -> Result<N> {
    let text = parser.value()?.string()?;
    text.parse().map_err(|_| Failure::usage(format!("{name} {text}: expected a number")))
}

/// The absolute path of something that must exist.
fn existing(path: PathBuf) -> Result<PathBuf> {
    std::fs::canonicalize(&path).at(&path)
}
