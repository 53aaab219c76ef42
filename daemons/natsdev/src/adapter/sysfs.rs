//! Facts of devices from /sys.

use crate::machine::capabilities::Capabilities;
use crate::machine::device::{Block, Device, Input, Kind, Net, Node, UsbDevice, UsbInterface, parent};
use proto_uevent::Properties;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes in a sector as sysfs counts, whatever the disk has.
const SECTOR_BYTES: u64 = 512;

/// A mounted sysfs.
#[derive(Debug)]
pub(super) struct Sysfs {
    root: PathBuf,
}

impl Sysfs {
    pub(super) fn new() -> Self {
        Self { root: PathBuf::from("/sys") }
    }

    /// The device at `devpath` whose uevent has `properties`.
    pub(super) fn device(&self, devpath: &str, properties: Properties<'_>) -> Device {
        let subsystem = properties.subsystem().unwrap_or_default();
        let node = properties.devname().map(|name| Node { name: name.to_owned(), subsystem: subsystem.to_owned() });
        let kind = match subsystem {
            "usb" => self.usb(devpath, properties),
            "block" => self.block(devpath, properties),
            "input" => Self::input(properties),
            "net" => self.net(devpath, properties),
            "tty" => self.tty(devpath, properties),
            _ => None,
        };
        Device {
            devpath: devpath.to_owned(),
            modalias: properties.modalias().map(str::to_owned),
            node,
            kind: kind.unwrap_or(Kind::Other),
        }
    }

    /// Hands every device of every bus and class to `each`.
    pub(super) fn scan(&self, mut each: impl FnMut(Device)) -> io::Result<()> {
        for bus in entries(&self.root.join("bus"))? {
            self.scan_folder(&self.root.join("bus").join(&bus).join("devices"), &bus, &mut each)?;
        }
        for class in entries(&self.root.join("class"))? {
            self.scan_folder(&self.root.join("class").join(&class), &class, &mut each)?;
        }
        Ok(())
    }

    fn scan_folder(&self, folder: &Path, subsystem: &str, each: &mut impl FnMut(Device)) -> io::Result<()> {
        for name in entries(folder)? {
            // Beside links to devices, a class may have files of its own.
            let Ok(target) = std::fs::read_link(folder.join(name)) else { continue };
            let Some(devpath) = target.to_str().map(|target| target.trim_start_matches("../")) else { continue };
            let devpath = format!("/{devpath}");
            // Gone since the folder was read: its event will say so.
            let Ok(mut text) = std::fs::read(self.path(&devpath).join("uevent")) else { continue };
            text.extend_from_slice(format!("SUBSYSTEM={subsystem}\n").as_bytes());
            if let Ok(properties) = Properties::parse_file(&text) {
                each(self.device(&devpath, properties));
            }
        }
        Ok(())
    }

    fn usb(&self, devpath: &str, properties: Properties<'_>) -> Option<Kind> {
        match properties.devtype()? {
            "usb_device" => self.usb_device(devpath, properties),
            "usb_interface" => {
                let interface = properties.interface()?;
                let class = format!("{:02x}/{:02x}/{:02x}", interface.class, interface.subclass, interface.protocol);
                let bound = self.path(devpath).join("driver").exists();
                Some(Kind::UsbInterface(UsbInterface { class, bound }))
            }
            _ => None,
        }
    }

    fn usb_device(&self, devpath: &str, properties: Properties<'_>) -> Option<Kind> {
        // Root hubs are called usb1, usb2; devices 1-2, 1-2.3.
        if devpath.rsplit('/').next().is_some_and(|name| name.starts_with("usb")) {
            return None;
        }
        let product = properties.usb_product()?;
        Some(Kind::UsbDevice(UsbDevice {
            node: format!("/dev/{}", properties.devname()?),
            vendor_id: format!("{:04x}", product.vendor),
            product_id: format!("{:04x}", product.product),
            vendor: self.attribute(devpath, "manufacturer"),
            product: self.attribute(devpath, "product"),
            serial: self.attribute(devpath, "serial"),
            interfaces: self.number(devpath, "bNumInterfaces"),
        }))
    }

    fn block(&self, devpath: &str, properties: Properties<'_>) -> Option<Kind> {
        let name = properties.devname()?;
        // Memory dressed up as a disk holds nothing a person plugged in.
        if ["ram", "zram"].iter().any(|memory| name.starts_with(memory)) {
            return None;
        }
        let partition = properties.devtype() == Some("partition");
        let disk = if partition { parent(devpath) } else { devpath };
        Some(Kind::Block(Block {
            node: format!("/dev/{name}"),
            number: properties.device_number()?,
            size_bytes: self.number::<u64>(devpath, "size").unwrap_or(0).saturating_mul(SECTOR_BYTES),
            read_only: self.number(devpath, "ro") == Some(1_u8),
            removable: self.number(disk, "removable") == Some(1_u8),
            diskseq: properties.diskseq().or_else(|| self.number(disk, "diskseq")),
            partition,
            partitions: if partition { 0 } else { self.partitions(devpath) },
        }))
    }

    fn partitions(&self, disk: &str) -> usize {
        let folder = self.path(disk);
        let names = entries(&folder).unwrap_or_default();
        names.iter().filter(|name| folder.join(name).join("partition").exists()).count()
    }

    fn input(properties: Properties<'_>) -> Option<Kind> {
        if let Some(name) = properties.devname() {
            return name.starts_with("input/event").then(|| Kind::InputNode(format!("/dev/{name}")));
        }
        // The kernel puts these two in double quotes.
        let unquoted = |key| Some(properties.text(key)?.trim_matches('"').to_owned()).filter(|text| !text.is_empty());
        let bits = |key| properties.text(key).unwrap_or_default();
        let capabilities = Capabilities {
            events: bits("EV"),
            keys: bits("KEY"),
            relative: bits("REL"),
            absolute: bits("ABS"),
            properties: bits("PROP"),
        };
        let name = unquoted("NAME")?;
        Some(Kind::Input(Input { name, kind: capabilities.kind(), phys: unquoted("PHYS") }))
    }

    fn net(&self, devpath: &str, properties: Properties<'_>) -> Option<Kind> {
        if is_virtual(devpath) {
            return None;
        }
        Some(Kind::Net(Net {
            name: properties.text("INTERFACE")?.to_owned(),
            ifindex: u32::try_from(properties.number("IFINDEX")?).ok()?,
            address: self.attribute(devpath, "address"),
            devtype: properties.devtype().map(str::to_owned),
        }))
    }

    fn tty(&self, devpath: &str, properties: Properties<'_>) -> Option<Kind> {
        // The kernel has nodes for serial ports that this machine has not: type 0.
        let missing = self.number(devpath, "type") == Some(0_u32);
        let port = !is_virtual(devpath) && !missing;
        port.then(|| properties.devname().map(|name| Kind::Tty(format!("/dev/{name}"))))?
    }

    fn attribute(&self, devpath: &str, name: &str) -> Option<String> {
        let bytes = std::fs::read(self.path(devpath).join(name)).ok()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    fn number<N: std::str::FromStr>(&self, devpath: &str, name: &str) -> Option<N> {
        self.attribute(devpath, name)?.parse().ok()
    }

    fn path(&self, devpath: &str) -> PathBuf {
        self.root.join(devpath.trim_start_matches('/'))
    }
}

fn is_virtual(devpath: &str) -> bool {
    devpath.starts_with("/devices/virtual/")
}

/// Names in a folder, sorted; none when there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let read = match std::fs::read_dir(folder) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in read {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
