//! The output of services: pipes that lunix-init hands over, one packet with a descriptor for each (lunix-service(5), THE LOG SERVICE).

use crate::lines::Splitter;
use init_control::Record;
use reactor::Token;
use rustix::io::{Errno, IoSliceMut};
use rustix::net::{self, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// The end of a pipe that a service writes to.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) fd: OwnedFd,
    pub(super) token: Token,
    /// The name of the service.
    pub(super) service: String,
    pub(super) lines: Splitter,
}

/// What the link gave.
#[derive(Debug)]
pub(super) enum Given {
    /// The output of a service.
    Output(String, OwnedFd),
    /// A packet that is none of these.
    Odd,
    /// No more for now.
    Nothing,
    /// lunix-init has closed its end.
    Closed,
}

/// Takes one packet.
///
/// # Errors
/// The kernel's.
pub(super) fn take(link: impl AsFd) -> io::Result<Given> {
    let mut packet = [0; 512];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = match net::recvmsg(link, &mut [IoSliceMut::new(&mut packet)], &mut control, flags) {
        Ok(received) => received,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(Given::Nothing),
        Err(errno) => return Err(errno.into()),
    };
    let mut fds = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        RecvAncillaryMessage::ScmCredentials(_) | _ => None,
    });
    let fd = fds.next().and_then(|mut fds| fds.next());
    if received.bytes == 0 && fd.is_none() {
        return Ok(Given::Closed);
    }
    let name = packet.get(..received.bytes).and_then(name);
    Ok(name.zip(fd).map_or(Given::Odd, |(name, fd)| Given::Output(name, fd)))
}

/// `output name=NAME`.
fn name(packet: &[u8]) -> Option<String> {
    let record = Record::parse(packet).ok().filter(|record| record.kind() == "output")?;
    record.get("name").map(|name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets() {
        assert_eq!(name(b"output name=sshd"), Some("sshd".to_owned()));
        assert_eq!(name(b"output name=\"two words\""), Some("two words".to_owned()));
        assert_eq!(name(b"input name=sshd"), None);
        assert_eq!(name(b"output"), None);
        assert_eq!(name(b"\xff"), None);
    }
}
