//! What another shell can do with a running machine.

use crate::failure::{Context, Failure, Result};
use crate::need::{self, Need};
use crate::project;
use serde_json::json;
use std::path::{Path, PathBuf};
use testkit::Deadline;
use testkit::disk::{self, FileSystem};
use testkit::qemu::{self, Plug};
use testkit::qmp::{Qmp, connect_in};
use testkit::vm::Shell;

/// Options of `vm plug`.
pub struct StickOptions {
    pub name: Option<String>,
    pub file_system: FileSystem,
    pub label: String,
    pub image: Option<PathBuf>,
    pub is_empty: bool,
}

impl Default for StickOptions {
    fn default() -> Self {
        Self { name: None, file_system: FileSystem::Vfat, label: "LUNIX".to_owned(), image: None, is_empty: false }
    }
}

pub fn file_system(name: &str) -> Result<FileSystem> {
    FileSystem::from_name(name).ok_or_else(|| Failure::usage(format!("--fs {name}: vfat, exfat or ext4")))
}

/// Fails with a sentence unless the machine `name` runs.
pub fn expect_running(folder: &Path, name: &str) -> Result<()> {
    if connect_in(folder, "qmp.sock").is_ok() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "no machine named {name} runs: start one with `cargo xtask vm`, see them with `cargo xtask vm status`"
    )))
}

/// `vm plug WHAT`
pub fn plug(folder: &Path, what: &str, options: &StickOptions) -> Result<()> {
    let name = options.name.clone().unwrap_or_else(|| what.to_owned());
    let plug = match what {
        "usb-stick" => Plug::UsbStick(stick(folder, &name, options)?),
        "keyboard" => Plug::Keyboard,
        "disk" => Plug::Disk(disk_image(folder, &name, options)?),
        other => return Err(Failure::usage(format!("plug {other}: usb-stick, keyboard or disk"))),
    };
    qemu::plug(folder, &name, &plug)?;
    println!("plugged in {name}; take it out with: cargo xtask vm unplug {name}");
    Ok(())
}

/// The stick's image: the given one, none for an empty reader, or one made here.
fn stick(folder: &Path, name: &str, options: &StickOptions) -> Result<Option<PathBuf>> {
    if options.is_empty {
        return Ok(None);
    }
    if let Some(image) = &options.image {
        return Ok(Some(image.clone()));
    }
    need::satisfy(&[tool_of(options.file_system)])?;
    Ok(Some(qemu::stick_image(folder, name, options.file_system, &options.label)?))
}

const fn tool_of(file_system: FileSystem) -> Need {
    match file_system {
        FileSystem::Vfat => Need::apt_program("dosfstools", "mkfs.vfat", "puts a file system on the stick"),
        FileSystem::Exfat => Need::apt_program("exfatprogs", "mkfs.exfat", "puts a file system on the stick"),
        FileSystem::Ext4 => Need::apt_program("e2fsprogs", "mkfs.ext4", "puts a file system on the stick"),
    }
}

fn disk_image(folder: &Path, name: &str, options: &StickOptions) -> Result<PathBuf> {
    if let Some(image) = &options.image {
        return Ok(image.clone());
    }
    let image = folder.join(format!("{name}.img"));
    disk::empty(&image, 64)?;
    Ok(image)
}

/// `vm unplug DEVICE`
pub fn unplug(folder: &Path, device: &str) -> Result<()> {
    qemu::unplug(folder, device, Deadline::seconds(30))?;
    println!("unplugged {device}");
    Ok(())
}

/// `vm exec COMMAND`
pub fn exec(folder: &Path, command: &str) -> Result<()> {
    let mut shell = Shell::connect(folder, Deadline::seconds(10))
        .map_err(|error| Failure::new(format!("{error}; was the machine started with --test-shell, and is it up?")))?;
    let (code, output) = shell.run(command, Deadline::seconds(600))?;
    print!("{output}");
    if code == 0 { Ok(()) } else { Err(Failure::new(format!("the command ended with {code}"))) }
}

/// `vm status`
pub fn status() -> Result<()> {
    let runs = project::vm().join("run");
    let mut any = false;
    for entry in std::fs::read_dir(&runs).into_iter().flatten() {
        let folder = entry.at(&runs)?.path();
        let Ok(plugged) = qemu::plugged(&folder) else { continue };
        any = true;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let url = std::fs::read_to_string(folder.join("url")).unwrap_or_default();
        println!("{name}: runs\n    NATS_URL={}", url.trim());
        for (device, driver) in plugged {
            println!("    {device} ({driver})");
        }
    }
    if !any {
        println!("no machine runs");
    }
    Ok(())
}

/// `vm stop`: Ctrl-Alt-Del, which init turns into an orderly shutdown; after twenty seconds the plug is pulled.
pub fn stop(folder: &Path, name: &str) -> Result<()> {
    let mut qmp = Qmp::connect(folder)?;
    let keys = ["ctrl", "alt", "delete"].map(|key| json!({"type": "qcode", "data": key}));
    qmp.execute("send-key", &json!({"keys": keys}))?;
    if qmp.closed(Deadline::seconds(20)) {
        println!("{name} is off");
        return Ok(());
    }
    // It answers or it has just gone; both are what is wanted.
    let _ = qmp.execute("quit", &json!({}));
    Err(Failure::new(format!("{name} did not shut down in 20 s; it was switched off")))
}
