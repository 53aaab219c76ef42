//! A number that changes whenever something in a service directory does: names, modes, contents.

use super::folder::Folder;
use rustix::fs::{FileType, Stat};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

/// Contents up to this size are read; of bigger files it counts which they are, their size and their time of change.
const CONTENT_MAX: usize = 64 * 1024;
/// Folders within folders; what lies deeper does not count.
const DEPTH_MAX: u32 = 4;
/// Entries looked at of one service: a link may lead to anything. What comes after these does not count.
const ENTRIES_MAX: usize = 4096;
/// Bytes of contents read of one service; of files after these it counts which they are, as of big ones.
const BYTES_MAX: usize = 1024 * 1024;
/// What other supervisors keep in a service directory while they run it.
const OF_OTHERS: [&[u8]; 4] = [b"supervise", b"event", b"status", b"lock"];

/// The fingerprint of a folder; `without` names entries that do not count.
///
/// # Errors
/// The kernel's, when it cannot be listed.
pub fn of(folder: &Folder, without: &[&[u8]]) -> io::Result<u64> {
    let mut walk = Walk { hasher: DefaultHasher::new(), entries: ENTRIES_MAX, bytes: BYTES_MAX };
    walk.add(folder, without, DEPTH_MAX)?;
    Ok(walk.hasher.finish())
}

/// Raised when something else is counted.
const FORM: u64 = 1;

/// Another number where fingerprints are made in another way: those of one lunix-init then say nothing to the next.
#[must_use]
pub fn form() -> u64 {
    let mut hasher = DefaultHasher::new();
    (FORM, b"services").hash(&mut hasher);
    hasher.finish()
}

/// What was seen, and how much more may be looked at.
struct Walk {
    hasher: DefaultHasher,
    entries: usize,
    bytes: usize,
}

impl Walk {
    fn add(&mut self, folder: &Folder, without: &[&[u8]], depth: u32) -> io::Result<()> {
        for name in folder.names()?.iter() {
            let bytes = name.to_bytes();
            if without.contains(&bytes) || OF_OTHERS.contains(&bytes) {
                continue;
            }
            let Some(left) = self.entries.checked_sub(1) else { return Ok(()) };
            self.entries = left;
            bytes.hash(&mut self.hasher);
            // A link that leads nowhere or in a circle: that it is there counts.
            let Ok(Some(stat)) = folder.stat(&**name) else { continue };
            stat.st_mode.hash(&mut self.hasher);
            // A name that is not UTF-8 is no name of ours; its presence counts, its content does not.
            if let Ok(name) = name.to_str() {
                self.add_entry(folder, name, &stat, depth);
            }
            // Where an entry ends must count too.
            0xff_u8.hash(&mut self.hasher);
        }
        Ok(())
    }

    fn add_entry(&mut self, folder: &Folder, name: &str, stat: &Stat, depth: u32) {
        match FileType::from_raw_mode(stat.st_mode) {
            // Nothing is read of an empty one: those of the kernel say that they are empty, and do something when they are read.
            FileType::RegularFile if stat.st_size == 0 => {}
            FileType::RegularFile => self.add_file(folder, name, stat),
            FileType::Directory if depth > 0 => {
                // What is closed to us may be open to the service: it counts as it is seen from here.
                if let Ok(Some(inner)) = folder.enter(name) {
                    let _ = self.add(&inner, &[], depth - 1);
                }
            }
            FileType::Directory
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => {}
        }
    }

    fn add_file(&mut self, folder: &Folder, name: &str, stat: &Stat) {
        let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
        if size <= CONTENT_MAX
            && size <= self.bytes
            && let Ok(content) = folder.read_plain(name, stat, CONTENT_MAX)
        {
            self.bytes = self.bytes.saturating_sub(content.len());
            return content.hash(&mut self.hasher);
        }
        // Time alone says nothing: in a store it is the same for all.
        let which = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        which.hash(&mut self.hasher);
    }
}
