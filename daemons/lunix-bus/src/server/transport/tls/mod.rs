//! One TLS connection without its socket: ciphertext in, plaintext out, and the other way round. Server's and client's side.

mod error;
mod facts;
mod files;
mod records;
mod settings;

pub use error::Error;
pub use settings::{Acceptor, acceptor, connector};

use crate::broker::TlsFacts;
use records::Records;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use std::io::{self, BufRead, IoSlice, Write};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// What a connection holds while nothing happens: keys, states, and rustls's buffer for the next record.
const IDLE_SIZE: usize = 12 * 1024;
/// Bytes that a peer may send before the handshake is done: a ClientHello and a long chain of certificates.
const HANDSHAKE_MAX: usize = 64 * 1024;

/// Begins a connection to the server called `name`, a host's name or address.
///
/// # Errors
/// A file that is missing or wrong, or a name that is none.
#[cfg(feature = "leaf")]
pub(crate) fn connect(config: &crate::config::Tls, name: &str) -> Result<Tls, Error> {
    let wrong = |error: &dyn std::fmt::Display| Error::Settings(error.to_string());
    let name = ServerName::try_from(name.to_owned()).map_err(|error| wrong(&error))?;
    Tls::client(connector(config)?, name).map_err(|error| wrong(&error))
}

/// Whether a connection could be made with these settings.
///
/// # Errors
/// A file that is missing or wrong.
#[cfg(feature = "leaf")]
pub(crate) fn check(config: &crate::config::Tls) -> Result<(), Error> {
    connector(config).map(drop)
}

/// A connection.
#[derive(Debug)]
pub struct Tls {
    connection: Connection,
    records: Records,
    /// Bytes the peer sent during the handshake.
    shaken: usize,
    closed: bool,
}

impl Tls {
    /// The server's side.
    ///
    /// # Errors
    /// A configuration that fits no peer.
    pub fn server(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self::new(Connection::Server(ServerConnection::new(config)?)))
    }

    /// The client's side, for the server called `name`. Its first words wait to be written.
    ///
    /// # Errors
    /// A configuration that fits no peer.
    pub fn client(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, rustls::Error> {
        Ok(Self::new(Connection::Client(ClientConnection::new(config, name)?)))
    }

    fn new(mut connection: Connection) -> Self {
        // What waits is bounded by whoever calls `send`: nothing more is given before the last is written.
        connection.set_buffer_limit(None);
        Self { connection, records: Records::default(), shaken: 0, closed: false }
    }

    /// True until both sides have keys and each knows what it wants of the other.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// True once the peer has said that nothing follows.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// True when the peer has not sent a single whole record, so that it may not speak TLS at all.
    pub fn is_strange(&self) -> bool {
        !self.records.any()
    }

    /// Takes ciphertext and appends the plaintext to `plain`. Answers to the peer may wait to be written afterwards.
    ///
    /// # Errors
    /// What the peer did wrong; an alert about it waits to be written.
    pub fn receive(&mut self, mut cipher: &[u8], plain: &mut Vec<u8>) -> Result<(), rustls::Error> {
        if self.is_handshaking() {
            self.shaken += cipher.len();
            if self.shaken > HANDSHAKE_MAX {
                return Err(rustls::Error::General("the handshake is too long".into()));
            }
        }
        self.records.feed(cipher);
        while !cipher.is_empty() && !self.closed {
            let full = |_| rustls::Error::General("a record is too long".into());
            self.connection.read_tls(&mut cipher).map_err(full)?;
            let state = self.connection.process_new_packets()?;
            self.closed = state.peer_has_closed();
            let mut left = state.plaintext_bytes_to_read();
            plain.reserve(left);
            while left > 0 {
                let mut reader = self.connection.reader();
                let Ok(chunk) = reader.fill_buf() else { break };
                plain.extend_from_slice(chunk);
                let len = chunk.len();
                reader.consume(len);
                left = left.saturating_sub(len.max(1));
            }
        }
        Ok(())
    }

    /// Encrypts `parts`, one after the other in the same records; the ciphertext waits for [`Tls::flush`].
    pub fn send(&mut self, parts: &[IoSlice<'_>]) {
        // Without a limit everything is taken, and nothing can fail.
        let _ = self.connection.writer().write_vectored(parts);
    }

    /// Says that nothing follows.
    pub fn close(&mut self) {
        self.connection.send_close_notify();
    }

    /// True while ciphertext waits to be written.
    pub fn has_output(&self) -> bool {
        self.connection.wants_write()
    }

    /// Writes what waits. Returns whether everything is written.
    ///
    /// # Errors
    /// The socket's, but for its being full.
    pub fn flush(&mut self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut Socket(socket)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Bytes held for the connection, output that waits apart: what it always needs, and of a record or handshake that is not complete.
    pub fn held(&self) -> usize {
        let unfinished = if self.is_handshaking() { self.shaken } else { self.records.unfinished() };
        IDLE_SIZE + unfinished
    }

    /// What was agreed on, and who the peer is.
    pub fn facts(&self) -> TlsFacts {
        facts::facts(&self.connection)
    }
}

/// A socket to write to.
struct Socket<'a>(BorrowedFd<'a>);

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.0, bytes)?)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(rustix::io::writev(self.0, parts)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
