//! Who is at the other end of a unix socket (`man 7 unix`): as the kernel noted it when the connection was made.

use std::io;
use std::mem::{MaybeUninit, size_of, size_of_val};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// Groups that are asked for at first; a process is rarely in more.
const GROUPS_FIRST: usize = 64;
/// No process is in more groups than that (`NGROUPS_MAX`).
const GROUPS_MAX: usize = 65_536;

/// The process that connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Its number; `None` where it lives in another PID namespace and has none here.
    pub pid: Option<u32>,
    /// Its user.
    pub uid: u32,
    /// Its first group.
    pub gid: u32,
}

/// The process that connected (SO_PEERCRED).
///
/// # Errors
/// `ENOTSOCK` and its like; none for a connected unix socket.
pub fn credentials(socket: impl AsFd) -> io::Result<Credentials> {
    let mut credentials = MaybeUninit::<libc::ucred>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or(0);
    // SAFETY: the pointer is valid for `length` bytes, and `length` says so; the kernel writes no more than that.
    let result = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERCRED, credentials.as_mut_ptr().cast(), &raw mut length)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the struct is plain integers, zeroed at first, so every bit pattern is a valid value.
    let credentials = unsafe { credentials.assume_init() };
    Ok(Credentials {
        pid: u32::try_from(credentials.pid).ok().filter(|&pid| pid > 0),
        uid: credentials.uid,
        gid: credentials.gid,
    })
}

/// The user id of the process that connected; valid even when that process lives in another PID namespace.
///
/// # Errors
/// As of [`credentials`].
pub fn uid(socket: impl AsFd) -> io::Result<u32> {
    credentials(socket).map(|credentials| credentials.uid)
}

/// The supplementary groups of the process that connected (SO_PEERGROUPS, Linux 4.13).
///
/// # Errors
/// `ENODATA` where the peer has no credentials, `ENOPROTOOPT` in older kernels.
pub fn groups(socket: impl AsFd) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; GROUPS_FIRST];
    let fd = socket.as_fd().as_raw_fd();
    loop {
        let mut length = libc::socklen_t::try_from(size_of_val(&*groups)).unwrap_or(0);
        // SAFETY: the pointer is valid for `length` bytes, and `length` says so; the kernel writes no more than that.
        let result = unsafe {
            libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERGROUPS, groups.as_mut_ptr().cast(), &raw mut length)
        };
        let count = usize::try_from(length).unwrap_or(0) / size_of::<u32>();
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // The length then says how much room is needed.
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() || count > GROUPS_MAX {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// A descriptor of the process that connected (SO_PEERPIDFD, Linux 6.5); it stands for that very process, whoever gets its number later.
/// `None` where the kernel does not have it or the process is gone.
///
/// # Errors
/// `ENODATA` where the peer has no credentials.
pub fn pidfd(socket: impl AsFd) -> io::Result<Option<OwnedFd>> {
    let mut number: libc::c_int = -1;
    let mut length = libc::socklen_t::try_from(size_of_val(&number)).unwrap_or(0);
    // SAFETY: the pointer is valid for `length` bytes, and `length` says so; the kernel writes no more than that.
    let result = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERPIDFD, (&raw mut number).cast(), &raw mut length)
    };
    if result != 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ENOPROTOOPT | libc::ESRCH | libc::EINVAL) => Ok(None),
            _ => Err(error),
        };
    }
    // SAFETY: the kernel made a fresh descriptor, close-on-exec, that nothing else owns.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(number) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn it_is_us() {
        let (one, _other) = UnixStream::pair().unwrap();
        let credentials = credentials(&one).unwrap();
        assert_eq!(credentials.pid, Some(std::process::id()));
        assert_eq!(credentials.uid, rustix::process::geteuid().as_raw());
        assert_eq!(credentials.gid, rustix::process::getegid().as_raw());
        assert_eq!(uid(&one).unwrap(), credentials.uid);
        assert!(uid(std::fs::File::open("/").unwrap()).is_err());
        assert!(groups(std::fs::File::open("/").unwrap()).is_err());
        let ours: Vec<u32> = rustix::process::getgroups().unwrap().iter().map(|group| group.as_raw()).collect();
        assert_eq!(groups(&one).unwrap(), ours);
        if let Some(pidfd) = pidfd(&one).unwrap() {
            let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).unwrap();
            assert!(text.lines().any(|line| line == format!("Pid:\t{}", std::process::id())), "{text}");
        }
    }

    #[test]
    fn more_groups_than_usual_are_all_told() {
        // Only root may take groups; a thread of its own, because the kernel keeps them per thread.
        std::thread::spawn(|| {
            let many: Vec<_> = (1..=1000).map(rustix::fs::Gid::from_raw).collect();
            if rustix::thread::set_thread_groups(&many).is_ok() {
                let (one, _other) = UnixStream::pair().unwrap();
                assert_eq!(groups(&one).unwrap(), (1..=1000).collect::<Vec<u32>>());
            }
        })
        .join()
        .unwrap();
    }
}
