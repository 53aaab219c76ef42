//! Finds and loads kernel modules in process: no modprobe, no fork, no libkmod.
//!
//! A [`Tree`] reads what depmod left in `/lib/modules/<release>`: `modules.alias.bin`, `modules.dep.bin` and
//! `modules.builtin.bin` (tries, read a block at a time; the text files where these are missing) and `modules.softdep`.
//! A [`Policy`] reads `modprobe.d` and the kernel command line: what is blacklisted, with which options a module is loaded.
//! [`Tree::plan`] turns a MODALIAS into [`Step`]s in load order, [`Step::load`] makes the system call.
//!
//! Deliberately absent: `install` and `remove` commands (a module with an `install` command is not loaded and said so; the idiom
//! `install x /bin/true` means the same), dependencies by symbol, unloading, version-magic overrides.
//! Sources: `man 5 modprobe.d`, `man 5 modules.dep`, libkmod's `libkmod-index.h` (format), `man 2 finit_module`.
//!
//! ```
//! use modules::{Policy, Tree};
//! let folder = std::env::temp_dir().join(format!("modules-doc-{}", std::process::id()));
//! std::fs::create_dir_all(&folder).unwrap();
//! std::fs::write(folder.join("modules.alias"), "alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage\n").unwrap();
//! std::fs::write(folder.join("modules.dep"), "kernel/usb-storage.ko: kernel/scsi_mod.ko\nkernel/scsi_mod.ko:\n").unwrap();
//!
//! let mut tree = Tree::open(&folder).unwrap();
//! let plan = tree.plan("usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", &Policy::default()).unwrap();
//! let names: Vec<_> = plan.iter().map(|step| step.name.as_str()).collect();
//! assert_eq!(names, ["scsi_mod", "usb_storage"]);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! ```
#![forbid(unsafe_code)]

mod error;
mod glob;
mod index;
mod load;
mod name;
mod plan;
mod policy;
mod tree;

pub use error::Error;
pub use glob::matches;
pub use index::Index;
pub use load::Outcome;
pub use plan::Step;
pub use policy::{Policy, SoftDependency};
pub use tree::Tree;
