//! ext2, ext3, ext4: superblock at 1024 (`Documentation/filesystems/ext4/super.rst`).

use crate::field::{has, le32, slice};
use crate::found::{Content, Type};

const HAS_JOURNAL: u32 = 0x4;
const JOURNAL_DEVICE: u32 = 0x8;
/// filetype, recover, meta_bg: what ext3 understands.
const INCOMPATIBLE_OLD: u32 = 0x2 | 0x4 | 0x10;
/// sparse_super, large_file, btree_dir: what ext3 understands.
const READ_ONLY_OLD: u32 = 0x1 | 0x2 | 0x4;

/// The generation is told by features: one that ext3 does not know makes ext4, else a journal makes ext3.
pub(crate) fn recognise(head: &[u8]) -> Option<Content> {
    let superblock = head.get(1024..)?;
    if !has(superblock, 56, b"\x53\xef") {
        return None;
    }
    let compatible = le32(superblock, 92)?;
    let incompatible = le32(superblock, 96)?;
    let read_only = le32(superblock, 100)?;
    if incompatible & JOURNAL_DEVICE != 0 {
        return None;
    }
    let kind = if incompatible & !INCOMPATIBLE_OLD != 0 || read_only & !READ_ONLY_OLD != 0 {
        Type::Ext4
    } else if compatible & HAS_JOURNAL != 0 {
        Type::Ext3
    } else {
        Type::Ext2
    };
    Some(Content::with(kind, slice(superblock, 120, 16), slice(superblock, 104, 16)))
}
