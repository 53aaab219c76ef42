//! Records: reading their fields in place, writing them into a fixed buffer.

use crate::Error;
use crate::scan::{Mark, Scanner, is_bare};
use std::fmt;

/// A value as it stands in a record: quotes removed, escapes still in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The value's bytes with the escapes undone.
    pub fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        let mut rest = self.0.iter().copied();
        std::iter::from_fn(move || match rest.next()? {
            b'\\' => match rest.next()? {
                b'x' => Some((hex(rest.next()?) << 4) | hex(rest.next()?)),
                other => Some(other),
            },
            byte => Some(byte),
        })
    }

    /// The value when it has no escapes and is UTF-8, as names and words are.
    #[must_use]
    pub fn word(self) -> Option<&'a str> {
        if self.0.contains(&b'\\') { None } else { std::str::from_utf8(self.0).ok() }
    }

    /// The value as a number.
    #[must_use]
    pub fn number<N: std::str::FromStr>(self) -> Option<N> {
        self.word()?.parse().ok()
    }
}

/// Shows the value with the escapes undone; bytes that are not UTF-8 become U+FFFD.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = self.word() {
            return f.write_str(word);
        }
        let bytes: Vec<u8> = self.bytes().collect();
        f.write_str(&String::from_utf8_lossy(&bytes))
    }
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        // The automaton let only the digits above pass.
        _ => 0,
    }
}

/// A record cut into its parts, after the automaton has accepted it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    kind: &'a str,
    fields: &'a [u8],
}

impl<'a> Record<'a> {
    /// Checks a whole record.
    ///
    /// # Errors
    /// [`Error::Syntax`] when the bytes are not one record of the grammar.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut scanner = Scanner::new();
        let mut kind_end = bytes.len();
        for (at, &byte) in bytes.iter().enumerate() {
            if scanner.push(byte)? == Mark::KindEnd {
                kind_end = at;
            }
        }
        scanner.finish()?;
        let (kind, fields) = bytes.split_at_checked(kind_end).ok_or(Error::Syntax)?;
        Ok(Self { kind: std::str::from_utf8(kind).map_err(|_| Error::Syntax)?, fields })
    }

    /// The first word.
    #[must_use]
    pub const fn kind(&self) -> &'a str {
        self.kind
    }

    /// The first value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Text<'a>> {
        self.fields().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Keys and values in the order of the record.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Text<'a>)> + use<'a> {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            let field = rest.strip_prefix(b" ")?;
            let equals = field.iter().position(|&byte| byte == b'=')?;
            let (key, value) = (field.get(..equals)?, field.get(equals + 1..)?);
            let quoted = value.first() == Some(&b'"');
            let (value, after) = if quoted { close_quote(value.get(1..)?)? } else { cut_at_space(value) };
            rest = after;
            Some((std::str::from_utf8(key).ok()?, Text(value)))
        })
    }
}

fn cut_at_space(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    value.split_at_checked(end).unwrap_or((value, &[]))
}

/// The text up to the closing quote, and what follows the quote.
fn close_quote(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// Writes one record into a fixed buffer.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    length: usize,
    full: bool,
}

impl<'b> Writer<'b> {
    /// Starts a record of `kind` (lower-case letters).
    pub fn new(buffer: &'b mut [u8], kind: &str) -> Self {
        let mut writer = Self { buffer, length: 0, full: false };
        writer.raw(kind.as_bytes());
        writer
    }

    /// Adds a field, quoted where it must be.
    #[must_use]
    pub fn field(mut self, key: &str, value: &[u8]) -> Self {
        self.key(key);
        if !value.is_empty() && value.iter().all(|&byte| is_bare(byte)) {
            self.raw(value);
            return self;
        }
        self.raw(b"\"");
        for &byte in value {
            match byte {
                b'"' => self.raw(b"\\\""),
                b'\\' => self.raw(b"\\\\"),
                0x20..=0x7e | 0x80..=0xff => self.raw(&[byte]),
                0..=0x1f | 0x7f => self.raw(&[b'\\', b'x', digit(byte >> 4), digit(byte & 15)]),
            }
        }
        self.raw(b"\"");
        self
    }

    /// Adds a field that is a number.
    #[must_use]
    pub fn number(mut self, key: &str, value: impl Into<i128>) -> Self {
        self.key(key);
        let value = value.into();
        if value < 0 {
            self.raw(b"-");
        }
        let (mut digits, mut count, mut rest) = ([0_u8; 40], 0, value.unsigned_abs());
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            (rest, count) = (rest / 10, count + 1);
            if rest == 0 {
                break;
            }
        }
        self.raw(digits.get(digits.len() - count..).unwrap_or_default());
        self
    }

    /// Adds a field when there is a value.
    #[must_use]
    pub fn optional(self, key: &str, value: Option<&[u8]>) -> Self {
        match value {
            Some(value) => self.field(key, value),
            None => self,
        }
    }

    /// Adds a number when there is one.
    #[must_use]
    pub fn optional_number(self, key: &str, value: Option<impl Into<i128>>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self,
        }
    }

    /// The finished record.
    ///
    /// # Errors
    /// [`Error::Space`] when the buffer was too small.
    pub fn finish(self) -> Result<&'b [u8], Error> {
        if self.full { Err(Error::Space) } else { self.buffer.get(..self.length).ok_or(Error::Space) }
    }

    fn key(&mut self, key: &str) {
        self.raw(b" ");
        self.raw(key.as_bytes());
        self.raw(b"=");
    }

    fn raw(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        match self.buffer.get_mut(self.length..end) {
            Some(slot) => {
                slot.iter_mut().zip(bytes).for_each(|(place, &byte)| *place = byte);
                self.length = end;
            }
            None => self.full = true,
        }
    }
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let every: Vec<u8> = (0..=255).collect();
        let mut buffer = [0; 2048];
        let record = Writer::new(&mut buffer, "line")
            .field("text", &every)
            .field("empty", b"")
            .number("low", i64::MIN)
            .number("zero", 0)
            .optional("none", None)
            .finish()
            .unwrap();
        let record = Record::parse(record).unwrap();
        assert_eq!(record.kind(), "line");
        assert_eq!(record.get("text").unwrap().bytes().collect::<Vec<u8>>(), every);
        assert_eq!(record.get("empty").unwrap().word(), Some(""));
        assert_eq!(record.get("low").unwrap().number(), Some(i64::MIN));
        assert_eq!(record.get("zero").unwrap().number(), Some(0));
        assert!(record.get("none").is_none());
        assert_eq!(record.fields().count(), 4);
    }

    #[test]
    fn a_record_that_does_not_fit_is_an_error_not_a_half() {
        let mut buffer = [0; 8];
        assert!(matches!(Writer::new(&mut buffer, "line").field("text", b"long").finish(), Err(Error::Space)));
    }
}
