//! Reading below an open directory: what a path means cannot change half-way.

use crate::scarcity::is_scarce;
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;
use std::cell::{Cell, OnceCell};
use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

/// Most entries read of one directory.
const ENTRIES_MAX: usize = 16_384;
/// Bytes of names taken from the kernel at once.
const LISTING_BYTES: usize = 2048;

/// An open directory. Its working name for error sentences is the caller's business.
///
/// It remembers, together with all that was entered from it, whether the kernel ran out of something: what was read then says nothing.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    scarce: Rc<Cell<Option<Errno>>>,
    listed: OnceCell<Rc<[CString]>>,
}

impl Folder {
    /// Opens the directory at `path`, following links.
    ///
    /// # Errors
    /// The kernel's: `ENOENT`, `ENOTDIR`, `EACCES` ...
    pub fn open(path: &Path) -> io::Result<Self> {
        let fd = fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { fd, scarce: Rc::default(), listed: OnceCell::new() })
    }

    /// What the kernel ran out of since the last call, while this or what was entered from it was read.
    #[must_use]
    pub fn take_scarcity(&self) -> Option<io::Error> {
        self.scarce.take().map(io::Error::from)
    }

    fn note<T>(&self, result: rustix::io::Result<T>) -> rustix::io::Result<T> {
        if let Err(errno) = &result
            && is_scarce(*errno)
        {
            self.scarce.set(Some(*errno));
        }
        result
    }

    /// An open directory that was handed down.
    #[must_use]
    pub fn handed_down(fd: OwnedFd) -> Self {
        Self { fd, scarce: Rc::default(), listed: OnceCell::new() }
    }

    /// True when it was removed, and so is empty whatever it held.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        fs::fstat(&self.fd).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// True when both are the same directory of the same file system.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (fs::fstat(&self.fd), fs::fstat(&other.fd)) {
            (Ok(one), Ok(two)) => (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino),
            (Ok(_) | Err(_), _) => false,
        }
    }

    /// Opens a directory below this one; `None` when there is no such entry.
    ///
    /// # Errors
    /// The kernel's, but for `ENOENT`.
    pub fn enter(&self, name: &str) -> io::Result<Option<Self>> {
        if self.lacks(name) {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match self.note(fs::openat(&self.fd, name, flags, Mode::empty())) {
            Ok(fd) => Ok(Some(Self { fd, scarce: Rc::clone(&self.scarce), listed: OnceCell::new() })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The names in it in order, but for those that begin with a dot.
    ///
    /// # Errors
    /// The kernel's; `EFBIG` for more than 16384 entries.
    pub fn names(&self) -> io::Result<Rc<[CString]>> {
        if let Some(listed) = self.listed.get() {
            return Ok(Rc::clone(listed));
        }
        let mut names = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); LISTING_BYTES];
        self.note(fs::seek(&self.fd, fs::SeekFrom::Start(0)))?;
        let mut entries = RawDir::new(&self.fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = self.note(entry)?;
            if entry.file_name().to_bytes().first() == Some(&b'.') {
                continue;
            }
            if names.len() >= ENTRIES_MAX {
                return Err(Errno::FBIG.into());
            }
            names.push(entry.file_name().to_owned());
        }
        names.sort();
        Ok(names.into())
    }

    /// Remembers the names in it, so that from now on the kernel is not asked for what is not there. For a folder that is looked at once.
    ///
    /// # Errors
    /// Those of [`Self::names`].
    pub fn remember_names(&self) -> io::Result<()> {
        let names = self.names()?;
        // It may be remembered already; then these are the same.
        let _ = self.listed.set(names);
        Ok(())
    }

    /// True when it is known that there is no entry of this name.
    fn lacks(&self, name: &str) -> bool {
        let is_there =
            |names: &Rc<[CString]>| names.binary_search_by(|one| one.to_bytes().cmp(name.as_bytes())).is_ok();
        let is_own = !name.starts_with('.') && !name.contains('/');
        is_own && self.listed.get().is_some_and(|names| !is_there(names))
    }

    /// What an entry is, following links; `None` when there is none, or a link leads nowhere.
    ///
    /// # Errors
    /// The kernel's, but for `ENOENT`.
    pub fn stat(&self, name: impl rustix::path::Arg) -> io::Result<Option<Stat>> {
        match self.note(fs::statat(&self.fd, name, AtFlags::empty())) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// True when there is an entry of this name, even a link that leads nowhere.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        !self.lacks(name) && self.note(fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)).is_ok()
    }

    /// The content of a plain file; `None` when there is no such entry.
    ///
    /// # Errors
    /// The kernel's; `EINVAL` for what is no plain file, `EFBIG` for more than `most` bytes.
    pub fn read(&self, name: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        if self.lacks(name) {
            return Ok(None);
        }
        let Some(stat) = self.stat(name)? else { return Ok(None) };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::INVAL.into());
        }
        self.read_plain(name, &stat, most).map(Some)
    }

    /// The content of what [`Self::stat`] has shown to be a plain file.
    ///
    /// # Errors
    /// The kernel's; `EFBIG` for more than `most` bytes.
    pub fn read_plain(&self, name: &str, stat: &Stat, most: usize) -> io::Result<Vec<u8>> {
        let fd = self.open_file(name)?;
        let mut content = Vec::with_capacity(usize::try_from(stat.st_size).unwrap_or(0).min(most) + 1);
        loop {
            let length = self.note(rustix::io::read(&fd, rustix::buffer::spare_capacity(&mut content)))?;
            if content.len() > most {
                return Err(Errno::FBIG.into());
            }
            // A file on a disk gives less than asked for only at its end; those of the kernel have no size.
            if length == 0 || (stat.st_size > 0 && content.len() < content.capacity()) {
                return Ok(content);
            }
            content.reserve(1);
        }
    }
}

impl Folder {
    /// The first bytes of a plain file, at most `most`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn begin(&self, name: &str, most: usize) -> io::Result<Vec<u8>> {
        let fd = self.open_file(name)?;
        let mut content = vec![0; most];
        let length = self.note(rustix::io::read(&fd, &mut content))?;
        content.truncate(length);
        Ok(content)
    }

    fn open_file(&self, name: &str) -> rustix::io::Result<OwnedFd> {
        // A fifo must not hold us up.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        self.note(fs::openat(&self.fd, name, flags, Mode::empty()))
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
