//! Reading below an open directory: what a path means cannot change half-way.

use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Most entries read of one directory.
const ENTRIES_MAX: usize = 16_384;

/// An open directory. Its working name for error sentences is the caller's business.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens the directory at `path`, following links.
    ///
    /// # Errors
    /// The kernel's: `ENOENT`, `ENOTDIR`, `EACCES` ...
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// An open directory that was handed down.
    #[must_use]
    pub fn handed_down(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// True when it was removed, and so is empty whatever it held.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        fs::fstat(&self.0).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// True when both are the same directory of the same file system.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (fs::fstat(&self.0), fs::fstat(&other.0)) {
            (Ok(one), Ok(two)) => (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino),
            (Ok(_) | Err(_), _) => false,
        }
    }

    /// Opens a directory below this one; `None` when there is no such entry.
    ///
    /// # Errors
    /// The kernel's, but for `ENOENT`.
    pub fn enter(&self, name: &str) -> io::Result<Option<Self>> {
        match fs::openat(&self.0, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(fd) => Ok(Some(Self(fd))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The names in it in order, but for those that begin with a dot.
    ///
    /// # Errors
    /// The kernel's; `EFBIG` for more than 16384 entries.
    pub fn names(&self) -> io::Result<Vec<CString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            if entry.file_name().to_bytes().first() == Some(&b'.') {
                continue;
            }
            if names.len() >= ENTRIES_MAX {
                return Err(Errno::FBIG.into());
            }
            names.push(entry.file_name().to_owned());
        }
        names.sort();
        Ok(names)
    }

    /// What an entry is, following links; `None` when there is none, or a link leads nowhere.
    ///
    /// # Errors
    /// The kernel's, but for `ENOENT`.
    pub fn stat(&self, name: impl rustix::path::Arg) -> io::Result<Option<Stat>> {
        match fs::statat(&self.0, name, AtFlags::empty()) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// True when there is an entry of this name, even a link that leads nowhere.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The content of a plain file; `None` when there is no such entry.
    ///
    /// # Errors
    /// The kernel's; `EINVAL` for what is no plain file, `EFBIG` for more than `most` bytes.
    pub fn read(&self, name: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(stat) = self.stat(name)? else { return Ok(None) };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::INVAL.into());
        }
        let fd = fs::openat(&self.0, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        let mut content = Vec::with_capacity(usize::try_from(stat.st_size).unwrap_or(0).min(most) + 1);
        while rustix::io::read(&fd, rustix::buffer::spare_capacity(&mut content))? > 0 {
            if content.len() > most {
                return Err(Errno::FBIG.into());
            }
            content.reserve(1);
        }
        Ok(Some(content))
    }
}

impl Folder {
    /// The first bytes of a plain file, at most `most`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn begin(&self, name: &str, most: usize) -> io::Result<Vec<u8>> {
        let fd = fs::openat(&self.0, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        let mut content = vec![0; most];
        let length = rustix::io::read(&fd, &mut content)?;
        content.truncate(length);
        Ok(content)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
