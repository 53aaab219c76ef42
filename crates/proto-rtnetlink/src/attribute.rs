//! Attributes: type, length, value.

use crate::{padded, u16_at, u32_at};

/// Bits of an attribute's type that say how to read it, not what it is (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
const TYPE_MASK: u16 = 0x3fff;

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// What it is, in the terms of the message it is in.
    pub kind: u16,
    /// Its value, without padding.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The value as a number of 4 bytes.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        if self.value.len() == 4 { u32_at(self.value, 0) } else { None }
    }

    /// The value as text, without the NUL that ends it.
    #[must_use]
    pub fn text(self) -> &'a [u8] {
        let end = self.value.iter().position(|&byte| byte == 0).unwrap_or(self.value.len());
        self.value.get(..end).unwrap_or_default()
    }

    /// The attributes inside this one.
    #[must_use]
    pub fn nested(self) -> Attributes<'a> {
        Attributes::new(self.value)
    }
}

/// The attributes of a message, in order. One that claims more than there is ends them.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Reads attributes from `bytes`, the first at its beginning.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The last attribute of a kind: a later one replaces an earlier one, as in the kernel's own parser.
    #[must_use]
    pub fn find(self, kind: u16) -> Option<Attribute<'a>> {
        self.filter(|attribute| attribute.kind == kind).last()
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let len = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & TYPE_MASK;
        let Some(value) = self.0.get(4..len) else {
            self.0 = &[];
            return None;
        };
        self.0 = self.0.get(padded(len)..).unwrap_or_default();
        Some(Attribute { kind, value })
    }
}
