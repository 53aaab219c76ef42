//! Kernel uevents, udevd's rebroadcast of them, and sysfs `uevent` files: bytes to borrowed values and back.
//!
//! Nothing is allocated or copied and nothing is known of devices: the crate stops where policy begins. Sources:
//! `lib/kobject_uevent.c` (datagram), `Documentation/ABI/testing/sysfs-uevent`, systemd `sd-device/device-monitor.c` (rebroadcast).
//!
//! ```abnf
//! datagram   = action "@" devpath NUL *( property NUL )   ; the kernel, multicast group 1
//! rebroadcast = header *( property NUL )                   ; udevd, multicast group 2; header: 40 bytes, see `udev`
//! file       = *( property LF )                            ; /sys/.../uevent
//! action     = "add" / "remove" / "change" / "move" / "online" / "offline" / "bind" / "unbind"
//! devpath    = "/" *octet                                  ; octet: anything but NUL
//! property   = key "=" *octet                              ; in a file: neither NUL nor LF
//! key        = 1*( %x21-3C / %x3E-7E )                     ; printable ASCII without "="
//! ```
//!
//! ```
//! use proto_uevent::{Action, Message};
//! let bytes = b"add@/devices/usb2/2-1\0ACTION=add\0SUBSYSTEM=usb\0DEVTYPE=usb_device\0PRODUCT=46f4/1/0\0SEQNUM=671\0";
//! let Message::Kernel(event) = Message::parse(bytes).unwrap() else { unreachable!() };
//! assert_eq!(event.action, Action::Add);
//! assert_eq!(event.devpath, b"/devices/usb2/2-1");
//! assert_eq!(event.properties.usb_product().unwrap().vendor, 0x46f4);
//! assert_eq!(event.properties.seqnum(), Some(671));
//! ```
#![forbid(unsafe_code)]
#![no_std]

mod action;
mod encode;
mod message;
mod properties;
mod scan;
pub mod udev;

pub use action::Action;
pub use encode::Encoder;
pub use message::{Error, Message, Uevent};
pub use properties::{Interface, Properties, UsbProduct};
pub use scan::{Fault, Scanner, Shape};
