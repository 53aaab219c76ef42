//! Sealing between two curve keys: NaCl's box (x25519, XSalsa20-Poly1305) behind a version.
//!
//! ```text
//! sealed = "xkv1" nonce (24 bytes) tag (16 bytes) ciphertext
//! ```

use crate::{Error, KeyPair, PublicKey, Role};
use crypto_box::aead::Aead;
use crypto_box::{SalsaBox, SecretKey};

const VERSION: &[u8; 4] = b"xkv1";
/// Bytes of a nonce.
const NONCE: usize = 24;

/// A curve key that can seal and open.
#[derive(Clone, Debug)]
pub struct CurvePair(KeyPair);

impl CurvePair {
    /// The pair whose secret are these bytes; take them from the kernel's random numbers.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(KeyPair::new(Role::Curve, secret))
    }

    /// Reads a seed beginning with `SX`.
    ///
    /// # Errors
    /// As [`KeyPair::from_seed`], and [`Error::WrongRole`].
    pub fn from_seed(text: &str) -> Result<Self, Error> {
        let pair = KeyPair::from_seed(text)?;
        if pair.role() == Role::Curve { Ok(Self(pair)) } else { Err(Error::WrongRole(Role::Curve.noun())) }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::new(Role::Curve, *self.secret().public_key().as_bytes())
    }

    /// Seals `message` so that only `recipient` can open it and knows who sealed it. A nonce must never serve two messages: take it from
    /// the kernel's random numbers.
    ///
    /// # Errors
    /// [`Error::WrongRole`] when `recipient` is no curve key.
    pub fn seal(&self, message: &[u8], recipient: &PublicKey, nonce: [u8; NONCE]) -> Result<Vec<u8>, Error> {
        let sealed = self.shared(recipient)?.encrypt(&nonce.into(), message).map_err(|_| Error::Sealed)?;
        Ok([&VERSION[..], &nonce, &sealed].concat())
    }

    /// Opens what `sender` sealed for this pair.
    ///
    /// # Errors
    /// [`Error::Sealed`] when it cannot be opened; [`Error::WrongRole`] when `sender` is no curve key.
    pub fn open(&self, sealed: &[u8], sender: &PublicKey) -> Result<Vec<u8>, Error> {
        let rest = sealed.strip_prefix(VERSION).ok_or(Error::Sealed)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(Error::Sealed)?;
        self.shared(sender)?.decrypt(&(*nonce).into(), rest).map_err(|_| Error::Sealed)
    }

    fn shared(&self, other: &PublicKey) -> Result<SalsaBox, Error> {
        if other.role() != Role::Curve {
            return Err(Error::WrongRole(Role::Curve.noun()));
        }
        Ok(SalsaBox::new(&(*other.bytes()).into(), &self.secret()))
    }

    fn secret(&self) -> SecretKey {
        SecretKey::from_bytes(*self.0.secret())
    }
}
