//! Boots a machine and stays with it until it is off.

use super::prepare::{Wanted, prepare, write_private};
use crate::build::Flavour;
use crate::failure::{Context, Failure, Result};
use crate::project;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use testkit::Deadline;
use testkit::qemu::{Console, Machine, free_port};
use testkit::qmp::Qmp;
use testkit::vm::wait_for_bus;

/// What `cargo xtask vm` was asked for.
pub struct Options {
    pub memory_mb: u32,
    pub kernel: Option<PathBuf>,
    pub busybox: Option<PathBuf>,
    pub share: Option<PathBuf>,
    pub timeout_s: Option<u64>,
    pub is_tiny: bool,
    pub is_headless: bool,
    pub icount: bool,
    pub has_test_shell: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory_mb: 256,
            kernel: None,
            busybox: None,
            share: None,
            timeout_s: None,
            is_tiny: false,
            is_headless: false,
            icount: false,
            has_test_shell: false,
        }
    }
}

/// Builds, boots, and returns when the machine is off.
pub fn run(options: &Options, folder: &Path, name: &str) -> Result<()> {
    project::make_folder(folder)?;
    if Qmp::connect(folder).is_ok() {
        return Err(Failure::new(format!(
            "a machine named {name} runs already: stop it (cargo xtask vm stop) or give another --name"
        )));
    }
    let wanted = Wanted {
        flavour: if options.is_tiny { Flavour::Tiny } else { Flavour::Stable },
        kernel: options.kernel.as_deref(),
        busybox: options.busybox.as_deref(),
        has_test_shell: options.has_test_shell,
    };
    let prepared = prepare(&wanted, folder)?;
    let machine = Machine {
        run_folder: folder.to_owned(),
        kernel: prepared.kernel.clone(),
        initramfs: prepared.initramfs.clone(),
        append: String::new(),
        memory_mb: options.memory_mb,
        console: if options.is_headless { Console::Socket } else { Console::Terminal },
        bus_port: free_port()?,
        icount: options.icount,
        share: options.share.clone(),
        forwards: Vec::new(),
        arguments: Vec::new(),
    };
    let url = format!("nats://{}:{}@127.0.0.1:{}", prepared.user, prepared.password, machine.bus_port);
    write_private(&folder.join("url"), &format!("{url}\n"))?;
    let console = folder.join("console.log");
    std::fs::write(&console, "").at(&console)?;
    announce(options, &console);
    let child = machine.command().spawn().context("qemu-system-x86_64")?;
    let pid_file = folder.join("pid");
    std::fs::write(&pid_file, format!("{}\n", child.id())).at(&pid_file)?;
    let is_headless = options.is_headless;
    std::thread::spawn(move || watch(&url, &console, is_headless));
    let result = stay(child, options.timeout_s);
    for file in [pid_file, folder.join("url")] {
        std::fs::remove_file(&file).at(&file)?;
    }
    result
}

fn announce(options: &Options, console: &Path) {
    if options.is_headless {
        eprintln!("boot; the console goes to {}", console.display());
    } else {
        eprintln!("boot; log in as root without a password; Ctrl-A X quits, Ctrl-A H lists more");
    }
}

/// Says how long the boot takes until the console speaks, and where the bus is as soon as it answers.
fn watch(url: &str, console: &Path, is_headless: bool) {
    let start = Instant::now();
    let is_terminal = std::io::stderr().is_terminal();
    let is_silent = || console.metadata().is_ok_and(|metadata| metadata.len() == 0);
    // The console is a file that QEMU writes; a second more or less does not matter here.
    while is_silent() && start.elapsed() < Duration::from_secs(300) {
        if is_terminal {
            eprint!("\rbooting … {} s\r", start.elapsed().as_secs());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    let seconds = || start.elapsed().as_secs();
    // QEMU has the terminal in raw mode, so a line ends with \r\n.
    if is_headless {
        eprintln!("\nthe console spoke after {} s", seconds());
    }
    match wait_for_bus(url, Deadline::seconds(300)) {
        Ok(_) => eprint!("\r\nthe bus answers after {} s:\r\n    NATS_URL={url}\r\n", seconds()),
        Err(error) => eprint!("\r\nno bus: {error}\r\n"),
    }
}

fn stay(mut child: Child, timeout_s: Option<u64>) -> Result<()> {
    let start = Instant::now();
    let status = match timeout_s {
        None => child.wait().context("qemu")?,
        Some(limit) => loop {
            if let Some(status) = child.try_wait().context("qemu")? {
                break status;
            }
            if start.elapsed() > Duration::from_secs(limit) {
                child.kill().context("kill qemu")?;
                child.wait().context("qemu")?;
                return Err(Failure::new(format!("stopped after {limit} s, as --timeout says")));
            }
            std::thread::sleep(Duration::from_millis(100));
        },
    };
    crate::failure::expect_success("qemu", status)
}
