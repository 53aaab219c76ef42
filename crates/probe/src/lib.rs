//! Says what is on a block device: file system, label, UUID, or partition table.
//!
//! The crate reads nothing itself. A [`Probe`] names the byte range it wants next, is fed it, and ends after at most [`WANTS_MAX`]
//! ranges of at most [`WANT_BYTES_MAX`] bytes, whatever the medium holds. Nothing is allocated. A damaged or hostile medium can make
//! it see nothing, or a wrong label; it can neither make it panic nor read on and on.
//!
//! | type | label from | UUID form |
//! |---|---|---|
//! | vfat (FAT12/16/32) | volume entry in the root directory, as blkid; the boot sector's copy is ignored | `XXXX-XXXX` |
//! | exfat | volume entry in the root directory | `XXXX-XXXX` |
//! | ext2, ext3, ext4, xfs, btrfs, f2fs, swap | superblock | RFC 9562 |
//! | ntfs | `$Volume` record | 16 hex digits |
//! | iso9660 | Joliet descriptor, else primary | date of modification |
//! | crypto_LUKS | header (version 2 only) | as written there |
//! | squashfs | has none | has none |
//!
//! Not verified: checksums, backup superblocks. Not recognised: members of RAID and LVM.
//!
//! ```
//! use probe::{Probe, Type};
//! let mut image = vec![0_u8; 1 << 20];
//! image[..4].copy_from_slice(b"XFSB");
//! image[4..8].copy_from_slice(&4096_u32.to_be_bytes());
//! image[108..113].copy_from_slice(b"music");
//! let mut probe = Probe::new(image.len() as u64);
//! while let Some(range) = probe.want() {
//!     let start = range.offset as usize;
//!     probe.feed(&image[start..start + range.length]);
//! }
//! let content = probe.found().content.as_ref().unwrap();
//! assert_eq!((content.kind, content.label.as_str()), (Type::Xfs, "music"));
//! ```
#![forbid(unsafe_code)]
#![no_std]
#![expect(
    clippy::large_enum_variant,
    reason = "labels live on the stack for a moment; there is no allocator to box them"
)]

mod exfat;
mod ext;
mod fat;
mod field;
mod found;
mod iso;
mod ntfs;
mod probe;
mod simple;
mod table;
mod text;

pub use found::{Content, Found, Table, Type, Usage};
pub use probe::{Probe, Range, WANT_BYTES_MAX, WANTS_MAX};
pub use text::Text;
