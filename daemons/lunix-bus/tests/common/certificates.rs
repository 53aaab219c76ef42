//! Certificates for one test: an authority, servers and clients that it vouches for.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An authority that writes its certificates to a directory.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: PathBuf,
}

impl Authority {
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(directory.join(format!("{name}.pem")), issuer.pem()).unwrap();
        Self { issuer, directory: directory.to_owned() }
    }

    /// Writes `NAME.pem` and `NAME.key` for a server called localhost.
    pub(crate) fn server(&self, name: &str) {
        let names = vec![SanType::DnsName("localhost".try_into().unwrap())];
        self.sign(name, names, ExtendedKeyUsagePurpose::ServerAuth);
    }

    /// The same for a client, with alternative names of every kind.
    pub(crate) fn client(&self, name: &str) {
        let names = vec![
            SanType::Rfc822Name(format!("{name}@acme.com").try_into().unwrap()),
            SanType::DnsName(format!("{name}.acme.com").try_into().unwrap()),
            SanType::URI(format!("spiffe://acme/{name}").try_into().unwrap()),
        ];
        self.sign(name, names, ExtendedKeyUsagePurpose::ClientAuth);
    }

    fn sign(&self, name: &str, names: Vec<SanType>, purpose: ExtendedKeyUsagePurpose) {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Acme");
        params.distinguished_name.push(DnType::OrganizationalUnitName, "Dev");
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = names;
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.directory.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// How a client speaks TLS.
#[derive(Clone, Debug)]
pub(crate) struct Shows {
    pub(crate) directory: PathBuf,
    /// Whose certificate it shows.
    pub(crate) certificate: Option<&'static str>,
    /// Whom it believes.
    pub(crate) authority: &'static str,
}

impl Shows {
    pub(crate) fn new(directory: &Path, certificate: Option<&'static str>) -> Self {
        Self { directory: directory.to_owned(), certificate, authority: "ca" }
    }

    /// Shakes hands on a connection.
    pub(crate) fn over(&self, mut stream: TcpStream) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let file = |name: &str, end: &str| self.directory.join(format!("{name}.{end}"));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(file(self.authority, "pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let chain = vec![CertificateDer::from_pem_file(file(name, "pem")).unwrap()];
                let key = PrivateKeyDer::from_pem_file(file(name, "key")).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }
}

/// Reads one line, byte by byte, so that nothing of what follows is taken.
pub(crate) fn line(stream: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && matches!(stream.read(&mut byte), Ok(1)) {
        line.extend(byte);
    }
    String::from_utf8(line).unwrap()
}
