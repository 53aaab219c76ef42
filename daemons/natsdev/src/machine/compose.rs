//! Things from devices: what is published of what the kernel has.

use super::device::{Block, Content, Input, Net, UsbDevice};
use interfaces::Text;
use interfaces::hardware::{self, FileSystem, Storage, Thing, Tty, Usage, Usb, UsbIdentity};

fn own(text: &str) -> Text<'static> {
    Text::Owned(text.to_owned())
}

fn some(text: Option<&String>) -> Option<Text<'static>> {
    text.map(|text| own(text))
}

pub(super) fn usb(
    devpath: &str,
    device: &UsbDevice,
    interfaces: Vec<String>,
    mut filesystems: Vec<FileSystem<'static>>,
) -> Thing<'static> {
    // By length first, so that sda10 comes after sda2.
    filesystems.sort_by(|one, other| (one.node.len(), &one.node).cmp(&(other.node.len(), &other.node)));
    let first = filesystems.iter().find(|system| system.usage == Usage::Filesystem);
    Thing::Usb(Usb {
        devpath: own(devpath),
        node: own(&device.node),
        vendor_id: own(&device.vendor_id),
        product_id: own(&device.product_id),
        vendor: some(device.vendor.as_ref()),
        product: some(device.product.as_ref()),
        serial: some(device.serial.as_ref()),
        interfaces: interfaces.into_iter().map(Text::Owned).collect(),
        filesystem: first.map(|system| system.node.clone()),
        filesystems,
    })
}

pub(super) fn identity(devpath: &str, device: &UsbDevice) -> UsbIdentity<'static> {
    UsbIdentity {
        devpath: own(devpath),
        vendor_id: own(&device.vendor_id),
        product_id: own(&device.product_id),
        serial: some(device.serial.as_ref()),
    }
}

pub(super) fn storage(
    devpath: &str,
    block: &Block,
    content: &Content,
    usb: Option<UsbIdentity<'static>>,
) -> Thing<'static> {
    Thing::Storage(Storage {
        devpath: own(devpath),
        filesystem: FileSystem {
            node: own(&block.node),
            kind: own(&content.kind),
            usage: content.usage,
            label: some(content.label.as_ref()),
            uuid: some(content.uuid.as_ref()),
            size_bytes: block.size_bytes,
            read_only: block.read_only,
        },
        removable: block.removable,
        diskseq: block.diskseq,
        usb,
    })
}

pub(super) fn input(devpath: &str, device: &Input, node: Option<&str>) -> Thing<'static> {
    Thing::Input(hardware::Input {
        devpath: own(devpath),
        name: own(&device.name),
        kind: device.kind,
        node: node.map(own),
        phys: some(device.phys.as_ref()),
    })
}

pub(super) fn net(devpath: &str, device: &Net) -> Thing<'static> {
    Thing::Net(hardware::Net {
        devpath: own(devpath),
        name: own(&device.name),
        ifindex: device.ifindex,
        address: some(device.address.as_ref()),
        devtype: some(device.devtype.as_ref()),
    })
}

pub(super) fn tty(devpath: &str, node: &str) -> Thing<'static> {
    Thing::Tty(Tty { devpath: own(devpath), node: own(node) })
}

/// True when both are the same thing that was never away in between. The path alone does not tell: another device may have been
/// plugged into the same port. USB nodes, disk numbers, interface numbers and input numbers are not used twice in a row.
pub(super) fn is_same(one: &Thing<'_>, other: &Thing<'_>) -> bool {
    match (one, other) {
        (Thing::Usb(one), Thing::Usb(other)) => {
            // Of a device that is being taken out, sysfs has no strings any more.
            let serials_differ = one.serial.is_some() && other.serial.is_some() && one.serial != other.serial;
            let same_ids = (&one.vendor_id, &one.product_id) == (&other.vendor_id, &other.product_id);
            one.node == other.node && same_ids && !serials_differ
        }
        (Thing::Storage(one), Thing::Storage(other)) => one == other,
        (Thing::Input(one), Thing::Input(other)) => (&one.devpath, &one.name) == (&other.devpath, &other.name),
        (Thing::Net(one), Thing::Net(other)) => (one.ifindex, &one.name) == (other.ifindex, &other.name),
        (Thing::Tty(one), Thing::Tty(other)) => one.node == other.node,
        (Thing::Usb(_) | Thing::Storage(_) | Thing::Input(_) | Thing::Net(_) | Thing::Tty(_), _) => false,
    }
}

/// True when the saved file system can still be what this block device holds: same disk, same medium, same size.
pub(super) fn is_same_medium(saved: &Thing<'_>, block: &Block) -> bool {
    match saved {
        Thing::Storage(storage) => {
            let system = &storage.filesystem;
            storage.diskseq == block.diskseq && system.node == block.node && system.size_bytes == block.size_bytes
        }
        Thing::Usb(_) | Thing::Input(_) | Thing::Net(_) | Thing::Tty(_) => false,
    }
}

/// The file system a thing is.
pub(super) fn filesystem(thing: &Thing<'static>) -> Option<FileSystem<'static>> {
    if let Thing::Storage(storage) = thing { Some(storage.filesystem.clone()) } else { None }
}
