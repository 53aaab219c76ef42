//! Why files make no TLS configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What is wrong with the files of a `tls` block.
#[derive(Debug)]
pub enum Error {
    /// A listener needs a certificate and its key.
    Missing(&'static str),
    /// A file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// A file holds nothing of what is wanted.
    Empty(PathBuf, &'static str),
    /// A file holds something that is no certificate or key.
    Bad(PathBuf, String),
    /// The key does not belong to the certificate, or they fit no cipher suite.
    Pair(PathBuf, PathBuf, String),
    /// The configuration makes no sense as a whole.
    Settings(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) => write!(f, "tls: {key} is missing"),
            Self::Unreadable(path, error) => write!(f, "tls: cannot read {}: {error}", path.display()),
            Self::Empty(path, what) => write!(f, "tls: no {what} in {}", path.display()),
            Self::Bad(path, error) => write!(f, "tls: {}: {error}", path.display()),
            Self::Pair(certificate, key, error) => {
                write!(f, "tls: certificate {} and key {}: {error}", certificate.display(), key.display())
            }
            Self::Settings(error) => write!(f, "tls: {error}"),
        }
    }
}

impl std::error::Error for Error {}
