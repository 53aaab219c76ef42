//! Disk images for tests: a partition table and one partition with a file system, as a shop's USB stick has it.
//!
//! The file system comes from the tools users have (`mkfs.vfat`, `mkfs.exfat`, `mkfs.ext4`); no root is needed.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Bytes before the partition: the first MiB, as every tool of today leaves it.
const PARTITION_START_BYTES: u64 = 1024 * 1024;
const SECTOR_BYTES: u64 = 512;

/// The file systems that can be put on an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// FAT16 or FAT32, by size.
    Vfat,
    /// exFAT.
    Exfat,
    /// ext4.
    Ext4,
}

impl FileSystem {
    /// Reads a name as users write it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "vfat" => Some(Self::Vfat),
            "exfat" => Some(Self::Exfat),
            "ext4" => Some(Self::Ext4),
            _ => None,
        }
    }

    /// The program that makes it.
    #[must_use]
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Vfat => "mkfs.vfat",
            Self::Exfat => "mkfs.exfat",
            Self::Ext4 => "mkfs.ext4",
        }
    }

    /// The smallest partition that this makes sense on, in MiB.
    #[must_use]
    pub const fn size_mb_min(self) -> u64 {
        match self {
            Self::Vfat | Self::Exfat => 16,
            Self::Ext4 => 24,
        }
    }

    /// The partition's type byte in an MBR.
    const fn partition_type(self) -> u8 {
        match self {
            Self::Vfat => 0x0c,
            Self::Exfat => 0x07,
            Self::Ext4 => 0x83,
        }
    }

    fn command(self, label: &str, image: &Path) -> Command {
        let mut command = Command::new(find_tool(self.tool()));
        match self {
            Self::Vfat => command.args(["-n", label]),
            Self::Exfat | Self::Ext4 => command.args(["-L", label]),
        };
        if self == Self::Ext4 {
            command.args(["-q", "-F", "-m", "0"]);
        }
        command.arg(image);
        command
    }
}

/// Debian keeps these tools in /usr/sbin, which an ordinary user's PATH lacks.
#[must_use]
pub fn find_tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

/// Writes the image of a stick: an MBR and one partition of `size_mb` MiB with `file_system` on it.
///
/// # Errors
/// When the tool is missing (named) or fails (its own words), or the file cannot be written.
pub fn stick(image: &Path, file_system: FileSystem, label: &str, size_mb: u64) -> Result<()> {
    let size_mb = size_mb.max(file_system.size_mb_min());
    let partition = image.with_extension("partition");
    empty(&partition, size_mb)?;
    let mut command = file_system.command(label, &partition);
    let output = command.stdin(Stdio::null()).output().map_err(Error::io(format!("run {}", file_system.tool())))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(Error::unexpected(format!("{}: {}", file_system.tool(), words.trim())));
    }
    let failed = || Error::io(format!("write {}", image.display()));
    let mut disk = File::create(image).map_err(failed())?;
    let sectors = size_mb * 1024 * 1024 / SECTOR_BYTES;
    disk.write_all(&master_boot_record(file_system.partition_type(), sectors)).map_err(failed())?;
    disk.seek(SeekFrom::Start(PARTITION_START_BYTES)).map_err(failed())?;
    let mut source = File::open(&partition).map_err(Error::io(format!("open {}", partition.display())))?;
    std::io::copy(&mut source, &mut disk).map_err(failed())?;
    std::fs::remove_file(&partition).map_err(Error::io(format!("remove {}", partition.display())))
}

/// Writes an image of `size_mb` MiB of zeros (a hole in the file).
///
/// # Errors
/// When the file cannot be written.
pub fn empty(image: &Path, size_mb: u64) -> Result<()> {
    let made = File::create(image).and_then(|file| file.set_len(size_mb * 1024 * 1024));
    made.map_err(Error::io(format!("write {}", image.display())))
}

/// A master boot record with one partition: UEFI specification 2.10, table 5-1 and 5-2.
fn master_boot_record(partition_type: u8, sectors: u64) -> [u8; 512] {
    let mut record = [0; 512];
    let start = u32::try_from(PARTITION_START_BYTES / SECTOR_BYTES).unwrap_or(u32::MAX).to_le_bytes();
    let count = u32::try_from(sectors).unwrap_or(u32::MAX).to_le_bytes();
    // Cylinders and heads are long dead: the maximum says "look at the sectors".
    let entry = [[0, 0xfe, 0xff, 0xff], [partition_type, 0xfe, 0xff, 0xff], start, count].concat();
    for (target, byte) in record.iter_mut().skip(0x1be).zip(entry) {
        *target = byte;
    }
    for (target, byte) in record.iter_mut().skip(0x1fe).zip([0x55, 0xaa]) {
        *target = byte;
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_entry_is_where_the_kernel_looks() {
        let record = master_boot_record(0x0c, 32768);
        assert_eq!(record[0x1be + 4], 0x0c);
        assert_eq!(record[0x1be + 8..0x1be + 12], 2048_u32.to_le_bytes());
        assert_eq!(record[0x1be + 12..0x1be + 16], 32768_u32.to_le_bytes());
        assert_eq!(record[510..], [0x55, 0xaa]);
    }
}
