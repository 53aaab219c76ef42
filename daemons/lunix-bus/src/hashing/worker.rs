//! The helper: compares one password after the other.

use super::{ANSWER, JOB_MAX, PROCESS_NAME, WORD};
use crate::helper;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Runs as the helper when the first word of the command line says so; `None` for the server itself.
#[must_use]
pub fn main() -> Option<ExitCode> {
    helper::main(WORD, PROCESS_NAME, 3, serve)
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
        // The vectors of OpenBSD's and John the Ripper's tests; a salt of X is one of them.
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
