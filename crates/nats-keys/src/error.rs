//! Why a key, token or file is none.

use std::fmt;

/// What is wrong. Never holds anything secret: of a seed or token only its kind is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A letter outside the alphabet, or a length that no number of bytes has.
    Encoding,
    /// Longer or shorter than a key.
    KeyLength,
    /// The checksum at the end of a key does not fit.
    Checksum,
    /// A key begins with a byte that stands for no role.
    UnknownRole,
    /// Text that should be a seed is none.
    NotASeed,
    /// A key of another role than expected, such as `user`.
    WrongRole(&'static str),
    /// A token has not three parts.
    Parts,
    /// Longer than [`TOKEN_BYTES_MAX`](crate::TOKEN_BYTES_MAX).
    TooLong,
    /// The header names another type than `JWT`, or another algorithm than `ed25519-nkey`.
    Header,
    /// Header or claims are not the JSON expected; the text names the place.
    Json(String),
    /// A claim has the wrong type or an impossible value; holds its name.
    Claim(String),
    /// Claims of another type than asked for; holds the type found.
    Type(String),
    /// A version of the claims that is not known.
    Version(i64),
    /// The issuer did not sign this.
    Signature,
    /// The issuer is of a role that may not issue such claims.
    Issuer,
    /// A credentials file lacks a part; names it.
    Missing(&'static str),
    /// What was sealed cannot be opened: another key, another sender, or changed bytes.
    #[cfg(feature = "seal")]
    Sealed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("invalid encoding"),
            Self::KeyLength => f.write_str("invalid length of a key"),
            Self::Checksum => f.write_str("invalid checksum of a key"),
            Self::UnknownRole => f.write_str("invalid prefix of a key"),
            Self::NotASeed => f.write_str("not a seed"),
            Self::WrongRole(wanted) => write!(f, "not the key of {wanted}"),
            Self::Parts => f.write_str("token has not three parts"),
            Self::TooLong => f.write_str("token is too long"),
            Self::Header => f.write_str("token is no JWT signed with ed25519-nkey"),
            Self::Json(text) => write!(f, "token holds no proper JSON: {text}"),
            Self::Claim(name) => write!(f, "invalid claim {name:?}"),
            Self::Type(found) => write!(f, "claims of type {found:?} are not expected"),
            Self::Version(version) => write!(f, "claims of version {version} are not supported"),
            Self::Signature => f.write_str("signature does not fit"),
            Self::Issuer => f.write_str("issuer may not sign such claims"),
            Self::Missing(part) => write!(f, "credentials without {part}"),
            #[cfg(feature = "seal")]
            Self::Sealed => f.write_str("cannot be opened with these keys"),
        }
    }
}

impl std::error::Error for Error {}
