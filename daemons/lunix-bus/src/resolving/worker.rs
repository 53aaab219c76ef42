//! The helper: looks up one name after the other.

use super::{ADDRESSES_MAX, ANSWER_MAX, DESCRIPTORS, JOB_MAX, PROCESS_NAME, WORD};
use crate::helper;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::net::ToSocketAddrs;
use std::process::ExitCode;

/// Runs as the helper when the first word of the command line says so; `None` for the server itself.
#[must_use]
pub fn main() -> Option<ExitCode> {
    helper::main(WORD, PROCESS_NAME, DESCRIPTORS, serve)
}

/// Answers jobs until the server closes its end.
fn serve() -> io::Result<()> {
    let socket = rustix::stdio::stdin();
    let mut buffer = [0; JOB_MAX];
    loop {
        let job = match rustix::net::recv(socket, &mut buffer, RecvFlags::empty()) {
            Ok((0, _)) => return Ok(()),
            Ok((count, _)) => buffer.get(..count).unwrap_or_default(),
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        if let Some(answer) = answer(job) {
            rustix::net::send(socket, &answer, SendFlags::NOSIGNAL)?;
        }
    }
}

/// The answer to one job; `None` when it is none.
fn answer(job: &[u8]) -> Option<Vec<u8>> {
    let (number, rest) = job.split_first_chunk::<8>()?;
    let (port, name) = rest.split_first_chunk::<2>()?;
    let name = std::str::from_utf8(name).ok()?;
    let text = match (name, u16::from_le_bytes(*port)).to_socket_addrs() {
        Ok(addresses) => addresses.take(ADDRESSES_MAX).map(|address| format!("{address}\n")).collect(),
        Err(error) => format!("!{error}"),
    };
    let mut answer = [&number[..], text.as_bytes()].concat();
    answer.truncate(ANSWER_MAX);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_addresses_or_a_reason_why_not() {
        let ask = |name: &str| {
            let answer =
                answer(&[&7_u64.to_le_bytes()[..], &7422_u16.to_le_bytes(), name.as_bytes()].concat()).unwrap();
            assert_eq!(answer[..8], 7_u64.to_le_bytes());
            String::from_utf8(answer[8..].to_vec()).unwrap()
        };
        assert_eq!(ask("192.0.2.7"), "192.0.2.7:7422\n");
        assert!(ask("localhost").contains(":7422\n"));
        assert!(ask("no name at all").starts_with('!'));
        assert!(answer(b"short").is_none());
    }
}
