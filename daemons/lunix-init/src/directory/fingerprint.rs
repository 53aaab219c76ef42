//! A number that changes whenever something in a service directory does: names, modes, contents.

use super::folder::Folder;
use rustix::fs::FileType;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

/// Contents up to this size are read; of bigger files it counts which they are, their size and their time of change.
const CONTENT_MAX: usize = 64 * 1024;
/// Folders within folders; what lies deeper does not count.
const DEPTH_MAX: u32 = 4;
/// What other supervisors keep in a service directory while they run it.
const OF_OTHERS: [&[u8]; 4] = [b"supervise", b"event", b"status", b"lock"];

/// The fingerprint of a folder; `without` names entries that do not count.
///
/// # Errors
/// The kernel's, when something in it cannot be read.
pub fn of(folder: &Folder, without: &[&[u8]]) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    add(folder, without, DEPTH_MAX, &mut hasher)?;
    Ok(hasher.finish())
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

fn add(folder: &Folder, without: &[&[u8]], depth: u32, hasher: &mut DefaultHasher) -> io::Result<()> {
    for name in folder.names()? {
        let bytes = name.to_bytes();
        if without.contains(&bytes) || OF_OTHERS.contains(&bytes) {
            continue;
        }
        bytes.hash(hasher);
        let Some(stat) = folder.stat(&*name)? else { continue };
        stat.st_mode.hash(hasher);
        // A name that is not UTF-8 is no name of ours; its presence counts, its content does not.
        let Ok(text) = name.to_str() else { continue };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if usize::try_from(stat.st_size).is_ok_and(|size| size <= CONTENT_MAX) => {
                folder.read(text, usize::MAX - 1)?.hash(hasher);
            }
            // Time alone says nothing: in a store it is the same for all.
            FileType::RegularFile => {
                (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec).hash(hasher);
            }
            FileType::Directory if depth > 0 => {
                if let Some(inner) = folder.enter(text)? {
                    add(&inner, &[], depth - 1, hasher)?;
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
        // Where an entry ends must count too.
        0xff_u8.hash(hasher);
    }
    Ok(())
}
