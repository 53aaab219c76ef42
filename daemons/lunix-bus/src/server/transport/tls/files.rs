//! Certificates and keys in PEM files.

use super::error::Error;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::Path;

/// A larger file holds no certificates for us; the roots of a whole system are 220 KB.
const FILE_MAX: u64 = 4 << 20;

/// The certificates in a file, in order.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = load(path)?;
    let bad = |error: rustls::pki_types::pem::Error| Error::Bad(path.to_owned(), error.to_string());
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().map_err(bad)?;
    if found.is_empty() { Err(Error::Empty(path.to_owned(), "certificate")) } else { Ok(found) }
}

/// The first private key in a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(&load(path)?).map_err(|error| {
        let none = matches!(error, rustls::pki_types::pem::Error::NoItemsFound);
        if none { Error::Empty(path.to_owned(), "private key") } else { Error::Bad(path.to_owned(), error.to_string()) }
    })
}

/// The certificates in a file as roots of trust.
pub(super) fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| Error::Bad(path.to_owned(), error.to_string()))?;
    }
    Ok(roots)
}

fn load(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::Unreadable(path.to_owned(), error);
    if fs::metadata(path).map_err(failed)?.len() > FILE_MAX {
        return Err(Error::Bad(path.to_owned(), "larger than 4 MiB".to_owned()));
    }
    fs::read(path).map_err(failed)
}
