//! A whole head, read in place.

use crate::scan::{Malformed, Scanner};
use core::str;

/// The head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The target: path and query.
    pub target: &'a str,
    /// The version, as sent; `HTTP/1.1` of every honest peer.
    pub version: &'a str,
    fields: &'a [u8],
}

impl<'a> Head<'a> {
    /// Reads a head that [`Scanner`] found to be complete.
    ///
    /// # Errors
    /// [`Malformed`] where it is none, where bytes follow it, or where the version is no ASCII text.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if Scanner::new(usize::MAX).feed(bytes)? != Some(bytes.len()) {
            return Err(Malformed);
        }
        let (line, fields) = split(bytes, b'\n').ok_or(Malformed)?;
        let (method, rest) = split(line, b' ').ok_or(Malformed)?;
        let (target, version) = split(rest, b' ').ok_or(Malformed)?;
        let text = |bytes| str::from_utf8(bytes).map_err(|_| Malformed);
        Ok(Self { method: text(method)?, target: text(target)?, version: text(version.trim_ascii_end())?, fields })
    }

    /// The target up to the question mark.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The target after the question mark; empty without one.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// All fields in order: name and value without the blanks around it. Values that are not UTF-8 are left out.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields(self.fields)
    }

    /// The value of the first field called `name`, in any letter case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// The values of all fields called `name`, in any letter case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// True when `token` is among the comma-separated tokens of the fields called `name`, both in any letter case.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|known| known.trim().eq_ignore_ascii_case(token))
    }
}

/// The fields of a [`Head`].
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (line, rest) = split(self.0, b'\n')?;
            self.0 = rest;
            let (name, value) = split(line, b':')?;
            if let (Ok(name), Ok(value)) = (str::from_utf8(name), str::from_utf8(value.trim_ascii())) {
                return Some((name, value));
            }
        }
    }
}

/// What stands before the first `border` and what after it.
fn split(bytes: &[u8], border: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == border)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read() {
        let head = Head::read(
            b"GET /a?b=1?c HTTP/1.1\r\nHost:  x \r\nCookie: a=b\nUPGRADE: x, WebSocket\nbad: \xff\r\ncookie:\r\n\r\n",
        );
        let head = head.unwrap();
        assert_eq!((head.method, head.path(), head.query(), head.version), ("GET", "/a", "b=1?c", "HTTP/1.1"));
        assert_eq!((head.field("HOST"), head.field("bad"), head.field("none")), (Some("x"), None, None));
        assert!(head.has_token("Upgrade", "websocket") && !head.has_token("upgrade", "socket"));
        assert!(head.values("cookie").eq(["a=b", ""]));
        assert_eq!(head.fields().count(), 4);
    }

    #[test]
    fn what_is_no_whole_head_is_refused() {
        for bad in [&b""[..], b"GET / H\r\n", b"GET / H\r\n\r\nx", b"GET / \xff\r\n\r\n", b"GET /\r\n\r\n"] {
            assert_eq!(Head::read(bad), Err(Malformed), "{}", bad.escape_ascii());
        }
        assert_eq!(Head::read(b"GET / \r\n\r\n").unwrap().version, "");
    }
}
