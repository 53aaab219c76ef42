//! Header blocks of HPUB and HMSG (NATS ADR-4): a version line, optionally with a status, then `Key: value` lines and an empty one.
//!
//! ```
//! use nats_proto::headers::{Builder, Headers};
//! let block = Builder::new().add("Nats-Service-Error-Code", "404")?.finish();
//! assert_eq!(block, b"NATS/1.0\r\nNats-Service-Error-Code: 404\r\n\r\n");
//! let read = Headers::parse(b"NATS/1.0 503\r\nNats-Subject: ps.calibre\r\n\r\n")?;
//! assert_eq!(read.status(), Some(503));
//! assert_eq!(read.get("Nats-Subject"), Some(&b"ps.calibre"[..]));
//! # Ok::<(), nats_proto::headers::Error>(())
//! ```

use crate::number::parse_size;
use alloc::vec::Vec;
use core::fmt;

const VERSION: &[u8] = b"NATS/1.0";

/// Why a header block cannot be read or built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The block does not begin with `NATS/1.0` and a blank or line end.
    Version,
    /// The status is not a number of three digits.
    Status,
    /// A line without colon or with an empty key.
    Field,
    /// The block does not end with an empty line, or goes on after one.
    End,
    /// A key or value given to the builder holds a control character, or the key a colon or blank.
    Forbidden,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "header block does not begin with NATS/1.0",
            Self::Status => "header status is not a number of three digits",
            Self::Field => "header line is not `key: value`",
            Self::End => "header block does not end with an empty line",
            Self::Forbidden => "header key or value holds a forbidden character",
        })
    }
}

impl core::error::Error for Error {}

/// A header block that was found to be well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    status: Option<u16>,
    description: &'a [u8],
    fields: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Reads a block, as [`crate::server::Op::Message`] carries it. An empty slice is an empty block.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(block: &'a [u8]) -> Result<Self, Error> {
        if block.is_empty() {
            return Ok(Self { status: None, description: b"", fields: b"" });
        }
        let after = block.strip_prefix(VERSION).ok_or(Error::Version)?;
        let (first, mut rest) = split_line(after).ok_or(Error::End)?;
        if first.first().is_some_and(|&byte| byte != b' ') {
            return Err(Error::Version);
        }
        let (status, description) = read_status(first.trim_ascii())?;
        let fields = rest;
        loop {
            let (line, next) = split_line(rest).ok_or(Error::End)?;
            if line.is_empty() {
                return if next.is_empty() { Ok(Self { status, description, fields }) } else { Err(Error::End) };
            }
            split_field(line).ok_or(Error::Field)?;
            rest = next;
        }
    }

    /// The status of the version line, 503 for "no responders".
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The text after the status; empty when there is none.
    #[must_use]
    pub fn description(&self) -> &'a [u8] {
        self.description
    }

    /// The first value of `key`, compared exactly, without the blanks around it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a [u8]> {
        self.iter().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
    }

    /// All fields in order; a key may come more than once.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.fields;
        core::iter::from_fn(move || {
            let (line, next) = split_line(rest)?;
            rest = next;
            split_field(line)
        })
    }
}

fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memmem::find(text, b"\r\n")?;
    Some((text.get(..end)?, text.get(end + 2..)?))
}

fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line).filter(|&colon| colon > 0)?;
    Some((line.get(..colon)?, line.get(colon + 1..)?.trim_ascii()))
}

fn read_status(text: &[u8]) -> Result<(Option<u16>, &[u8]), Error> {
    if text.is_empty() {
        return Ok((None, b""));
    }
    let (code, description) = match memchr::memchr(b' ', text) {
        Some(blank) => text.split_at_checked(blank).ok_or(Error::Status)?,
        None => (text, &b""[..]),
    };
    let status = parse_size(code).filter(|_| code.len() == 3).and_then(|code| u16::try_from(code).ok());
    Ok((Some(status.ok_or(Error::Status)?), description.trim_ascii()))
}

/// Builds a header block.
#[derive(Clone, Debug)]
pub struct Builder(Vec<u8>);

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A block without status.
    #[must_use]
    pub fn new() -> Self {
        let mut block = VERSION.to_vec();
        block.extend_from_slice(b"\r\n");
        Self(block)
    }

    /// A block with a status of three digits and, when it is not empty, a description.
    ///
    /// # Errors
    /// [`Error::Status`], or [`Error::Forbidden`] for control characters in the description.
    pub fn with_status(status: u16, description: &str) -> Result<Self, Error> {
        if !(100..1000).contains(&status) {
            return Err(Error::Status);
        }
        let mut block = VERSION.to_vec();
        block.push(b' ');
        crate::encode::decimal(&mut block, u64::from(status));
        if !description.is_empty() {
            block.push(b' ');
            push_text(&mut block, description)?;
        }
        block.extend_from_slice(b"\r\n");
        Ok(Self(block))
    }

    /// Adds a field; a key may be added more than once.
    ///
    /// # Errors
    /// [`Error::Field`] for an empty key, [`Error::Forbidden`] for control characters, or a colon or blank in the key.
    pub fn add(mut self, key: &str, value: &str) -> Result<Self, Error> {
        if key.is_empty() {
            return Err(Error::Field);
        }
        if key.bytes().any(|byte| byte == b':' || byte == b' ') {
            return Err(Error::Forbidden);
        }
        push_text(&mut self.0, key)?;
        self.0.extend_from_slice(b": ");
        push_text(&mut self.0, value)?;
        self.0.extend_from_slice(b"\r\n");
        Ok(self)
    }

    /// The block, with its empty line.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"\r\n");
        self.0
    }
}

fn push_text(block: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(Error::Forbidden);
    }
    block.extend_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_good_and_bad() {
        type Good = (&'static [u8], Option<u16>, &'static [u8], usize);
        let good: [Good; 6] = [
            (b"", None, b"", 0),
            (b"NATS/1.0\r\n\r\n", None, b"", 0),
            (b"NATS/1.0 503\r\n\r\n", Some(503), b"", 0),
            (b"NATS/1.0 100 Idle Heartbeat\r\n\r\n", Some(100), b"Idle Heartbeat", 0),
            (b"NATS/1.0\r\nA:1\r\nA: 2 \r\nb:\r\n\r\n", None, b"", 3),
            (b"NATS/1.0 404 No: x\r\nK: v:w\r\n\r\n", Some(404), b"No: x", 1),
        ];
        for (block, status, description, fields) in good {
            let read = Headers::parse(block).unwrap();
            assert_eq!((read.status(), read.description(), read.iter().count()), (status, description, fields));
        }
        let bad: [(&[u8], Error); 8] = [
            (b"HTTP/1.0\r\n\r\n", Error::Version),
            (b"NATS/1.01\r\n\r\n", Error::Version),
            (b"NATS/1.0", Error::End),
            (b"NATS/1.0\r\n", Error::End),
            (b"NATS/1.0\r\n\r\nmore", Error::End),
            (b"NATS/1.0 5x3\r\n\r\n", Error::Status),
            (b"NATS/1.0\r\nno colon\r\n\r\n", Error::Field),
            (b"NATS/1.0\r\n: v\r\n\r\n", Error::Field),
        ];
        for (block, error) in bad {
            assert_eq!(Headers::parse(block), Err(error));
        }
    }

    #[test]
    fn what_is_built_is_read_back_and_what_would_break_out_is_refused() {
        let block = Builder::with_status(503, "").unwrap().add("Nats-Subject", "a.b").unwrap().finish();
        assert_eq!(block, b"NATS/1.0 503\r\nNats-Subject: a.b\r\n\r\n");
        let read = Headers::parse(&block).unwrap();
        assert_eq!(
            (read.status(), read.get("Nats-Subject"), read.get("nats-subject")),
            (Some(503), Some(&b"a.b"[..]), None)
        );
        assert_eq!(Builder::new().add("k", "v\r\nX: y").unwrap_err(), Error::Forbidden);
        assert_eq!(Builder::new().add("k:", "v").unwrap_err(), Error::Forbidden);
        assert_eq!(Builder::new().add("", "v").unwrap_err(), Error::Field);
        assert_eq!(Builder::with_status(42, "").unwrap_err(), Error::Status);
    }
}
