//! Hardware: what is plugged in, once per thing and when it can be used. Daemon: natsdev.
//!
//! | subject | kind | payload |
//! |---|---|---|
//! | `hardware.usb.add`, `hardware.usb.remove` | event | [`Usb`] |
//! | `hardware.storage.add`, `hardware.storage.remove` | event | [`Storage`] |
//! | `hardware.input.add`, `hardware.input.remove` | event | [`Input`] |
//! | `hardware.net.add`, `hardware.net.remove` | event | [`Net`] |
//! | `hardware.tty.add`, `hardware.tty.remove` | event | [`Tty`] |
//! | `hardware.list` | request | [`crate::List`] of [`Thing`]; argument: a class (`usb`), or none for all |
//! | `hardware.overrun` | event without number | [`crate::Overrun`] |
//! | `hardware.raw.<subsystem>.<action>` | event without number | the kernel's own keys and values, as an object of strings |
//!
//! A `remove` carries exactly what its `add` carried. What was there when the daemon first started is in the list and is never
//! announced. Nodes have their final owner and mode before they are announced.

use crate::Text;
use serde::{Deserialize, Serialize};

/// A USB device, hubs included, the machine's own root hubs not. Announced once its drivers are bound, and for mass storage once
/// its disk has been looked at: about 1.5 s after plugging, at most 5 s (a card reader without a card takes that long).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usb<'a> {
    /// Path below /sys, stable until removal. Source: uevent DEVPATH.
    #[serde(borrow)]
    pub devpath: Text<'a>,
    /// Its node, as `/dev/bus/usb/002/003`. Source: uevent DEVNAME.
    #[serde(borrow)]
    pub node: Text<'a>,
    /// Maker, four hex digits. Source: device descriptor, idVendor.
    #[serde(borrow)]
    pub vendor_id: Text<'a>,
    /// Product, four hex digits. Source: device descriptor, idProduct.
    #[serde(borrow)]
    pub product_id: Text<'a>,
    /// The maker's name in the device's own words; absent when it tells none. Source: sysfs `manufacturer`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Text<'a>>,
    /// The product's name in the device's own words; absent when it tells none. Source: sysfs `product`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Text<'a>>,
    /// Serial number; absent when it tells none. Identifies a single item. Source: sysfs `serial`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Text<'a>>,
    /// What it does: class, subclass and protocol of each interface as `08/06/50`, hexadecimal, in interface order.
    #[serde(borrow)]
    pub interfaces: Vec<Text<'a>>,
    /// Node of the first file system that can be mounted; absent when there is none.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<Text<'a>>,
    /// All file systems and the like on its disks, in node order; absent when there is none.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub filesystems: Vec<FileSystem<'a>>,
}

/// A file system, swap space or locked volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileSystem<'a> {
    /// Its block device, as `/dev/sda1`.
    #[serde(borrow)]
    pub node: Text<'a>,
    /// Type in mount's and blkid's words: `vfat`, `ext4`, `swap`, `crypto_LUKS` ...
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// What it is for.
    pub usage: Usage,
    /// Label; absent when it has none.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Text<'a>>,
    /// Identifier in the form usual for the type; absent when it has none. Identifies a single item.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Text<'a>>,
    /// Size of the block device in bytes.
    pub size_bytes: u64,
    /// True when the block device refuses writing.
    pub read_only: bool,
}

/// What can be done with the content of a block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Usage {
    /// Mount it.
    Filesystem,
    /// Swap to it.
    Swap,
    /// Unlock it first.
    Crypto,
}

/// A file system or the like on a block device of any kind: announced once it has been recognised, also when a card is put into a
/// reader that has been there for long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Storage<'a> {
    /// Path below /sys, stable until removal. Source: uevent DEVPATH.
    #[serde(borrow)]
    pub devpath: Text<'a>,
    /// What is on it.
    #[serde(flatten, borrow)]
    pub filesystem: FileSystem<'a>,
    /// True when the medium can be taken out of its drive. Source: sysfs `removable`.
    pub removable: bool,
    /// Number of the disk, never used twice while the machine runs; absent before Linux 5.15. Source: uevent DISKSEQ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diskseq: Option<u64>,
    /// The USB device it belongs to; absent for other disks.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub usb: Option<UsbIdentity<'a>>,
}

/// Who a USB device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsbIdentity<'a> {
    /// Path below /sys of the USB device.
    #[serde(borrow)]
    pub devpath: Text<'a>,
    /// Maker, four hex digits.
    #[serde(borrow)]
    pub vendor_id: Text<'a>,
    /// Product, four hex digits.
    #[serde(borrow)]
    pub product_id: Text<'a>,
    /// Serial number; absent when it tells none. Identifies a single item.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Text<'a>>,
}

/// What a person uses to enter something: a keyboard, mouse, touch screen, button. Announced once its event node exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input<'a> {
    /// Path below /sys, stable until removal. Source: uevent DEVPATH.
    #[serde(borrow)]
    pub devpath: Text<'a>,
    /// Its name in the driver's words. Source: uevent NAME.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// What it is, by the events it can send.
    pub kind: InputKind,
    /// Its event node, as `/dev/input/event2`; absent when none came within 2 s.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Text<'a>>,
    /// How it is attached, as `usb-0000:00:01.0-2/input0`; absent when it does not tell. Source: uevent PHYS.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub phys: Option<Text<'a>>,
}

/// Kinds of input devices; a device that is several is the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// Has the letters.
    Keyboard,
    /// Moves a pointer and has buttons.
    Mouse,
    /// A pad that a finger moves on.
    Touchpad,
    /// A screen that is touched.
    Touchscreen,
    /// A pen on a surface.
    Tablet,
    /// A game controller.
    Joystick,
    /// Some keys: power button, volume, remote control.
    Buttons,
    /// A lid or other switch.
    Switch,
    /// Anything else.
    Other,
}

/// A network interface with hardware behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Net<'a> {
    /// Path below /sys, stable until removal or renaming. Source: uevent DEVPATH.
    #[serde(borrow)]
    pub devpath: Text<'a>,
    /// Name of the interface, as `eth0`. Source: uevent INTERFACE.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Number of the interface, kept when it is renamed. Source: uevent IFINDEX.
    pub ifindex: u32,
    /// Hardware address, lower case; absent when it has none. Identifies a single item. Source: sysfs `address`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text<'a>>,
    /// Sort of interface when not plain Ethernet: `wlan`, `wwan`, `bluetooth`; otherwise absent. Source: uevent DEVTYPE.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub devtype: Option<Text<'a>>,
}

/// A serial port with hardware behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tty<'a> {
    /// Path below /sys, stable until removal. Source: uevent DEVPATH.
    #[serde(borrow)]
    pub devpath: Text<'a>,
    /// Its node, as `/dev/ttyUSB0`.
    #[serde(borrow)]
    pub node: Text<'a>,
}

/// Anything of this domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Thing<'a> {
    /// Under `hardware.usb`.
    #[serde(borrow)]
    Usb(Usb<'a>),
    /// Under `hardware.storage`.
    #[serde(borrow)]
    Storage(Storage<'a>),
    /// Under `hardware.input`.
    #[serde(borrow)]
    Input(Input<'a>),
    /// Under `hardware.net`.
    #[serde(borrow)]
    Net(Net<'a>),
    /// Under `hardware.tty`.
    #[serde(borrow)]
    Tty(Tty<'a>),
}

/// The classes, as they stand in subjects and in the argument of `hardware.list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// USB devices.
    Usb,
    /// File systems and the like.
    Storage,
    /// Input devices.
    Input,
    /// Network interfaces.
    Net,
    /// Serial ports.
    Tty,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::Usb, Self::Storage, Self::Input, Self::Net, Self::Tty];

    /// Its token in subjects.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usb => "usb",
            Self::Storage => "storage",
            Self::Input => "input",
            Self::Net => "net",
            Self::Tty => "tty",
        }
    }

    /// The class of this token.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == token)
    }
}

impl Thing<'_> {
    /// Its class.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Usb(_) => Class::Usb,
            Self::Storage(_) => Class::Storage,
            Self::Input(_) => Class::Input,
            Self::Net(_) => Class::Net,
            Self::Tty(_) => Class::Tty,
        }
    }

    /// Its path below /sys.
    #[must_use]
    pub fn devpath(&self) -> &str {
        match self {
            Self::Usb(usb) => &usb.devpath,
            Self::Storage(storage) => &storage.devpath,
            Self::Input(input) => &input.devpath,
            Self::Net(net) => &net.devpath,
            Self::Tty(tty) => &tty.devpath,
        }
    }
}

fn own(text: Text<'_>) -> Text<'static> {
    Text::Owned(text.into_owned())
}

impl Thing<'_> {
    /// The same with memory of its own.
    #[must_use]
    pub fn into_owned(self) -> Thing<'static> {
        match self {
            Self::Usb(usb) => Thing::Usb(usb.into_owned()),
            Self::Storage(storage) => Thing::Storage(storage.into_owned()),
            Self::Input(input) => Thing::Input(Input {
                devpath: own(input.devpath),
                name: own(input.name),
                kind: input.kind,
                node: input.node.map(own),
                phys: input.phys.map(own),
            }),
            Self::Net(net) => Thing::Net(Net {
                devpath: own(net.devpath),
                name: own(net.name),
                ifindex: net.ifindex,
                address: net.address.map(own),
                devtype: net.devtype.map(own),
            }),
            Self::Tty(tty) => Thing::Tty(Tty { devpath: own(tty.devpath), node: own(tty.node) }),
        }
    }
}

impl Usb<'_> {
    fn into_owned(self) -> Usb<'static> {
        Usb {
            devpath: own(self.devpath),
            node: own(self.node),
            vendor_id: own(self.vendor_id),
            product_id: own(self.product_id),
            vendor: self.vendor.map(own),
            product: self.product.map(own),
            serial: self.serial.map(own),
            interfaces: self.interfaces.into_iter().map(own).collect(),
            filesystem: self.filesystem.map(own),
            filesystems: self.filesystems.into_iter().map(FileSystem::into_owned).collect(),
        }
    }
}

impl FileSystem<'_> {
    fn into_owned(self) -> FileSystem<'static> {
        FileSystem {
            node: own(self.node),
            kind: own(self.kind),
            usage: self.usage,
            label: self.label.map(own),
            uuid: self.uuid.map(own),
            size_bytes: self.size_bytes,
            read_only: self.read_only,
        }
    }
}

impl Storage<'_> {
    fn into_owned(self) -> Storage<'static> {
        Storage {
            devpath: own(self.devpath),
            filesystem: self.filesystem.into_owned(),
            removable: self.removable,
            diskseq: self.diskseq,
            usb: self.usb.map(|usb| UsbIdentity {
                devpath: own(usb.devpath),
                vendor_id: own(usb.vendor_id),
                product_id: own(usb.product_id),
                serial: usb.serial.map(own),
            }),
        }
    }
}
