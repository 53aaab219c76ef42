//! The addresses of a host to listen on, by the resolver of the C library.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// All addresses of `host`, an address itself or a name.
pub(super) fn of(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    (host, port).to_socket_addrs().map(Iterator::collect)
}
