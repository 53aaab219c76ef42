//! A booted machine for tests: its console, a root shell, its bus, and things to plug in.
//!
//! `cargo xtask test` prepares the kernel and a test image and says where they are by `LUNIX_VM`, the path of a JSON object with
//! `kernel`, `initramfs`, `user` and `password`. The test image differs from a user's in one service: a root shell on ttyS1.

use crate::bus::Bus;
use crate::deadline::Deadline;
use crate::disk::FileSystem;
use crate::error::{Error, Result};
use crate::process::Process;
use crate::qemu::{self, Console, Machine, Plug};
use crate::qmp::connect_in;
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ExitStatus};
use std::time::Duration;

/// What `cargo xtask` prepared for virtual machines.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The kernel.
    pub kernel: PathBuf,
    /// The root.
    pub initramfs: PathBuf,
    /// The bus user that this image knows.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl Prepared {
    /// Reads what `LUNIX_VM` names.
    ///
    /// # Errors
    /// When the variable is missing (the sentence says what to run) or its file is no such object.
    pub fn from_environment() -> Result<Self> {
        let path = std::env::var_os("LUNIX_VM").map(PathBuf::from);
        let path = path.ok_or_else(|| Error::unexpected("LUNIX_VM is not set: run `cargo xtask test vm`"))?;
        Self::read(&path)
    }

    /// Reads the object in the file `path`.
    ///
    /// # Errors
    /// When it cannot be read or lacks a field.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))?;
        let bad = |reason: String| Error::unexpected(format!("{}: {reason}", path.display()));
        let object: Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let field = |name: &str| {
            object.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| bad(format!("no {name}")))
        };
        Ok(Self {
            kernel: field("kernel")?.into(),
            initramfs: field("initramfs")?.into(),
            user: field("user")?,
            password: field("password")?,
        })
    }
}

/// What a machine has beside the usual.
#[derive(Clone, Debug, Default)]
pub struct Special {
    /// Added to the kernel's command line.
    pub append: String,
    /// Ports of the guest that loopback ports lead to: (here, there).
    pub forwards: Vec<(u16, u16)>,
    /// More arguments for QEMU.
    pub arguments: Vec<String>,
    /// Whether one instruction takes one nanosecond, whatever the host does.
    pub icount: bool,
}

/// A running machine; it is killed when dropped.
#[derive(Debug)]
pub struct Vm {
    process: Process,
    console: Option<ChildStdin>,
    run_folder: PathBuf,
    url: String,
    shell: Option<Shell>,
}

impl Vm {
    /// Starts a machine with `memory_mb` MiB whose files live in `run_folder` (made when missing).
    ///
    /// # Errors
    /// When QEMU cannot be started.
    pub fn boot(prepared: &Prepared, run_folder: &Path, memory_mb: u32) -> Result<Self> {
        Self::boot_with(prepared, run_folder, memory_mb, Special::default())
    }

    /// The same on a clock that counts one nanosecond per instruction, whatever the host does: for measuring. Takes about a minute.
    ///
    /// # Errors
    /// As [`Self::boot`].
    pub fn boot_measured(prepared: &Prepared, run_folder: &Path, memory_mb: u32) -> Result<Self> {
        Self::boot_with(prepared, run_folder, memory_mb, Special { icount: true, ..Special::default() })
    }

    /// The same with more than the usual.
    ///
    /// # Errors
    /// As [`Self::boot`].
    pub fn boot_with(prepared: &Prepared, run_folder: &Path, memory_mb: u32, special: Special) -> Result<Self> {
        std::fs::create_dir_all(run_folder).map_err(Error::io(format!("create {}", run_folder.display())))?;
        let machine = Machine {
            run_folder: run_folder.to_owned(),
            kernel: prepared.kernel.clone(),
            initramfs: prepared.initramfs.clone(),
            append: special.append,
            memory_mb,
            console: Console::Pipe,
            bus_port: qemu::free_port()?,
            icount: special.icount,
            share: None,
            forwards: special.forwards,
            arguments: special.arguments,
        };
        let mut process = Process::spawn("qemu", &mut machine.command())?;
        let console = process.stdin();
        let url = format!("nats://{}:{}@127.0.0.1:{}", prepared.user, prepared.password, machine.bus_port);
        Ok(Self { process, console, run_folder: run_folder.to_owned(), url, shell: None })
    }

    /// The address of its bus, with user and password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of this run: images, sockets, the console's log.
    #[must_use]
    pub fn run_folder(&self) -> &Path {
        &self.run_folder
    }

    /// Waits for a console line with `text`.
    ///
    /// # Errors
    /// When the deadline passes or the machine ends; with the console so far.
    pub fn line(&mut self, deadline: Deadline, text: &str) -> Result<String> {
        self.process.line(deadline, text)
    }

    /// Waits for a prompt on the console.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn prompt(&mut self, deadline: Deadline, text: &str) -> Result<()> {
        self.process.prompt(deadline, text)
    }

    /// Types a line on the console.
    ///
    /// # Errors
    /// When the machine has gone.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        let console = self.console.as_mut().ok_or_else(|| Error::unexpected("no console"))?;
        console.write_all(format!("{line}\n").as_bytes()).map_err(Error::io("type on the console"))
    }

    /// Everything the console has shown.
    #[must_use]
    pub fn console(&self) -> String {
        self.process.printed()
    }

    /// Connects to its bus, waiting until it answers.
    ///
    /// # Errors
    /// When it does not in time; with the console so far.
    pub fn bus(&self, deadline: Deadline) -> Result<Bus> {
        wait_for_bus(&self.url, deadline).map_err(|error| Error::Timeout(error.to_string(), self.console()))
    }

    /// Runs a command line in the guest as root and returns what it printed, standard error included.
    ///
    /// # Errors
    /// When it fails (with its output) or does not end in time.
    pub fn sh(&mut self, command: &str, deadline: Deadline) -> Result<String> {
        let (code, output) = self.sh_status(command, deadline)?;
        if code == 0 { Ok(output) } else { Err(Error::unexpected(format!("`{command}` ended with {code}:\n{output}"))) }
    }

    /// Runs a command line in the guest as root and returns its exit code and output.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn sh_status(&mut self, command: &str, deadline: Deadline) -> Result<(i32, String)> {
        let mut shell = match self.shell.take() {
            Some(shell) => shell,
            None => Shell::connect(&self.run_folder, deadline)?,
        };
        let result = shell.run(command, deadline)?;
        self.shell = Some(shell);
        Ok(result)
    }

    /// Plugs in a USB stick with a fresh file system.
    ///
    /// # Errors
    /// When the image cannot be made or QEMU refuses.
    pub fn plug_stick(&self, name: &str, file_system: FileSystem, label: &str) -> Result<()> {
        let image = qemu::stick_image(&self.run_folder, name, file_system, label)?;
        self.plug(name, &Plug::UsbStick(Some(image)))
    }

    /// Plugs something in.
    ///
    /// # Errors
    /// When QEMU refuses.
    pub fn plug(&self, name: &str, what: &Plug) -> Result<()> {
        qemu::plug(&self.run_folder, name, what)
    }

    /// Takes it out again and waits until it is gone.
    ///
    /// # Errors
    /// When the guest does not let go in time.
    pub fn unplug(&self, name: &str, deadline: Deadline) -> Result<()> {
        qemu::unplug(&self.run_folder, name, deadline)
    }

    /// Waits until the machine is off.
    ///
    /// # Errors
    /// When it is still on at the deadline; with the console so far.
    pub fn off(&mut self, deadline: Deadline) -> Result<ExitStatus> {
        self.process.exit(deadline)
    }
}

/// Connects to `url` as soon as a bus answers there.
///
/// QEMU accepts a forwarded connection before the guest listens and then drops it, so there is no event to wait for: this tries
/// again every fifth of a second.
///
/// # Errors
/// The last failure, when the deadline passes.
pub fn wait_for_bus(url: &str, deadline: Deadline) -> Result<Bus> {
    loop {
        match Bus::connect(url, Deadline::seconds(2)) {
            Ok(bus) => return Ok(bus),
            Err(error) if deadline.left().is_none() => {
                return Err(Error::Timeout("the bus".to_owned(), error.to_string()));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// The root shell that a test image runs on ttyS1.
#[derive(Debug)]
pub struct Shell {
    stream: BufReader<UnixStream>,
    partial: Vec<u8>,
    count: u32,
}

impl Shell {
    /// Connects to the shell of the machine in `run_folder`, waiting until it answers.
    ///
    /// # Errors
    /// When it does not in time: the image may not be a test image.
    pub fn connect(run_folder: &Path, deadline: Deadline) -> Result<Self> {
        let stream = connect_in(run_folder, "shell.sock")?;
        let mut shell = Self { stream: BufReader::new(stream), partial: Vec::new(), count: 0 };
        // What arrives before the shell has opened the port is lost, so the greeting is repeated until it is answered.
        loop {
            shell.write("\necho '#here'\n")?;
            let pause = Deadline::seconds(1);
            while let Some(line) = shell.read_line(pause)? {
                if line == "#here" {
                    return Ok(shell);
                }
            }
            if deadline.left().is_none() {
                return Err(Error::Timeout("the guest's test shell".to_owned(), String::new()));
            }
        }
    }

    /// Runs a command line and returns its exit code and output.
    ///
    /// # Errors
    /// When it does not end in time; with the output so far.
    pub fn run(&mut self, command: &str, deadline: Deadline) -> Result<(i32, String)> {
        self.count += 1;
        let mark = format!("#end-{}-{}", std::process::id(), self.count);
        let quoted = command.replace('\'', "'\\''");
        self.write(&format!("sh -c '{quoted}' </dev/null 2>&1; printf '\\n{mark} %d\\n' $?\n"))?;
        let mut output = String::new();
        while let Some(line) = self.read_line(deadline)? {
            if let Some(code) = line.strip_prefix(&mark) {
                let code = code.trim().parse().map_err(|_| Error::unexpected(format!("no exit code: {line}")))?;
                // One newline is the mark's own; the greeting may have been answered twice.
                let printed = output.strip_suffix('\n').unwrap_or(&output);
                return Ok((code, printed.replace("#here\n", "")));
            }
            output.push_str(&line);
            output.push('\n');
        }
        Err(Error::Timeout(format!("the end of `{command}` in the guest"), output))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.stream.get_mut().write_all(text.as_bytes()).map_err(Error::io("write to the guest's shell"))
    }

    /// One line, or `None` when the deadline has passed.
    fn read_line(&mut self, deadline: Deadline) -> Result<Option<String>> {
        loop {
            if deadline.left().is_none() {
                return Ok(None);
            }
            let limited = self.stream.get_ref().set_read_timeout(Some(deadline.left_or_tick()));
            limited.map_err(Error::io("set the shell's timeout"))?;
            match self.stream.read_until(b'\n', &mut self.partial) {
                Ok(0) => return Err(Error::unexpected("the machine has gone")),
                Ok(_) if self.partial.ends_with(b"\n") => {
                    let line = std::mem::take(&mut self.partial);
                    return Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()));
                }
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(error) => return Err(Error::Io("read from the guest's shell".to_owned(), error)),
            }
        }
    }
}
