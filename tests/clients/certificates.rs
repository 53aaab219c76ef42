//! Certificates for the clients: an authority, a server and a client that it vouches for, and one that nobody knows.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error as Reason, IsCa, KeyPair};
use std::path::Path;
use testkit::{Error, Result};

/// Writes `ca.pem`, and `server`, `client` and `stranger` each as `.pem` and `.key`.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let failed = |error: Reason| Error::unexpected(format!("make certificates: {error}"));
    for (name, pem) in made().map_err(failed)? {
        let path = folder.join(name);
        std::fs::write(&path, pem).map_err(Error::io(format!("write {}", path.display())))?;
    }
    Ok(())
}

fn made() -> std::result::Result<Vec<(String, String)>, Reason> {
    let (known, unknown) = (authority("ca")?, authority("another")?);
    let mut files = vec![("ca.pem".to_owned(), known.pem())];
    for (name, issuer) in [("server", &known), ("client", &known), ("stranger", &unknown)] {
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        files.push((format!("{name}.pem"), params.signed_by(&key, issuer)?.pem()));
        files.push((format!("{name}.key"), key.serialize_pem()));
    }
    Ok(files)
}

fn authority(name: &str) -> std::result::Result<CertifiedIssuer<'static, KeyPair>, Reason> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}
