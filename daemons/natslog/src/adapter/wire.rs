//! What stands between messages and a socket: nothing.

use crate::config::{Forward, Transport};
use std::io;

/// How bytes travel on a connection.
#[derive(Debug)]
pub(super) enum Wire {
    /// As they are.
    Plain,
    /// Encrypted.
    #[cfg(feature = "tls")]
    Tls(Box<super::tls::Session>),
}

impl Wire {
    /// The beginning of a connection to the target.
    ///
    /// # Errors
    /// Certificates that cannot be read; encryption in a build without it.
    pub(super) fn open(settings: &Forward) -> io::Result<Self> {
        match settings.transport() {
            Transport::Udp | Transport::Tcp => Ok(Self::Plain),
            #[cfg(feature = "tls")]
            Transport::Tls => Ok(Self::Tls(Box::new(super::tls::Session::open(settings)?))),
            #[cfg(not(feature = "tls"))]
            Transport::Tls => Err(io::Error::other("this natslog was built without TLS")),
        }
    }

    /// Whether messages can be sent.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.is_open(),
        }
    }

    /// Turns a message to bytes for the socket.
    pub(super) fn send(&mut self, message: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => {
                out.extend_from_slice(message);
                Ok(())
            }
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.send(message, out),
        }
    }

    /// Adds what the encryption itself has to say.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => {
                let _ = out;
                Ok(())
            }
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.flush(out),
        }
    }

    /// Takes bytes from the socket. Syslog has no answers: what is not about encryption is ignored.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain => {
                let _ = bytes;
                Ok(())
            }
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.receive(bytes),
        }
    }
}
