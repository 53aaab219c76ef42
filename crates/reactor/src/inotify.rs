//! Directory changes as a readable descriptor (`man 7 inotify`).

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Most changes handed out at once, so that a flood of them cannot hold up the rest.
const CHANGES_MAX: usize = 1024;

/// One change, as the kernel told it. inotify is a hint: after any change, and after an overflow above all, look at the directory
/// itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The watch it belongs to, as [`Inotify::watch`] returned it; -1 for an overflow.
    pub watch: i32,
    /// The entry's name; empty when the watched thing itself changed.
    pub name: Vec<u8>,
    /// The kernel dropped events before this one (`IN_Q_OVERFLOW`).
    pub overflow: bool,
    /// The watch is gone: the thing was removed or unmounted (`IN_IGNORED`, `IN_UNMOUNT`).
    pub gone: bool,
}

/// An inotify descriptor. Non-blocking, close-on-exec.
#[derive(Debug)]
pub struct Inotify(OwnedFd);

impl Inotify {
    /// Opens a descriptor without watches.
    ///
    /// # Errors
    /// `EMFILE` at the user's limit of instances (`/proc/sys/fs/inotify/max_user_instances`) or of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?))
    }

    /// Watches `path` for entries that are created, moved, removed, or closed after writing, and for changed attributes.
    /// Returns the watch's number. Watching a path again returns the same number.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`, or `ENOSPC` at the user's limit of watches.
    pub fn watch(&self, path: &Path) -> io::Result<i32> {
        let what = WatchFlags::CREATE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        Ok(inotify::add_watch(&self.0, path, what)?)
    }

    /// Watches a file for changes of its content, also for those that the kernel makes (`cgroup.events`, `memory.events`). Returns the watch's
    /// number.
    ///
    /// # Errors
    /// As [`Inotify::watch`].
    pub fn watch_content(&self, path: &Path) -> io::Result<i32> {
        Ok(inotify::add_watch(&self.0, path, WatchFlags::MODIFY)?)
    }

    /// Ends a watch. Changes already queued for it may still be read.
    ///
    /// # Errors
    /// `EINVAL` when the watch is gone.
    pub fn unwatch(&self, watch: i32) -> io::Result<()> {
        Ok(inotify::remove_watch(&self.0, watch)?)
    }

    /// Hands the queued changes to `each`, at most 1024 of them; what is left keeps the descriptor readable.
    ///
    /// # Errors
    /// Those of `read(2)` but for `EAGAIN`, which ends the reading.
    pub fn read(&self, mut each: impl FnMut(Change)) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.0, &mut buffer);
        for _ in 0..CHANGES_MAX {
            match reader.next() {
                Ok(event) => {
                    let flags = event.events();
                    each(Change {
                        watch: event.wd(),
                        name: event.file_name().map(|name| name.to_bytes().to_vec()).unwrap_or_default(),
                        overflow: flags.contains(ReadFlags::QUEUE_OVERFLOW),
                        gone: flags.intersects(ReadFlags::IGNORED | ReadFlags::UNMOUNT),
                    });
                }
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

impl AsFd for Inotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_to_has_changed() {
        let file = std::env::temp_dir().join(format!("reactor-content-{}", std::process::id()));
        std::fs::write(&file, "").unwrap();
        let inotify = Inotify::new().unwrap();
        let watch = inotify.watch_content(&file).unwrap();
        std::fs::write(&file, "more").unwrap();
        let mut seen = Vec::new();
        inotify.read(|change| seen.push(change.watch)).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(!seen.is_empty() && seen.iter().all(|&one| one == watch), "{seen:?}");
    }

    #[test]
    fn a_new_entry_is_told_by_name() {
        let directory = std::env::temp_dir().join(format!("reactor-inotify-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let inotify = Inotify::new().unwrap();
        let watch = inotify.watch(&directory).unwrap();
        std::fs::create_dir(directory.join("sshd")).unwrap();
        let mut seen = Vec::new();
        inotify.read(|change| seen.push(change)).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(seen, [Change { watch, name: b"sshd".to_vec(), overflow: false, gone: false }]);
    }
}
