//! The helper: compares one password after the other.

use super::{ANSWER, JOB_MAX, PROCESS_NAME, WORD};
use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use rustix::process::{Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::io;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// The account of nobody, on every distribution.
const NOBODY: u32 = 65_534;

/// Runs as the helper when the first word of the command line says so; `None` for the server itself.
#[must_use]
pub fn main() -> Option<ExitCode> {
    let word = std::env::args_os().nth(1)?;
    if word.as_encoded_bytes() != WORD.to_bytes() {
        return None;
    }
    Some(match drop_privileges().and_then(|()| serve()) {
        Ok(()) => ExitCode::SUCCESS,
        // The server sees that its helper is gone and says so.
        Err(_) => ExitCode::from(71),
    })
}

/// Root becomes nobody; in any case no new privileges, no core dump with a password in it, no further descriptors.
fn drop_privileges() -> io::Result<()> {
    rustix::thread::set_name(PROCESS_NAME)?;
    rustix::thread::set_no_new_privs(true)?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none)?;
    if rustix::process::geteuid().is_root() {
        match become_nobody() {
            Ok(()) => {}
            // A user namespace without nobody.
            Err(Errno::PERM | Errno::INVAL) => {
                let none = CapabilitySet::empty();
                let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
                rustix::thread::set_capabilities(None, sets)?;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: Some(3) })?;
    Ok(())
}

fn become_nobody() -> Result<(), Errno> {
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)
}

/// Answers jobs until the server closes its end.
fn serve() -> io::Result<()> {
    let socket = rustix::stdio::stdin();
    let mut buffer = Zeroizing::new(vec![0; JOB_MAX]);
    loop {
        let count = match rustix::net::recv(socket, &mut **buffer, RecvFlags::empty()) {
            Ok((0, _)) => return Ok(()),
            Ok((count, _)) => count,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let job = buffer.get_mut(..count).unwrap_or_default();
        let answer = answer(job);
        zeroize::Zeroize::zeroize(job);
        if let Some(answer) = answer {
            rustix::net::send(socket, &answer, SendFlags::NOSIGNAL)?;
        }
    }
}

/// The answer to one job; `None` when it is none.
fn answer(job: &[u8]) -> Option<[u8; ANSWER]> {
    let (number, rest) = job.split_first_chunk::<8>()?;
    let (&length, rest) = rest.split_first()?;
    let (hash, password) = rest.split_at_checked(usize::from(length))?;
    // A hash that is none fits no password.
    let fits = std::str::from_utf8(hash).is_ok_and(|hash| bcrypt::verify(password, hash).unwrap_or(false));
    let mut answer = [0; ANSWER];
    let (place, last) = answer.split_first_chunk_mut::<8>()?;
    *place = *number;
    *last.first_mut()? = u8::from(fits);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(hash: &str, password: &str) -> bool {
        let length = [u8::try_from(hash.len()).unwrap()];
        let job = [&7_u64.to_le_bytes()[..], &length, hash.as_bytes(), password.as_bytes()].concat();
        let answer = answer(&job).unwrap();
        assert_eq!(answer[..8], 7_u64.to_le_bytes());
        answer[8] == 1
    }

    #[test]
    fn hashes_of_others() {
        // The vectors of OpenBSD's and John the Ripper's tests.
        for (hash, password) in [
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
            ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", ""),
        ] {
            assert!(fits(hash, password), "{password}");
            assert!(!fits(hash, &format!("{password}x")), "{password}");
            for version in ["$2b$", "$2x$", "$2y$"] {
                assert!(fits(&hash.replace("$2a$", version), password), "{version}");
            }
        }
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        for hash in ["", "x", "$2a$05$", "$2a$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"] {
            assert!(!fits(hash, "U*U"), "{hash}");
        }
        assert_eq!(answer(b"short"), None);
        assert_eq!(answer(b"12345678\xffshort"), None);
    }
}
