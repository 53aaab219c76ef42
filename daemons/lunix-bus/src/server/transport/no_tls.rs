//! In the place of TLS in a build without: types that nobody can make a value of.

use crate::broker::TlsFacts;
use crate::config::Tls as Config;
use std::fmt;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

/// This build has no TLS.
#[derive(Debug)]
pub struct Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this build has no TLS")
    }
}

impl std::error::Error for Error {}

/// What a listener with TLS would need.
#[derive(Clone, Debug)]
pub enum Acceptor {}

impl Acceptor {
    pub(crate) fn not_after(&self) -> &str {
        match *self {}
    }

    pub(super) fn first(&self) -> crate::config::HandshakeFirst {
        match *self {}
    }

    pub(super) fn timeout(&self) -> std::time::Duration {
        match *self {}
    }

    pub(super) fn maps(&self) -> bool {
        match *self {}
    }

    pub(super) fn rate_limit(&self) -> Option<usize> {
        match *self {}
    }

    pub(super) fn accept(&self) -> Result<Tls, Error> {
        match *self {}
    }

    pub(super) fn lets_in(&self, _: &TlsFacts) -> bool {
        match *self {}
    }
}

/// Nothing.
///
/// # Errors
/// Always.
pub fn acceptor(_: &Config) -> Result<Acceptor, Error> {
    Err(Error)
}

/// Nothing.
///
/// # Errors
/// Always.
#[cfg(feature = "leaf")]
pub(crate) fn connect(_: &Config, _: &str) -> Result<Tls, Error> {
    Err(Error)
}

/// Whether a connection could be made with these settings.
///
/// # Errors
/// Always.
#[cfg(feature = "leaf")]
pub(crate) fn check(_: &Config) -> Result<(), Error> {
    Err(Error)
}

/// A connection that there is not.
#[derive(Debug)]
pub enum Tls {}

impl Tls {
    pub(super) fn is_handshaking(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_closed(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_strange(&self) -> bool {
        match *self {}
    }

    pub(super) fn receive(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<(), Error> {
        match *self {}
    }

    pub(super) fn send(&mut self, _: &[IoSlice<'_>]) {
        match *self {}
    }

    pub(super) fn close(&mut self) {
        match *self {}
    }

    pub(super) fn has_output(&self) -> bool {
        match *self {}
    }

    pub(super) fn flush(&mut self, _: BorrowedFd<'_>) -> io::Result<bool> {
        match *self {}
    }

    pub(super) fn held(&self) -> usize {
        match *self {}
    }

    pub(super) fn facts(&self) -> TlsFacts {
        match *self {}
    }
}
