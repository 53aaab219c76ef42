//! Short texts without memory of their own.

use alloc::boxed::Box;
use core::fmt;

/// Bytes kept in place.
const INLINE: usize = 14;

/// Some bytes in 16: up to 14 of them stand in it, more are elsewhere. A million short tokens cost no allocation.
pub struct Text(Kind);

enum Kind {
    Short {
        len: u8,
        bytes: [u8; INLINE],
    },
    /// A thin pointer: a wide one would make every text larger.
    Long(Box<Box<[u8]>>),
}

impl Text {
    /// A copy of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut short = [0; INLINE];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(bytes);
                Self(Kind::Short { len, bytes: short })
            }
            (Some(_) | None, Ok(_) | Err(_)) => Self(Kind::Long(Box::new(bytes.into()))),
        }
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kind::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Kind::Long(bytes) => bytes,
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Kind::Short { len: 0, bytes: [0; INLINE] })
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_kept() {
        let all: alloc::vec::Vec<u8> = (0..=255).collect();
        for len in 0..all.len() {
            assert_eq!(Text::new(&all[..len]).as_bytes(), &all[..len]);
        }
        assert_eq!((size_of::<Text>(), Text::default().as_bytes()), (16, &b""[..]));
    }
}
