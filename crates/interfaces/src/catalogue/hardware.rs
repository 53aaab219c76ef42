//! The messages of natsdev.

use super::{Domain, Kind, Message, message, stamp, with};
use crate::hardware::{Input, Net, Storage, Thing, Tty, Usb};
use crate::{Event, List, Overrun};
use schemars::JsonSchema;
use serde_json::{Value, json};

pub(super) fn domain() -> Domain {
    let net = json!({"devpath": "/devices/pci0000:00/0000:00:03.0/virtio1/net/eth0", "name": "eth0", "ifindex": 2,
        "address": "52:54:00:12:34:56"});
    let tty = json!({"devpath": "/devices/pci0000:00/0000:00:01.0/usb1/1-3/1-3:1.0/ttyUSB0/tty/ttyUSB0",
        "node": "/dev/ttyUSB0"});
    let item = with(json!({"subject": "hardware.usb.add"}), stick());
    let mut messages = vec![
        message::<List<'_, Thing<'_>>>(
            "hardware.list",
            Kind::Request,
            "HardwareList",
            "Answers everything that is plugged in, or all of one class.",
            json!({"epoch": "5f1d7a84c09be6f2", "seq": 7, "items": [item]}),
        ),
        message::<Overrun<'_>>(
            "hardware.overrun",
            Kind::Event,
            "HardwareOverrun",
            "The kernel dropped events; the differences have been published.",
            json!({"time": "2026-01-31T23:59:59.120Z"}),
        ),
    ];
    messages.extend(pair::<Usb<'_>>("Usb", ["hardware.usb.add", "hardware.usb.remove"], stick()));
    messages.extend(pair::<Storage<'_>>("Storage", ["hardware.storage.add", "hardware.storage.remove"], storage()));
    messages.extend(pair::<Input<'_>>("Input", ["hardware.input.add", "hardware.input.remove"], keyboard()));
    messages.extend(pair::<Net<'_>>("Net", ["hardware.net.add", "hardware.net.remove"], net));
    messages.extend(pair::<Tty<'_>>("Tty", ["hardware.tty.add", "hardware.tty.remove"], tty));
    Domain { name: "hardware", daemon: "natsdev", summary: "What is plugged in, when it can be used.", messages }
}

fn pair<T>(type_name: &'static str, [add, remove]: [&'static str; 2], body: Value) -> [Message; 2]
where
    for<'a> Event<'a, T>: JsonSchema,
{
    let of = |subject, summary, seq| {
        message::<Event<'_, T>>(subject, Kind::Event, type_name, summary, with(stamp(seq), body.clone()))
    };
    [of(add, "A thing of this class can be used.", 7), of(remove, "It is gone; the same fields as on add.", 8)]
}

fn stick() -> Value {
    json!({
        "devpath": "/devices/pci0000:00/0000:00:01.0/usb2/2-1", "node": "/dev/bus/usb/002/002",
        "vendor_id": "46f4", "product_id": "0001", "vendor": "QEMU", "product": "QEMU USB HARDDRIVE",
        "serial": "LUNIX0001", "interfaces": ["08/06/50"], "filesystem": "/dev/sda1",
        "filesystems": [{"node": "/dev/sda1", "type": "vfat", "usage": "filesystem", "label": "MY STICK",
            "uuid": "DEAD-BEEF", "size_bytes": 66_060_288, "read_only": false}],
    })
}

fn storage() -> Value {
    json!({
        "devpath": "/devices/pci0000:00/0000:00:01.0/usb2/2-1/2-1:1.0/host0/target0:0:0/0:0:0:0/block/sda/sda1",
        "node": "/dev/sda1", "type": "vfat", "usage": "filesystem", "label": "MY STICK", "uuid": "DEAD-BEEF",
        "size_bytes": 66_060_288, "read_only": false, "removable": true, "diskseq": 1,
        "usb": {"devpath": "/devices/pci0000:00/0000:00:01.0/usb2/2-1", "vendor_id": "46f4", "product_id": "0001",
            "serial": "LUNIX0001"},
    })
}

fn keyboard() -> Value {
    json!({
        "devpath": "/devices/pci0000:00/0000:00:01.0/usb1/1-2/1-2:1.0/0003:0627:0001.0001/input/input3",
        "name": "QEMU QEMU USB Keyboard", "kind": "keyboard", "node": "/dev/input/event2",
        "phys": "usb-0000:00:01.0-2/input0",
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every example is read by its type; `of` finds one by the type's name.
    pub(in crate::catalogue) fn read(of: &impl Fn(&str) -> String) {
        serde_json::from_str::<List<'_, Thing<'_>>>(&of("HardwareList")).unwrap();
        serde_json::from_str::<Event<'_, Usb<'_>>>(&of("Usb")).unwrap();
        serde_json::from_str::<Event<'_, Storage<'_>>>(&of("Storage")).unwrap();
        serde_json::from_str::<Event<'_, Input<'_>>>(&of("Input")).unwrap();
        serde_json::from_str::<Event<'_, Net<'_>>>(&of("Net")).unwrap();
        serde_json::from_str::<Event<'_, Tty<'_>>>(&of("Tty")).unwrap();
    }

    #[test]
    fn a_thing_is_read_back_as_what_it_was() {
        let classes = [stick(), storage(), keyboard()].map(|body| {
            let text = body.to_string();
            let thing: Thing<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_value(&thing).unwrap(), body);
            thing.class().as_str()
        });
        assert_eq!(classes, ["usb", "storage", "input"]);
    }
}
