//! The archive that the kernel unpacks as its root: cpio "newc" (`Documentation/driver-api/early-userspace/buffer-format.rst`).
//!
//! Written here rather than by the cpio program: it needs no root for device nodes and no folder on disk, and the same input gives
//! the same bytes.

use crate::failure::{Context, Result};
use std::path::Path;

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const CHARACTER: u32 = 0o020_000;

/// An archive being written; everything in it belongs to root.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    inode: u32,
}

impl Archive {
    /// Adds a folder. The folders above it must have been added before.
    pub fn folder(&mut self, path: &str, mode: u32) {
        self.entry(path, DIRECTORY | mode, (0, 0), &[]);
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.entry(path, REGULAR | mode, (0, 0), content);
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.entry(path, SYMLINK | 0o777, (0, 0), target.as_bytes());
    }

    /// Adds a character device.
    pub fn device(&mut self, path: &str, mode: u32, major: u32, minor: u32) {
        self.entry(path, CHARACTER | mode, (major, minor), &[]);
    }

    /// Adds everything in the folder `source` of this machine under `path`: folders, files (executable ones stay so), links.
    pub fn tree(&mut self, path: &str, source: &Path) -> Result<()> {
        let mut entries: Vec<_> = std::fs::read_dir(source).at(source)?.collect::<std::io::Result<_>>().at(source)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (name, from) = (entry.file_name(), entry.path());
            let to = format!("{path}{}", name.to_string_lossy());
            self.copy(&to, &from)?;
        }
        Ok(())
    }

    fn copy(&mut self, path: &str, source: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::symlink_metadata(source).at(source)?;
        if metadata.is_dir() {
            self.folder(path, 0o755);
            return self.tree(&format!("{path}/"), source);
        }
        if metadata.is_symlink() {
            let target = std::fs::read_link(source).at(source)?;
            self.link(path, &target.to_string_lossy());
            return Ok(());
        }
        let mode = if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
        self.file(path, mode, &std::fs::read(source).at(source)?);
        Ok(())
    }

    /// Ends the archive and returns its bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.inode += 1;
        let links = if mode & DIRECTORY == DIRECTORY { 2 } else { 1 };
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let name_size = u32::try_from(path.len() + 1).unwrap_or(u32::MAX);
        // inode, mode, uid, gid, links, mtime, size, device of the file, device it is, size of the name, checksum
        let fields = [self.inode, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, name_size, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_header_a_name_and_content_each_padded_to_four() {
        let mut archive = Archive::default();
        archive.file("ab", 0o644, b"hello");
        let bytes = archive.finish();
        assert!(bytes.starts_with(b"07070100000001000081A4"), "{}", String::from_utf8_lossy(&bytes[..32]));
        assert_eq!(&bytes[110..113], b"ab\0");
        assert_eq!(&bytes[116..121], b"hello");
        assert_eq!(&bytes[124..130], b"070701");
        assert_eq!(bytes.len() % 4, 0);
    }
}
