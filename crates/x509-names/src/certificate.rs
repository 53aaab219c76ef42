//! A certificate's way from the outside in.

use crate::der::{BOOLEAN, Element, IDENTIFIER, LONG_TIME, OCTETS, Reader, SEQUENCE, TIME};
use crate::{directory, text};
use std::fmt;

/// Object identifier of subjectAltName, 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// Kinds of alternative names (RFC 5280, section 4.2.1.6).
const MAIL: u8 = 0x81;
const HOST: u8 = 0x82;
const URI: u8 = 0x86;

/// What is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate is malformed")
    }
}

impl std::error::Error for Malformed {}

/// What a certificate says about its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// Subject in the form of RFC 2253; empty without one.
    pub subject: String,
    /// Mail addresses.
    pub mails: Vec<String>,
    /// Host names.
    pub hosts: Vec<String>,
    /// URIs.
    pub uris: Vec<String>,
    /// Until when it is valid, RFC 3339 in UTC.
    pub not_after: String,
    /// The public key with its algorithm (`SubjectPublicKeyInfo`), in DER.
    pub public_key: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// [`Malformed`] when it is none.
    pub fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut body = Reader(der).expect(SEQUENCE)?.inside().expect(SEQUENCE)?.inside();
        // version, serial number, signature, issuer
        body.optional(0xa0)?;
        body.any()?;
        body.expect(SEQUENCE)?;
        body.expect(SEQUENCE)?;
        let mut validity = body.expect(SEQUENCE)?.inside();
        validity.any()?;
        let until = validity.any()?;
        let subject = directory::write(body.expect(SEQUENCE)?.inside())?;
        let public_key = body.expect(SEQUENCE)?.whole;
        let not_after = moment(until).ok_or(Malformed)?;
        let mut certificate = Self { subject, not_after, public_key, ..Self::default() };
        // issuer's and subject's unique identifiers, then the extensions
        body.optional(0x81)?;
        body.optional(0x82)?;
        if let Some(extensions) = body.optional(0xa3)? {
            certificate.read_extensions(extensions.inside().expect(SEQUENCE)?.inside())?;
        }
        Ok(certificate)
    }

    fn read_extensions(&mut self, mut extensions: Reader<'_>) -> Result<(), Malformed> {
        while !extensions.is_empty() {
            let mut extension = extensions.expect(SEQUENCE)?.inside();
            let kind = extension.expect(IDENTIFIER)?.content;
            extension.optional(BOOLEAN)?;
            let value = extension.expect(OCTETS)?;
            if kind == ALTERNATIVE_NAMES {
                self.read_names(value.inside().expect(SEQUENCE)?.inside())?;
            }
        }
        Ok(())
    }

    fn read_names(&mut self, mut names: Reader<'_>) -> Result<(), Malformed> {
        while !names.is_empty() {
            let name = names.any()?;
            let list = match name.tag {
                MAIL => &mut self.mails,
                HOST => &mut self.hosts,
                URI => &mut self.uris,
                _ => continue,
            };
            list.push(text::string(name.tag, name.content));
        }
        Ok(())
    }
}

fn moment(element: Element<'_>) -> Option<String> {
    match element.tag {
        TIME => text::time(false, element.content),
        LONG_TIME => text::time(true, element.content),
        _ => None,
    }
}
