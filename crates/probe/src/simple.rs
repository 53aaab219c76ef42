//! Types told by one superblock at a fixed place.

use crate::field::{be16, be32, has, le16, le32, slice, units_le};
use crate::found::{Content, Type};
use crate::text::Text;

/// Those whose superblock lies in the first 4 KiB.
pub(crate) fn recognise(head: &[u8]) -> Option<Content> {
    luks(head).or_else(|| xfs(head)).or_else(|| squashfs(head)).or_else(|| f2fs(head))
}

/// LUKS header (LUKS2 On-Disk Format, 2.1): magic, version, label, UUID as text.
fn luks(head: &[u8]) -> Option<Content> {
    if !has(head, 0, b"LUKS\xba\xbe") {
        return None;
    }
    let label = match be16(head, 6)? {
        1 => Text::EMPTY,
        2 => Text::from_bytes(slice(head, 24, 48)),
        _ => return None,
    };
    Some(Content { kind: Type::CryptoLuks, label, uuid: Text::from_bytes(slice(head, 168, 40)) })
}

/// XFS superblock (`xfs_format.h`, `struct xfs_dsb`), big-endian.
fn xfs(head: &[u8]) -> Option<Content> {
    let block_bytes = be32(head, 4)?;
    let plausible = block_bytes.is_power_of_two() && (512..=65536).contains(&block_bytes);
    (has(head, 0, b"XFSB") && plausible).then(|| Content::with(Type::Xfs, slice(head, 108, 12), slice(head, 32, 16)))
}

/// squashfs 4 (`squashfs_fs.h`), which carries neither label nor UUID.
fn squashfs(head: &[u8]) -> Option<Content> {
    (has(head, 0, b"hsqs") && le16(head, 28)? == 4).then(|| Content::new(Type::Squashfs))
}

/// F2FS superblock at 1024 (`f2fs_fs.h`), label in UTF-16LE.
fn f2fs(head: &[u8]) -> Option<Content> {
    let superblock = head.get(1024..)?;
    (le32(superblock, 0)? == 0xf2f5_2010).then(|| Content {
        kind: Type::F2fs,
        label: Text::from_utf16(units_le(slice(superblock, 124, 1024))),
        uuid: Text::from_uuid(slice(superblock, 108, 16)),
    })
}

/// btrfs superblock; `bytes` starts at 64 KiB (`btrfs_tree.h`, `struct btrfs_super_block`).
pub(crate) fn btrfs(bytes: &[u8]) -> Option<Content> {
    has(bytes, 64, b"_BHRfS_M").then(|| Content::with(Type::Btrfs, slice(bytes, 0x12b, 256), slice(bytes, 32, 16)))
}

/// Page sizes a swap area may have been made for; the signature fills the last ten bytes of the first page.
pub(crate) const SWAP_PAGES: [usize; 5] = [0x1000, 0x2000, 0x4000, 0x8000, 0x10000];

/// Label and UUID behind the boot area of a swap space (`swap.h`, `union swap_header`); read before the signature is known.
pub(crate) fn swap_header(head: &[u8]) -> Content {
    let version_1 = le32(head, 1024) == Some(1);
    let (label, uuid) =
        if version_1 { (slice(head, 1024 + 28, 16), slice(head, 1024 + 12, 16)) } else { (&b""[..], &b""[..]) };
    Content::with(Type::Swap, label, uuid)
}

/// True for the ten bytes at the end of a swap space's first page.
pub(crate) fn is_swap_signature(bytes: &[u8]) -> bool {
    has(bytes, 0, b"SWAPSPACE2") || has(bytes, 0, b"SWAP-SPACE")
}
