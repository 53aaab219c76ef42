//! The machine: QEMU's command line, and what can be plugged into it while it runs.
//!
//! Without KVM, so that it runs the same everywhere. The kernel is the ELF file inside Debian's: booted by PVH it saves the guest
//! from decompressing itself, which under emulation is half of the boot.

use crate::deadline::Deadline;
use crate::disk;
use crate::error::{Error, Result};
use crate::qmp::Qmp;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the guest's serial console goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// The terminal (Ctrl-A X quits), and `console.log` in the run folder.
    Terminal,
    /// Standard input and output as they are, for a program that reads them, and `console.log` in the run folder.
    Pipe,
    /// `console.log` and the socket `console.sock` in the run folder.
    Socket,
}

/// A machine to start.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The folder of this run: sockets, console log, images. Must exist.
    pub run_folder: PathBuf,
    /// The kernel: an ELF with a PVH note, or a bzImage.
    pub kernel: PathBuf,
    /// The root, a cpio archive.
    pub initramfs: PathBuf,
    /// Added to the kernel's command line.
    pub append: String,
    /// Memory of the guest in MiB.
    pub memory_mb: u32,
    /// Where the console goes.
    pub console: Console,
    /// The loopback port that leads to the guest's port 4222.
    pub bus_port: u16,
    /// Whether one guest instruction takes one nanosecond, whatever the host does: for measuring, not for speed.
    pub icount: bool,
    /// A folder of the host that the guest can mount (9p, tag `share`).
    pub share: Option<PathBuf>,
    /// Ports of the guest that loopback ports lead to, beside the bus's: (here, there).
    pub forwards: Vec<(u16, u16)>,
    /// More arguments for QEMU.
    pub arguments: Vec<String>,
}

impl Machine {
    /// The command that runs it.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new("qemu-system-x86_64");
        command.current_dir(&self.run_folder);
        command.args(["-accel", "tcg", "-machine", "q35", "-cpu", "max", "-smp", "1", "-nodefaults", "-no-reboot"]);
        command.args(["-display", "none", "-m", &self.memory_mb.to_string()]);
        command.arg("-kernel").arg(&self.kernel).arg("-initrd").arg(&self.initramfs);
        command.args(["-append", &format!("console=ttyS0 quiet panic=-1 {}", self.append)]);
        self.serial_ports(&mut command);
        command.args(["-qmp", "unix:qmp.sock,server=on,wait=off"]);
        command.args(["-device", "qemu-xhci,id=xhci,p2=8,p3=8"]);
        for slot in ["1", "2"] {
            command.args(["-device", &format!("pcie-root-port,id=slot{slot},slot={slot},chassis={slot}")]);
        }
        // restrict=on: the guest reaches nothing outside; only this one port leads in.
        let mut forward = format!("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{}-:4222", self.bus_port);
        for (here, there) in &self.forwards {
            forward.push_str(&format!(",hostfwd=tcp:127.0.0.1:{here}-:{there}"));
        }
        command.args(["-netdev", &forward, "-device", "virtio-net-pci,netdev=net"]);
        if self.icount {
            command.args(["-icount", "shift=0,sleep=off"]);
        }
        if let Some(share) = &self.share {
            let share = share.display();
            command.args(["-virtfs", &format!("local,path={share},mount_tag=share,security_model=none")]);
        }
        command.args(&self.arguments);
        command
    }

    /// ttyS0 is the console; ttyS1 is for the shell that a test image runs there.
    fn serial_ports(&self, command: &mut Command) {
        match self.console {
            Console::Terminal => command.args([
                "-chardev",
                "stdio,id=console,mux=on,signal=off,logfile=console.log",
                "-mon",
                "chardev=console,mode=readline",
            ]),
            Console::Pipe => command.args(["-chardev", "stdio,id=console,mux=off,signal=off,logfile=console.log"]),
            Console::Socket => {
                command.args(["-chardev", "socket,id=console,path=console.sock,server=on,wait=off,logfile=console.log"])
            }
        };
        command.args(["-serial", "chardev:console"]);
        command.args(["-chardev", "socket,id=shell,path=shell.sock,server=on,wait=off", "-serial", "chardev:shell"]);
    }
}

/// A loopback port that is free now.
///
/// # Errors
/// When the system gives none.
pub fn free_port() -> Result<u16> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(Error::io("find a free port"))
}

/// Something that can be plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plug {
    /// A USB stick with this image; without one, a card reader with no card in it.
    UsbStick(Option<PathBuf>),
    /// A USB keyboard.
    Keyboard,
    /// A virtio disk on PCI with this image.
    Disk(PathBuf),
}

/// Plugs it into the machine of `run_folder` under `name`, by which [`unplug`] knows it.
///
/// # Errors
/// When no machine runs there, the name is taken, or QEMU refuses.
pub fn plug(run_folder: &Path, name: &str, what: &Plug) -> Result<()> {
    let mut qmp = Qmp::connect(run_folder)?;
    let drive = format!("{name}-drive");
    let device = match what {
        Plug::UsbStick(image) => {
            match image {
                Some(image) => add_drive(&mut qmp, &drive, image)?,
                None => expect_ok(&qmp.monitor(&format!("drive_add 0 if=none,id={drive}"))?)?,
            }
            json!({"driver": "usb-storage", "id": name, "bus": "xhci.0", "drive": drive, "removable": true, "serial": serial(name)})
        }
        Plug::Keyboard => json!({"driver": "usb-kbd", "id": name, "bus": "xhci.0"}),
        Plug::Disk(image) => {
            add_drive(&mut qmp, &drive, image)?;
            json!({"driver": "virtio-blk-pci", "id": name, "bus": free_slot(&mut qmp)?, "drive": drive, "serial": serial(name)})
        }
    };
    qmp.execute("device_add", &device).map(drop)
}

/// Takes out what was plugged in as `name` and waits until it is gone (a PCI disk waits for the guest's consent: five seconds).
///
/// # Errors
/// When there is no such thing, or the guest does not let go in time.
pub fn unplug(run_folder: &Path, name: &str, deadline: Deadline) -> Result<()> {
    let mut qmp = Qmp::connect(run_folder)?;
    qmp.execute("device_del", &json!({"id": name}))?;
    qmp.event("DEVICE_DELETED", name, deadline)?;
    let drive = format!("{name}-drive");
    // A keyboard has no drive, and a reader's is deleted with it.
    if let Err(Error::Io(what, error)) = qmp.execute("blockdev-del", &json!({"node-name": drive})) {
        return Err(Error::Io(what, error));
    }
    Ok(())
}

/// The names and drivers of what is plugged in.
///
/// # Errors
/// When no machine runs there.
pub fn plugged(run_folder: &Path) -> Result<Vec<(String, String)>> {
    let mut qmp = Qmp::connect(run_folder)?;
    let list = qmp.execute("qom-list", &json!({"path": "/machine/peripheral"}))?;
    let text = |value: &Value, key| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let devices = list.as_array().into_iter().flatten().map(|item| (text(item, "name"), text(item, "type")));
    let own = |name: &str| matches!(name, "type" | "xhci" | "slot1" | "slot2");
    Ok(devices
        .filter(|(name, _)| !own(name))
        .map(|(name, driver)| (name, driver.trim_start_matches("child<").trim_end_matches('>').to_owned()))
        .collect())
}

/// Gives QEMU the file `image` as the drive of that name.
fn add_drive(qmp: &mut Qmp, drive: &str, image: &Path) -> Result<()> {
    let file = json!({"driver": "file", "filename": image});
    qmp.execute("blockdev-add", &json!({"driver": "raw", "node-name": drive, "file": file})).map(drop)
}

fn expect_ok(printed: &str) -> Result<()> {
    if printed == "OK" { Ok(()) } else { Err(Error::unexpected(format!("QEMU refuses drive_add: {printed}"))) }
}

/// The first of the two PCI slots with nothing in it.
fn free_slot(qmp: &mut Qmp) -> Result<&'static str> {
    let buses = qmp.execute("query-pci", &json!({}))?;
    let devices: Vec<&Value> =
        buses.as_array().into_iter().flatten().filter_map(|bus| bus.get("devices")?.as_array()).flatten().collect();
    let is_free = |slot: &&str| {
        let port = devices.iter().find(|device| device.get("qdev_id").is_some_and(|id| id == slot));
        let below = port.and_then(|port| port.pointer("/pci_bridge/devices")).and_then(Value::as_array);
        below.is_none_or(Vec::is_empty)
    };
    let slots = ["slot1", "slot2"];
    slots.into_iter().find(is_free).ok_or_else(|| Error::unexpected("both PCI slots are taken: unplug a disk first"))
}

/// A serial number that shows where the device came from.
fn serial(name: &str) -> String {
    format!("LUNIX-{}", name.to_ascii_uppercase())
}

/// Makes the image of a stick in the run folder and returns its path.
///
/// # Errors
/// As [`disk::stick`].
pub fn stick_image(run_folder: &Path, name: &str, file_system: disk::FileSystem, label: &str) -> Result<PathBuf> {
    let image = run_folder.join(format!("{name}.img"));
    disk::stick(&image, file_system, label, file_system.size_mb_min())?;
    Ok(image)
}
