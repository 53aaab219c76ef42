//! The README's first screen, block by block, with `lunix up` as a newcomer starts it.

use crate::scenario::path_with;
use crate::soon;
use lunix_tests::{ensure, readme};
use rustix::process::Signal;
use std::process::Command;
use testkit::bus::Bus;
use testkit::process::{Process, binary};
use testkit::{Deadline, Error, Result, TempDir};

/// `lunix up`, which is interrupted in the end, as a person does it: killed, it would leave its folder to the next one.
struct Up(Process);

impl Drop for Up {
    fn drop(&mut self) {
        // Whatever goes wrong here, the process is killed next.
        let _ = self.0.signal(Signal::INT).and_then(|()| self.0.exit(soon()));
    }
}

/// `lunix up`, and the address it prints.
fn up() -> Result<(Up, String)> {
    let mut up = Up(Process::spawn("lunix", Command::new(binary("lunix")?).arg("up"))?);
    let line = up.0.line(soon(), "NATS_URL=")?;
    let url = line.trim_start_matches("NATS_URL=").to_owned();
    Ok((up, url))
}

fn only(language: &str) -> Result<String> {
    let blocks = readme::blocks(language)?;
    blocks.into_iter().next().ok_or_else(|| Error::unexpected(format!("the README has no block of {language}")))
}

/// Plays the README's own event until the example has heard it and its toast is on the terminal of `lunix up`.
fn toast_after(up: &mut Up, url: &str, toast: &str) -> Result<()> {
    let stick = readme::event("hardware.usb.add")?.to_string();
    let mut bus = Bus::connect(url, soon())?;
    let deadline = soon();
    loop {
        bus.publish("hardware.usb.add", stick.as_bytes())?;
        match up.0.line(Deadline::seconds(1), toast) {
            Ok(_) => return Ok(()),
            Err(error) if deadline.left().is_none() => return Err(error),
            Err(_) => {}
        }
    }
}

pub(crate) fn javascript() -> Result<()> {
    let modules = std::env::var_os("LUNIX_NODE_PATH").ok_or_else(|| Error::unexpected("LUNIX_NODE_PATH is not set"))?;
    let (mut up, url) = up()?;
    let folder = TempDir::new("readme")?;
    let program = folder.join("toast.mjs");
    std::fs::write(&program, only("js")?).map_err(Error::io("write toast.mjs"))?;
    std::os::unix::fs::symlink(modules, folder.join("node_modules")).map_err(Error::io("link node_modules"))?;
    let _example = Process::spawn("node", Command::new("node").arg(program).env("NATS_URL", &url))?;
    toast_after(&mut up, &url, "toast: a USB stick was plugged in!")
}

pub(crate) fn shell() -> Result<()> {
    let (mut up, url) = up()?;
    let mut command = Command::new("sh");
    command.args(["-c", &only("sh")?]).env("NATS_URL", &url).env("PATH", path_with(None));
    let _example = Process::spawn("sh", &mut command)?;
    toast_after(&mut up, &url, "toast: a USB stick was plugged in: /dev/sda1")
}

/// The names of its programs and commands are those that there are.
pub(crate) fn commands() -> Result<()> {
    let help = Command::new(binary("lunix")?).arg("--help").output().map_err(Error::io("run lunix --help"))?;
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for word in ["sub", "pub", "req", "status", "service", "up"] {
        ensure(help.lines().any(|line| line.trim_start().starts_with(word)), || format!("no `{word}` in\n{help}"))?;
    }
    for console in readme::blocks("console")? {
        for line in console.lines().filter_map(|line| line.strip_prefix("$ ")) {
            ensure(line.starts_with("cargo xtask "), || format!("nothing tests the command `{line}`"))?;
        }
    }
    Ok(())
}
