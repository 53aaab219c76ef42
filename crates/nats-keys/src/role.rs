//! What a key is for.

use std::fmt;

/// What a key is for: the first letter of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `O`: vouches for accounts.
    Operator,
    /// `A`: vouches for users.
    Account,
    /// `U`: connects.
    User,
    /// `N`: a server.
    Server,
    /// `C`: a cluster.
    Cluster,
    /// `X`: seals and opens (x25519).
    Curve,
}

impl Role {
    /// The byte a public key begins with.
    pub(crate) const fn byte(self) -> u8 {
        let letter = match self {
            Self::Account => 0,
            Self::Cluster => 2,
            Self::Server => 13,
            Self::Operator => 14,
            Self::User => 20,
            Self::Curve => 23,
        };
        letter << 3
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte >> 3 {
            _ if byte & 7 != 0 => return None,
            0 => Self::Account,
            2 => Self::Cluster,
            13 => Self::Server,
            14 => Self::Operator,
            20 => Self::User,
            23 => Self::Curve,
            _ => return None,
        })
    }

    /// The role as a noun with its article, for messages.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Operator => "an operator",
            Self::Account => "an account",
            Self::User => "a user",
            Self::Server => "a server",
            Self::Cluster => "a cluster",
            Self::Curve => "a curve",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "operator",
            Self::Account => "account",
            Self::User => "user",
            Self::Server => "server",
            Self::Cluster => "cluster",
            Self::Curve => "curve",
        })
    }
}
