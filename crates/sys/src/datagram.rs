//! Datagrams of unix sockets with who sent them (SCM_CREDENTIALS, `man 7 unix`).

use crate::peer::Credentials;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};

/// A datagram in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes in the buffer.
    pub len: usize,
    /// The datagram was longer than the buffer; the rest is gone.
    pub is_cut: bool,
    /// Who sent it, as the kernel says; `None` when it was sent before the socket asked for that (SO_PASSCRED).
    pub sender: Option<Credentials>,
}

/// Room for one message of credentials, aligned as the kernel wants it.
#[repr(C)]
union Control {
    _align: libc::cmsghdr,
    bytes: [u8; 64],
}

/// Takes one datagram, without waiting. The socket should have SO_PASSCRED.
///
/// # Errors
/// `EAGAIN` when there is none; the kernel's.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = Control { bytes: [0; 64] };
    let mut piece = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut header = MaybeUninit::<libc::msghdr>::zeroed();
    // SAFETY: a msghdr is plain integers and pointers, for all of which zero is valid.
    let header = unsafe { header.assume_init_mut() };
    header.msg_iov = &raw mut piece;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = size_of::<Control>() as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the header points to one piece and to the control bytes, with their true lengths; all of them outlive the call.
    let len = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), header, flags) };
    let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
    let is_cut = header.msg_flags & libc::MSG_TRUNC != 0;
    Ok(Received { len, is_cut, sender: sender(header) })
}

fn sender(header: &libc::msghdr) -> Option<Credentials> {
    // SAFETY: the kernel has filled in the header, whose control bytes are alive and aligned.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !message.is_null() {
        // SAFETY: not null, so it points to a whole header within the control bytes.
        let head = unsafe { message.read() };
        if head.cmsg_level == libc::SOL_SOCKET && head.cmsg_type == libc::SCM_CREDENTIALS {
            // SAFETY: a message of this type holds a ucred, which is plain integers and may be unaligned.
            let found: libc::ucred = unsafe { libc::CMSG_DATA(message).cast::<libc::ucred>().read_unaligned() };
            let pid = u32::try_from(found.pid).ok().filter(|&pid| pid > 0);
            // Without a process nobody was asked, and the numbers stand for nobody.
            return pid.map(|_| Credentials { pid, uid: found.uid, gid: found.gid });
        }
        // SAFETY: as above, and the message is one of this header.
        message = unsafe { libc::CMSG_NXTHDR(header, message) };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    fn pass_credentials(socket: &UnixDatagram) {
        rustix::net::sockopt::set_socket_passcred(socket, true).unwrap();
    }

    #[test]
    fn the_kernel_says_who_sent_it_and_long_ones_are_cut() {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(receive(&ours, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        theirs.send(b"early").unwrap();
        pass_credentials(&ours);
        theirs.send(b"hello").unwrap();
        theirs.send(b"much too long").unwrap();
        theirs.send(b"").unwrap();
        assert_eq!(receive(&ours, &mut buffer).unwrap(), Received { len: 5, is_cut: false, sender: None });
        let second = receive(&ours, &mut buffer).unwrap();
        let sender = second.sender.unwrap();
        assert_eq!((second.len, sender.pid), (5, Some(std::process::id())));
        assert_eq!(sender.uid, rustix::process::getuid().as_raw());
        assert_eq!(&buffer[..5], b"hello");
        let third = receive(&ours, &mut buffer).unwrap();
        assert_eq!((third.len, third.is_cut), (8, true));
        assert_eq!(receive(&ours, &mut buffer).unwrap().len, 0);
    }
}
