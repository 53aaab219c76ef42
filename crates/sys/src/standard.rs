//! Descriptors 0, 1 and 2 of a program that may be the first on a machine: where they are closed, something harmless takes their place
//! before the standard library starts, which ends the process when there is no /dev/null either.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};

static STDERR_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Called by the loader, before `main`.
// SAFETY: the section holds pointers to functions of the C calling convention that take what they are given or nothing; this one calls
// nothing but system calls and needs nothing of the standard library to be set up.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = fill;

/// True when the program was started without a standard error: nobody hears what is written there.
#[must_use]
pub fn stderr_was_closed() -> bool {
    STDERR_WAS_CLOSED.load(Ordering::Relaxed)
}

extern "C" fn fill() {
    for fd in 0..3 {
        // SAFETY: plain integers.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0 {
            continue;
        }
        if fd == 2 {
            STDERR_WAS_CLOSED.store(true, Ordering::Relaxed);
        }
        // SAFETY: the path is a constant. A new descriptor gets the lowest free number: this one.
        if unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } < 0 {
            // Without that the standard library says what is wrong, in its way.
            let _ = lonely_end(fd != 0);
        }
    }
}

/// Opens one end of a pipe, at the lowest free number, whose other end is closed: end of file for who reads, an error for who writes.
fn lonely_end(writes: bool) -> io::Result<RawFd> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: `ends` has room for the two numbers.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let [reader, writer] = ends;
    // SAFETY: both are numbers of our own, just opened; the reader's, the lower one, is given up to the writer where one writes.
    let failed = writes && unsafe { libc::dup2(writer, reader) } < 0;
    let outcome = if failed { Err(io::Error::last_os_error()) } else { Ok(reader) };
    // SAFETY: as above; nobody else knows the number.
    unsafe { libc::close(writer) };
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;
    use std::os::fd::{FromRawFd, OwnedFd};

    #[test]
    fn a_lonely_end_reads_as_nothing_and_takes_nothing() {
        // SAFETY: numbers just opened that nobody else knows.
        let [reader, writer] = [false, true].map(|writes| unsafe { OwnedFd::from_raw_fd(lonely_end(writes).unwrap()) });
        assert_eq!(rustix::io::read(&reader, &mut [0; 8]), Ok(0));
        assert_eq!(rustix::io::write(&writer, b"x"), Err(Errno::PIPE));
        assert!(!stderr_was_closed());
    }
}
