//! natsdev puts hardware on the bus: once per thing, when it can be used.
//!
//! | input | effect |
//! |---|---|
//! | the kernel announces a device | its node gets owner and mode, its modules are loaded, `hardware.raw.<subsystem>.<action>` |
//! | a USB device is bound, and its disks have been looked at | `hardware.usb.add` |
//! | a file system is recognised on a block device | `hardware.storage.add` |
//! | an input device has its node; a network interface or serial port appears | `hardware.input.add`, `hardware.net.add`, `hardware.tty.add` |
//! | any of them goes | `hardware.<class>.remove` with the fields of its `add` |
//! | request `hardware.list` | everything that is there, with epoch and number |
//! | the kernel dropped events | sysfs is read, the differences are published, `hardware.overrun` says so |
//!
//! What was there at the first start is listed and not announced. The numbers and the things outlive the process
//! (`/run/lunix/natsdev.state`), so a restarted natsdev announces exactly what changed while it was away.
//!
//! It never polls, forks nothing per event, and makes no system call while nothing happens. What can block (looking at a medium,
//! loading a module) runs in two long-lived processes with a deadline for each job ([`helper`]).
//!
//! Sources: `lib/kobject_uevent.c`, `Documentation/ABI/testing/sysfs-*`, `man 5 modprobe.d`.
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
pub mod helper;
pub mod machine;

pub use adapter::Natsdev;
