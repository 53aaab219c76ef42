//! Keys in text, and what they sign.

use crate::crc16::crc16;
use crate::{Error, Role, base32};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Characters of a public key.
const PUBLIC_TEXT: usize = 56;
/// Characters of a seed.
const SEED_TEXT: usize = 58;
/// Bytes of a seed: prefix, secret, checksum.
const SEED_BYTES: usize = 36;
/// The prefix of seeds (`S`).
const SEED_PREFIX: u8 = 18 << 3;

/// A public key with its role. Its text is upper case, 56 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    role: Role,
    bytes: [u8; 32],
}

impl PublicKey {
    /// The key of `role` made of these bytes: a point of ed25519, or of x25519 for [`Role::Curve`].
    #[must_use]
    pub const fn new(role: Role, bytes: [u8; 32]) -> Self {
        Self { role, bytes }
    }

    /// What the key is for.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The key's bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Reads a key that must be of `role`.
    ///
    /// # Errors
    /// As [`FromStr`], or [`Error::WrongRole`].
    pub fn of(role: Role, text: &str) -> Result<Self, Error> {
        let key: Self = text.parse()?;
        if key.role == role { Ok(key) } else { Err(Error::WrongRole(role.noun())) }
    }

    /// True when the key's owner signed `message`. False for every signature that is not 64 bytes, and for curve keys.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.role != Role::Curve && UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature).is_ok()
    }
}

/// True when `text` is a public key of `role`.
#[must_use]
pub fn is_public(role: Role, text: &str) -> bool {
    PublicKey::of(role, text).is_ok()
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut raw = [0; 35];
        if text.len() != PUBLIC_TEXT {
            return Err(Error::KeyLength);
        }
        base32::decode(text.as_bytes(), &mut raw)?;
        let (prefixed, bytes) = (checked(&raw)?, raw.get(1..33));
        let role = prefixed.first().and_then(|&byte| Role::from_byte(byte)).ok_or(Error::UnknownRole)?;
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(Error::KeyLength)?;
        Ok(Self { role, bytes })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut raw = Vec::with_capacity(35);
        raw.push(self.role.byte());
        raw.extend_from_slice(&self.bytes);
        raw.extend_from_slice(&crc16(&raw).to_le_bytes());
        f.write_str(&base32::encode(&raw))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The bytes before the checksum, which must fit.
fn checked(raw: &[u8]) -> Result<&[u8], Error> {
    let (bytes, sum) = raw.split_last_chunk::<2>().ok_or(Error::KeyLength)?;
    if u16::from_le_bytes(*sum) == crc16(bytes) { Ok(bytes) } else { Err(Error::Checksum) }
}

/// A key that can sign. The secret is wiped when the pair is dropped and never shown by `Debug`.
#[derive(Clone)]
pub struct KeyPair {
    role: Role,
    secret: Zeroizing<[u8; 32]>,
}

impl KeyPair {
    /// The pair of `role` whose secret are these bytes; take them from the kernel's random numbers.
    #[must_use]
    pub fn new(role: Role, secret: [u8; 32]) -> Self {
        Self { role, secret: Zeroizing::new(secret) }
    }

    /// Reads a seed, 58 characters beginning with `S`.
    ///
    /// # Errors
    /// [`Error::KeyLength`], [`Error::Encoding`], [`Error::Checksum`], [`Error::NotASeed`], [`Error::UnknownRole`].
    pub fn from_seed(text: &str) -> Result<Self, Error> {
        let mut raw = Zeroizing::new([0; SEED_BYTES]);
        if text.len() != SEED_TEXT {
            return Err(Error::KeyLength);
        }
        base32::decode(text.as_bytes(), &mut *raw)?;
        let &[first, second, ref secret @ ..] = checked(&*raw)? else { return Err(Error::KeyLength) };
        if first & 0xf8 != SEED_PREFIX {
            return Err(Error::NotASeed);
        }
        let role = Role::from_byte(((first & 7) << 5) | (second >> 3)).ok_or(Error::UnknownRole)?;
        let secret = secret.try_into().map_err(|_| Error::KeyLength)?;
        Ok(Self { role, secret: Zeroizing::new(secret) })
    }

    /// The seed in text: as secret as the pair, and the caller's to wipe.
    #[must_use]
    pub fn seed(&self) -> String {
        let byte = self.role.byte();
        let mut raw = Zeroizing::new(Vec::with_capacity(SEED_BYTES));
        raw.extend_from_slice(&[SEED_PREFIX | (byte >> 5), (byte & 31) << 3]);
        raw.extend_from_slice(&*self.secret);
        let sum = crc16(&raw).to_le_bytes();
        raw.extend_from_slice(&sum);
        base32::encode(&raw)
    }

    /// What the pair is for.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    #[cfg(feature = "seal")]
    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The public half. That of a [`Role::Curve`] pair is made by `CurvePair`; here it would be a point of the wrong curve.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let bytes = self.expand().and_then(|pair| pair.public_key().as_ref().try_into().ok());
        PublicKey::new(self.role, bytes.unwrap_or_default())
    }

    /// The signature of `message`, 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.expand().map(|pair| pair.sign(message));
        signature.and_then(|signature| signature.as_ref().try_into().ok()).unwrap_or([0; 64])
    }

    /// `None` never happens: every 32 bytes are a secret.
    fn expand(&self) -> Option<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&*self.secret).ok()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("role", &self.role).finish_non_exhaustive()
    }
}
