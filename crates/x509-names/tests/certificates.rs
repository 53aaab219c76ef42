//! Certificates made by another program are read back.
#![expect(clippy::unwrap_used, reason = "a test")]

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, SanType};
use x509_names::{Certificate, is_same_name};

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Acme, Inc.");
    subject.push(DnType::OrganizationalUnitName, "Dev");
    subject.push(DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]), "acme");
    subject.push(DnType::CommonName, "älice");
    params.distinguished_name = subject;
    params.subject_alt_names = vec![
        SanType::DnsName("alice.acme.com".try_into().unwrap()),
        SanType::Rfc822Name("alice@acme.com".try_into().unwrap()),
        SanType::IpAddress([127, 0, 0, 1].into()),
        SanType::URI("spiffe://acme/alice".try_into().unwrap()),
        SanType::Rfc822Name("a@acme.com".try_into().unwrap()),
    ];
    params.not_after = rcgen::date_time_ymd(2047, 2, 3);
    params
}

#[test]
fn every_name_is_found() {
    let key = KeyPair::generate().unwrap();
    let made = params().self_signed(&key).unwrap();
    let read = Certificate::read(made.der()).unwrap();
    assert_eq!(read.subject, "CN=älice,DC=acme,OU=Dev,O=Acme\\, Inc.");
    assert!(is_same_name(&read.subject, "o=\"Acme, Inc.\", ou=Dev, dc=acme, cn=älice"));
    assert_eq!((read.hosts, read.uris), (vec!["alice.acme.com".into()], vec!["spiffe://acme/alice".into()]));
    assert_eq!(read.mails, ["alice@acme.com", "a@acme.com"]);
    assert_eq!(read.not_after, "2047-02-03T00:00:00Z");
    assert_eq!(read.public_key, key.subject_public_key_info());
}

#[test]
fn a_certificate_cut_or_changed_anywhere_is_refused_or_read_and_nothing_worse() {
    let made = params().self_signed(&KeyPair::generate().unwrap()).unwrap();
    let der = made.der().to_vec();
    for cut in 0..der.len() {
        assert!(Certificate::read(&der[..cut]).is_err());
    }
    let mut refused = 0;
    for place in 0..der.len() {
        let mut changed = der.clone();
        changed[place] ^= 0x81;
        refused += usize::from(Certificate::read(&changed).is_err());
    }
    assert!(refused > 50 && refused < der.len());
}
