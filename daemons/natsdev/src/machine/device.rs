//! What the adapter knows of one device: the facts of its uevent and of sysfs.

use interfaces::hardware::InputKind;
use serde::{Deserialize, Serialize};

/// A device, read when its event arrived or when sysfs was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Path below /sys.
    pub devpath: String,
    /// The name modules are found by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modalias: Option<String>,
    /// Its node, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Node>,
    /// What it is.
    pub kind: Kind,
}

/// A device node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Name below /dev.
    pub name: String,
    /// Subsystem of its device, which rules match on.
    pub subsystem: String,
}

/// Kinds of devices that things are composed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A USB device that is no root hub.
    UsbDevice(UsbDevice),
    /// One of its interfaces.
    UsbInterface(UsbInterface),
    /// A disk or partition.
    Block(Block),
    /// An input device.
    Input(Input),
    /// The event node of one.
    InputNode(String),
    /// A network interface with hardware behind it.
    Net(Net),
    /// A serial port with hardware behind it; its node.
    Tty(String),
    /// Anything else: only its node and modules matter.
    Other,
}

/// Facts of a USB device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsbDevice {
    /// Its node, absolute.
    pub node: String,
    /// idVendor, four hex digits.
    pub vendor_id: String,
    /// idProduct, four hex digits.
    pub product_id: String,
    /// `manufacturer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// `product`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// `serial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// `bNumInterfaces`; absent until it is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<usize>,
}

/// Facts of a USB interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsbInterface {
    /// Class, subclass, protocol as `08/06/50`.
    pub class: String,
    /// True while a driver is bound.
    pub bound: bool,
}

/// Facts of a disk or partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its node, absolute.
    pub node: String,
    /// Major and minor number.
    pub number: (u32, u32),
    /// Size in bytes; 0 without a medium.
    pub size_bytes: u64,
    /// `ro`.
    #[serde(default)]
    pub read_only: bool,
    /// `removable` of the disk.
    #[serde(default)]
    pub removable: bool,
    /// DISKSEQ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diskseq: Option<u64>,
    /// True for a partition.
    #[serde(default)]
    pub partition: bool,
    /// Partitions the kernel has found on a disk.
    #[serde(default)]
    pub partitions: usize,
}

/// Facts of an input device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// NAME without its quotes.
    pub name: String,
    /// By the events it can send.
    pub kind: InputKind,
    /// PHYS without its quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phys: Option<String>,
}

/// Facts of a network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    /// INTERFACE.
    pub name: String,
    /// IFINDEX.
    pub ifindex: u32,
    /// `address`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// DEVTYPE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devtype: Option<String>,
}

/// What a probe found on a block device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Type in blkid's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is for.
    pub usage: interfaces::hardware::Usage,
    /// Label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
}

/// The path of the device one level up.
#[must_use]
pub fn parent(devpath: &str) -> &str {
    devpath.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl UsbDevice {
    /// Keeps what an earlier reading of the same device had and this one lacks: sysfs empties while a device is taken out.
    pub(super) fn complete_from(&mut self, earlier: &Self) {
        if self.node == earlier.node {
            let keep =
                |place: &mut Option<String>, text: &Option<String>| *place = place.take().or_else(|| text.clone());
            keep(&mut self.vendor, &earlier.vendor);
            keep(&mut self.product, &earlier.product);
            keep(&mut self.serial, &earlier.serial);
            self.interfaces = self.interfaces.or(earlier.interfaces);
        }
    }
}

impl Kind {
    pub(super) fn as_usb(&self) -> Option<&UsbDevice> {
        if let Self::UsbDevice(device) = self { Some(device) } else { None }
    }

    pub(super) fn as_interface(&self) -> Option<&UsbInterface> {
        if let Self::UsbInterface(interface) = self { Some(interface) } else { None }
    }

    pub(super) fn as_block(&self) -> Option<&Block> {
        if let Self::Block(block) = self { Some(block) } else { None }
    }

    pub(super) fn as_input_node(&self) -> Option<&str> {
        if let Self::InputNode(node) = self { Some(node) } else { None }
    }
}
