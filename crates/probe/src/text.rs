//! Short text of a medium, always UTF-8, in a fixed place.

use core::fmt;

/// Room for a label or UUID; longer text is cut between two characters.
const ROOM: usize = 256;

/// A label or UUID. Bytes that are no UTF-8 became U+FFFD.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text {
    bytes: [u8; ROOM],
    length: usize,
}

impl Text {
    /// No text.
    pub const EMPTY: Self = Self { bytes: [0; ROOM], length: 0 };

    /// The text up to the first NUL, without trailing white space.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        let mut text = Self::EMPTY;
        for chunk in bytes.get(..end).unwrap_or_default().utf8_chunks() {
            chunk.valid().chars().for_each(|letter| text.push(letter));
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text.trimmed()
    }

    /// UTF-16 code units up to the first zero, without trailing white space.
    #[must_use]
    pub fn from_utf16(units: impl Iterator<Item = u16>) -> Self {
        let mut text = Self::EMPTY;
        for letter in char::decode_utf16(units.take_while(|&unit| unit != 0)) {
            text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        text.trimmed()
    }

    /// 16 bytes in the usual form `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`; empty for all zeros.
    #[must_use]
    pub fn from_uuid(bytes: &[u8]) -> Self {
        let mut text = Self::EMPTY;
        if bytes.iter().all(|&byte| byte == 0) {
            return text;
        }
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_hex(*byte, false);
        }
        text
    }

    /// A FAT serial number: `XXXX-XXXX`.
    #[must_use]
    pub(crate) fn from_serial(serial: u32) -> Self {
        let mut text = Self::EMPTY;
        for (at, byte) in serial.to_be_bytes().into_iter().enumerate() {
            if at == 2 {
                text.push('-');
            }
            text.push_hex(byte, true);
        }
        text
    }

    /// Appends two hexadecimal digits.
    pub(crate) fn push_hex(&mut self, byte: u8, upper: bool) {
        for nibble in [byte >> 4, byte & 15] {
            let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            self.push(if upper { digit.to_ascii_uppercase() } else { digit });
        }
    }

    /// Appends a character when it fits.
    pub(crate) fn push(&mut self, letter: char) {
        let end = self.length + letter.len_utf8();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            letter.encode_utf8(place);
            self.length = end;
        }
    }

    fn trimmed(mut self) -> Self {
        self.length = self.as_str().trim_end().len();
        self
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// True when there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
