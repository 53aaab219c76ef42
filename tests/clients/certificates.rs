//! Certificates for the servers and clients of one play.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use testkit::{Error, Result};

/// Writes an authority's certificate, and certificates and keys of a server and a client.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let failed = |error: rcgen::Error| Error::unexpected(format!("certificate: {error}"));
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().map_err(failed)?;
    let authority = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
    put(folder, "ca.pem", &authority.pem())?;
    for (name, purpose) in
        [("server", ExtendedKeyUsagePurpose::ServerAuth), ("client", ExtendedKeyUsagePurpose::ClientAuth)]
    {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(failed)?;
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &authority).map_err(failed)?;
        put(folder, &format!("{name}.pem"), &certificate.pem())?;
        put(folder, &format!("{name}.key"), &key.serialize_pem())?;
    }
    Ok(())
}

fn put(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))
}
