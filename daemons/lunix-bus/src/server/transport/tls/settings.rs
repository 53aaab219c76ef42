//! From a `tls` block to what rustls needs.

use super::{Tls, error::Error, files};
use crate::broker::TlsFacts;
use crate::config::{HandshakeFirst, Tls as Config};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme, SupportedCipherSuite,
    SupportedProtocolVersion,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Cipher suites by their names in the configuration.
pub(super) const SUITES: [(&str, CipherSuite); 11] = [
    ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// Where Debian, Alpine, NixOS and Fedora keep the certificates that the system trusts.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// What a listener with TLS needs for its connections.
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    first: HandshakeFirst,
    timeout: Duration,
    maps: bool,
    pinned: Vec<[u8; 32]>,
    rate_limit: Option<usize>,
    not_after: String,
}

impl Acceptor {
    /// Until when the own certificate is valid; RFC 3339.
    pub(crate) fn not_after(&self) -> &str {
        &self.not_after
    }

    pub(in super::super) fn first(&self) -> HandshakeFirst {
        self.first
    }

    pub(in super::super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Certificates say which user a client is.
    pub(in super::super) fn maps(&self) -> bool {
        self.maps
    }

    /// Handshakes that may begin in one second.
    pub(in super::super) fn rate_limit(&self) -> Option<usize> {
        self.rate_limit
    }

    /// A new connection.
    pub(in super::super) fn accept(&self) -> Result<Tls, rustls::Error> {
        Tls::server(Arc::clone(&self.config))
    }

    /// Whether a client with this certificate is let in.
    pub(in super::super) fn lets_in(&self, facts: &TlsFacts) -> bool {
        let own = facts.certificates.first();
        self.pinned.is_empty() || own.is_some_and(|own| self.pinned.contains(&own.key_hash))
    }
}

/// Reads the files of a listener's `tls` block.
///
/// # Errors
/// The file that is missing or wrong, and how.
pub fn acceptor(tls: &Config) -> Result<Acceptor, Error> {
    let certificate_file = tls.cert_file.as_deref().ok_or(Error::Missing("cert_file"))?;
    let key_file = tls.key_file.as_deref().ok_or(Error::Missing("key_file"))?;
    let chain = files::certificates(certificate_file)?;
    let key = files::private_key(key_file)?;
    let read = chain.first().and_then(|own| x509_names::Certificate::read(own).ok());
    let not_after = read.map(|certificate| certificate.not_after).unwrap_or_default();
    let provider = Arc::new(provider(tls));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions(tls))
        .map_err(|error| Error::Settings(error.to_string()))?;
    let builder = if tls.verify {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(tls)?), provider).build();
        builder.with_client_cert_verifier(verifier.map_err(|error| Error::Settings(error.to_string()))?)
    } else {
        if let Some(path) = &tls.ca_file {
            files::roots(path)?;
        }
        builder.with_no_client_auth()
    };
    let pair = |error: rustls::Error| Error::Pair(certificate_file.into(), key_file.into(), error.to_string());
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    // A session that goes on later would cost memory now, and let a client in whose certificate was revoked since.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    // Who lists cipher suites means the order; without a list the client knows best which one its processor is good at.
    config.ignore_client_order = !tls.cipher_suites.is_empty();
    Ok(Acceptor {
        config: Arc::new(config),
        first: tls.first,
        timeout: tls.timeout,
        maps: tls.map,
        pinned: tls.pinned.clone(),
        rate_limit: tls.rate_limit,
        not_after,
    })
}

/// Reads the files of the `tls` block of a connection that we make. Without a block, whom the system trusts is trusted.
///
/// # Errors
/// The file that is missing or wrong, and how.
pub fn connector(tls: &Config) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(provider(tls));
    let settings = |error: String| Error::Settings(error);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions(tls))
        .map_err(|error| settings(error.to_string()))?;
    let builder = if tls.insecure {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous(provider.signature_verification_algorithms)))
    } else {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(tls)?), provider).build();
        builder.with_webpki_verifier(verifier.map_err(|error| settings(error.to_string()))?)
    };
    let mut config = match (&tls.cert_file, &tls.key_file) {
        (Some(certificate), Some(key)) => {
            let own = builder.with_client_auth_cert(files::certificates(certificate)?, files::private_key(key)?);
            own.map_err(|error| Error::Pair(certificate.clone(), key.clone(), error.to_string()))?
        }
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => return Err(Error::Missing("key_file")),
        (None, Some(_)) => return Err(Error::Missing("cert_file")),
    };
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn roots(tls: &Config) -> Result<rustls::RootCertStore, Error> {
    if let Some(path) = &tls.ca_file {
        return files::roots(path);
    }
    let known = SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.exists());
    files::roots(known.ok_or(Error::Missing("ca_file"))?)
}

/// The algorithms that are allowed.
fn provider(tls: &Config) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !tls.cipher_suites.is_empty() {
        let named = |name: &String| SUITES.iter().find(|(known, _)| known == name).map(|(_, suite)| *suite);
        let wanted: Vec<_> = tls.cipher_suites.iter().filter_map(named).collect();
        // As in the reference, those of TLS 1.3 are all there unless one is named.
        let all_new = tls.cipher_suites.iter().all(|name| is_old(name));
        let is_new = |suite: &SupportedCipherSuite| suite.tls13().is_some();
        provider.cipher_suites.retain(|suite| wanted.contains(&suite.suite()) || (all_new && is_new(suite)));
        provider.cipher_suites.sort_by_key(|suite| wanted.iter().position(|wanted| *wanted == suite.suite()));
    }
    if !tls.curves.is_empty() {
        let group = |name: &String| match name.as_str() {
            "X25519" => ring::kx_group::X25519,
            "CurveP256" => ring::kx_group::SECP256R1,
            _ => ring::kx_group::SECP384R1,
        };
        provider.kx_groups = tls.curves.iter().map(group).collect();
    }
    provider
}

static ONLY_NEW: [&SupportedProtocolVersion; 1] = [&TLS13];
static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// The versions that are allowed.
fn versions(tls: &Config) -> &'static [&'static SupportedProtocolVersion] {
    let none_old = !tls.cipher_suites.is_empty() && !tls.cipher_suites.iter().any(|name| is_old(name));
    if tls.only_1_3 || none_old { &ONLY_NEW } else { &BOTH }
}

/// True for a cipher suite of TLS 1.2.
fn is_old(name: &str) -> bool {
    name.starts_with("TLS_ECDHE")
}

/// Believes every certificate, but wants the handshake to be signed with its key.
#[derive(Debug)]
struct Credulous(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
