//! Which errors say nothing of what was asked for, only that the kernel has none of it left just now.

use rustix::io::Errno;
use std::io;

/// True when the same may work later: no descriptor, no memory, no process, no room in the kernel's tables.
#[must_use]
pub const fn is_scarce(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::NOBUFS | Errno::NOSPC | Errno::INTR
    )
}

/// The same of an error that the kernel is the cause of.
#[must_use]
pub fn is_scarcity(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(is_scarce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stays_wrong_and_what_is_missing_comes_back() {
        assert!(is_scarcity(&Errno::MFILE.into()) && is_scarcity(&Errno::NOMEM.into()));
        assert!(!is_scarcity(&Errno::NOENT.into()) && !is_scarcity(&io::Error::other("words")));
    }
}
