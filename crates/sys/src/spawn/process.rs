//! A process by its pidfd: signals never reach another one that got the number later.

use crate::signal::{self, Signal, Target};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cleared when the kernel turns out to have no pidfd_send_signal.
static BY_DESCRIPTOR: AtomicBool = AtomicBool::new(true);

/// A process that was started here or is held on to.
#[derive(Debug)]
pub struct Process {
    pid: i32,
    fd: Option<OwnedFd>,
}

impl Process {
    pub(super) const fn new(pid: i32, fd: Option<OwnedFd>) -> Self {
        Self { pid, fd }
    }

    /// Holds on to the process that has this number now. Without pidfds (before Linux 5.3) it is known by its number alone.
    ///
    /// # Errors
    /// `ESRCH` when there is none, `EMFILE`/`ENFILE` when no descriptor is free.
    pub fn of(pid: i32) -> io::Result<Self> {
        // SAFETY: plain integers.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if let Some(fd) = RawFd::try_from(fd).ok().filter(|&fd| fd >= 0) {
            // SAFETY: the kernel has just opened it for us, so nothing else owns it.
            return Ok(Self { pid, fd: Some(unsafe { OwnedFd::from_raw_fd(fd) }) });
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ENOSYS) => {
                signal::send(Target::Process(pid), 0).map(|()| Self { pid, fd: None })
            }
            error => Err(error),
        }
    }

    /// Its number.
    #[must_use]
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// Its pidfd, which becomes readable when it ends; `None` where the kernel has none.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// Sends it a signal; 0 only asks whether it is still there. A process that has ended and was not waited for is.
    ///
    /// # Errors
    /// `ESRCH` when it is gone, `EPERM` when it may not be signalled, `EINVAL` for a number that is no signal.
    pub fn signal(&self, number: Signal) -> io::Result<()> {
        if let Some(fd) = self.fd.as_ref().filter(|_| BY_DESCRIPTOR.load(Ordering::Relaxed)) {
            // SAFETY: plain integers, and no structure.
            let result = unsafe {
                libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), number, ptr::null::<libc::siginfo_t>(), 0)
            };
            match io::Error::last_os_error() {
                _ if result == 0 => return Ok(()),
                error if error.raw_os_error() != Some(libc::ENOSYS) => return Err(error),
                _ => BY_DESCRIPTOR.store(false, Ordering::Relaxed),
            }
        }
        signal::send(Target::Process(self.pid), number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_else_can_be_held_on_to() {
        let own = std::process::id().cast_signed();
        let process = Process::of(own).unwrap();
        assert_eq!((process.pid(), process.fd().is_some()), (own, true));
        process.signal(0).unwrap();
        Process::new(own, None).signal(0).unwrap();
        assert_eq!(process.signal(4096).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        assert_eq!(Process::of(i32::MAX).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }
}
