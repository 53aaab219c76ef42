//! The state of a TCP socket (`man 7 tcp`, TCP_INFO).

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// State number of an open connection (`include/net/tcp_states.h`).
const ESTABLISHED: u8 = 1;

/// Whether the connection is open in both directions at this moment: neither end has closed or reset it.
///
/// # Errors
/// `ENOPROTOOPT` and its like for what is no TCP socket.
pub fn is_established(socket: impl AsFd) -> io::Result<bool> {
    // The state is the first byte of `struct tcp_info`; the kernel writes as much of it as it is given room for.
    let mut state = 0_u8;
    let mut length: libc::socklen_t = 1;
    // SAFETY: the pointer is valid for one byte, and `length` says so; the kernel writes no more than that.
    let result = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut state).cast(), &raw mut length)
    };
    if result == 0 { Ok(state == ESTABLISHED) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::is_established;
    use std::net::{Shutdown, TcpListener, TcpStream};

    #[test]
    fn it_is_open_until_one_end_closes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!is_established(&listener).unwrap());
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert!(is_established(&client).unwrap() && is_established(&server).unwrap());
        client.shutdown(Shutdown::Write).unwrap();
        assert!(!is_established(&client).unwrap() && !is_established(&server).unwrap());
        assert!(is_established(std::fs::File::open("/").unwrap()).is_err());
    }
}
