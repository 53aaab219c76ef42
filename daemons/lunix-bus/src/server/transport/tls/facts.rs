//! What a connection agreed on, in the words of the reference.

use crate::broker::{PeerCertificate, TlsFacts};
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::{Connection, ProtocolVersion, SupportedCipherSuite};
use x509_names::Certificate;

/// Certificates of a peer's chain that are kept.
const CHAIN_MAX: usize = 4;

pub(super) fn facts(connection: &Connection) -> TlsFacts {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        Some(_) | None => "1.2",
    };
    let cipher_suite = connection.negotiated_cipher_suite().map_or("", name);
    let chain = connection.peer_certificates().unwrap_or_default().iter().take(CHAIN_MAX);
    TlsFacts { version, cipher_suite, certificates: chain.filter_map(certificate).collect() }
}

/// The name of a cipher suite as nats-server's configuration and reports have it.
pub(super) fn name(suite: SupportedCipherSuite) -> &'static str {
    super::settings::SUITES.iter().find(|(_, known)| *known == suite.suite()).map_or("", |(name, _)| name)
}

fn certificate(der: &CertificateDer<'_>) -> Option<PeerCertificate> {
    let read = Certificate::read(der).ok()?;
    let hash = |bytes: &[u8]| <[u8; 32]>::try_from(digest(&SHA256, bytes).as_ref()).ok();
    let names = read.mails.into_iter().chain(read.hosts).chain(read.uris).collect();
    Some(PeerCertificate { subject: read.subject, names, key_hash: hash(read.public_key)?, hash: hash(der)? })
}
