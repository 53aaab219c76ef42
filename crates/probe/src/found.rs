//! What a probe can say.

use crate::text::Text;
use core::fmt;

/// What kind of thing is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// FAT12, FAT16 or FAT32.
    Vfat,
    /// exFAT.
    Exfat,
    /// ext2.
    Ext2,
    /// ext3: ext2 with a journal.
    Ext3,
    /// ext4.
    Ext4,
    /// NTFS.
    Ntfs,
    /// ISO 9660, with or without Joliet.
    Iso9660,
    /// squashfs 4.
    Squashfs,
    /// btrfs.
    Btrfs,
    /// XFS.
    Xfs,
    /// F2FS.
    F2fs,
    /// Swap space.
    Swap,
    /// LUKS 1 or 2.
    CryptoLuks,
}

/// What a thing of this type is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// Can be mounted.
    Filesystem,
    /// Can be swapped to.
    Swap,
    /// Must be unlocked first.
    Crypto,
}

/// A partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Four primary entries in the first sector.
    Mbr,
    /// GUID partition table.
    Gpt,
}

/// A file system or the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its type.
    pub kind: Type,
    /// Its label; empty when it has none.
    pub label: Text,
    /// Its identifier, in the form usual for the type; empty when it has none.
    pub uuid: Text,
}

/// The result of a probe. A disk may have both: a hybrid ISO image is a file system with a table in front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What is stored on the device itself.
    pub content: Option<Content>,
    /// The table that divides it.
    pub table: Option<Table>,
}

impl Content {
    pub(crate) const fn new(kind: Type) -> Self {
        Self { kind, label: Text::EMPTY, uuid: Text::EMPTY }
    }

    pub(crate) fn with(kind: Type, label: &[u8], uuid: &[u8]) -> Self {
        Self { kind, label: Text::from_bytes(label), uuid: Text::from_uuid(uuid) }
    }

    /// True when `mount(2)` can be tried.
    #[must_use]
    pub fn is_mountable(&self) -> bool {
        self.kind.usage() == Usage::Filesystem
    }
}

impl Type {
    /// The name blkid and mount use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vfat => "vfat",
            Self::Exfat => "exfat",
            Self::Ext2 => "ext2",
            Self::Ext3 => "ext3",
            Self::Ext4 => "ext4",
            Self::Ntfs => "ntfs",
            Self::Iso9660 => "iso9660",
            Self::Squashfs => "squashfs",
            Self::Btrfs => "btrfs",
            Self::Xfs => "xfs",
            Self::F2fs => "f2fs",
            Self::Swap => "swap",
            Self::CryptoLuks => "crypto_LUKS",
        }
    }

    /// What it is good for.
    #[must_use]
    pub const fn usage(self) -> Usage {
        match self {
            Self::Swap => Usage::Swap,
            Self::CryptoLuks => Usage::Crypto,
            Self::Vfat
            | Self::Exfat
            | Self::Ext2
            | Self::Ext3
            | Self::Ext4
            | Self::Ntfs
            | Self::Iso9660
            | Self::Squashfs
            | Self::Btrfs
            | Self::Xfs
            | Self::F2fs => Usage::Filesystem,
        }
    }
}

impl Table {
    /// The name blkid uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mbr => "dos",
            Self::Gpt => "gpt",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
