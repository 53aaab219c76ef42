//! TLS to a target (RFC 5425), with rustls.

use crate::config::Forward;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

/// Where systems keep whom they trust.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];
/// A larger file holds no certificates for us.
const FILE_MAX: u64 = 4 << 20;

/// One connection.
#[derive(Debug)]
pub(super) struct Session(ClientConnection);

impl Session {
    /// Reads the certificates and begins the handshake.
    ///
    /// # Errors
    /// The file that is missing or wrong, and how.
    pub(super) fn open(settings: &Forward) -> io::Result<Self> {
        let given = Some(settings.ca_file.as_str()).filter(|path| !path.is_empty());
        let system = || SYSTEM_ROOTS.into_iter().find(|path| Path::new(path).exists());
        let path =
            given.or_else(system).ok_or_else(|| io::Error::other("ca_file is missing, and the system has no roots"))?;
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots(path)?), Arc::clone(&provider)).build();
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_webpki_verifier(verifier.map_err(io::Error::other)?)
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        let name = match settings.server_name.as_str() {
            "" => ServerName::from(settings.address().map_err(io::Error::other)?.ip()),
            name => ServerName::try_from(name.to_owned()).map_err(io::Error::other)?,
        };
        Ok(Self(ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?))
    }

    /// Whether the handshake is done.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_handshaking()
    }

    /// Encrypts a message.
    pub(super) fn send(&mut self, message: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.0.writer().write_all(message)?;
        self.flush(out)
    }

    /// Takes what is to be written.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(out)?;
        }
        Ok(())
    }

    /// Takes what was read. What it decrypts to is nobody's.
    pub(super) fn receive(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.0.read_tls(&mut bytes)?;
            let state = self.0.process_new_packets().map_err(io::Error::other)?;
            let mut left = state.plaintext_bytes_to_read();
            let mut sink = [0; 512];
            while left > 0 {
                left -= io::Read::read(&mut self.0.reader(), &mut sink)?.clamp(1, left);
            }
        }
        Ok(())
    }
}

fn roots(path: &str) -> io::Result<RootCertStore> {
    let named = |why: String| io::Error::other(format!("{path}: {why}"));
    let metadata = std::fs::metadata(path).map_err(|error| named(error.to_string()))?;
    if metadata.len() > FILE_MAX {
        return Err(named(format!("larger than {FILE_MAX} bytes")));
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| named(error.to_string()))? {
        let certificate = certificate.map_err(|error| named(error.to_string()))?;
        roots.add(certificate).map_err(|error| named(error.to_string()))?;
    }
    if roots.is_empty() { Err(named("no certificate".to_owned())) } else { Ok(roots) }
}
