//! What lies between a socket and the broker: nothing, TLS, WebSocket frames, or both.
//!
//! | connection | input | output |
//! |---|---|---|
//! | plain | straight from the shared read buffer to the broker | the broker's pieces in one `writev` |
//! | TLS | decrypted into one more shared buffer | at most 32 KiB are encrypted, and the next only when they are written |
//! | WebSocket | unmasked in place | one frame for what waits, at most 32 KiB |
//!
//! A plain connection costs nothing of this: no memory but for one word, no branch but for one. What a layered one holds is told to the
//! broker, which counts it as the client's.

mod entry;
mod flow;
mod layered;
#[cfg(not(feature = "tls"))]
mod no_tls;
#[cfg(not(feature = "websocket"))]
mod no_web;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "websocket")]
mod web;

#[cfg(not(feature = "tls"))]
use no_tls as tls;
#[cfg(not(feature = "websocket"))]
use no_web as web;

#[cfg(feature = "tls")]
pub use tls::connector;
pub use tls::{Acceptor, Error as TlsError, Tls, acceptor};
#[cfg(feature = "leaf")]
pub(crate) use tls::{check, connect};

pub(super) use entry::Doors;
use layered::{Layered, Stage};
use web::Web;

/// The way of one connection.
#[derive(Debug)]
pub(super) enum Transport {
    /// Bytes as they are.
    Plain,
    /// Through TLS, WebSocket frames, or both.
    Layered(Box<Layered>),
}

impl Transport {
    /// True while the broker's output goes out as it is.
    pub(super) fn is_clear(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Layered(layered) => layered.is_clear(),
        }
    }

    /// True while something waits to be written that the broker has handed over already.
    pub(super) fn has_output(&self) -> bool {
        match self {
            Self::Plain => false,
            Self::Layered(layered) => layered.has_output(),
        }
    }

    /// True while what was read before is not taken in, so that nothing more may be read.
    pub(super) fn is_behind(&self) -> bool {
        match self {
            Self::Plain => false,
            Self::Layered(layered) => layered.is_behind(),
        }
    }
}
