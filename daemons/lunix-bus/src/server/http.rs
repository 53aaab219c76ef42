//! The head of an HTTP request, read byte by byte.
//!
//! ```text
//! head         = request-line *field CRLF
//! request-line = method SP target SP version CRLF    ; version is not looked at
//! field        = *( any but LF ) LF
//! ```
//! A line may also end with LF alone. Bodies are not read: no page takes one.

/// Longest head, and longest target in it.
const HEAD_MAX: usize = 8192;
const TARGET_MAX: usize = 2048;
/// Longest method of all.
const METHOD_MAX: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Method,
    Target,
    Version,
    LineStart,
    /// After a CR at the beginning of a line.
    LastReturn,
    Field,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
}

/// A head under way.
#[derive(Debug)]
pub(super) struct Head {
    state: State,
    len: usize,
    method: Vec<u8>,
    target: Vec<u8>,
}

/// A head that is none, or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Head {
    pub(super) fn new() -> Self {
        Self { state: State::Method, len: 0, method: Vec::new(), target: Vec::new() }
    }

    /// Takes bytes. Returns the request once its head is complete; what follows is of no interest.
    pub(super) fn feed(&mut self, input: &[u8]) -> Result<Option<Request>, Malformed> {
        for &byte in input {
            self.len += 1;
            if self.len > HEAD_MAX || self.method.len() > METHOD_MAX || self.target.len() > TARGET_MAX {
                return Err(Malformed);
            }
            if self.step(byte)? {
                return Ok(Some(self.request()));
            }
        }
        Ok(None)
    }

    /// True when the head is complete.
    fn step(&mut self, byte: u8) -> Result<bool, Malformed> {
        self.state = match (self.state, byte) {
            (State::Method, b'A'..=b'Z') => {
                self.method.push(byte);
                State::Method
            }
            (State::Method, b' ') if !self.method.is_empty() => State::Target,
            (State::Target, b' ') if !self.target.is_empty() => State::Version,
            (State::Target, b'!'..=b'~') => {
                self.target.push(byte);
                State::Target
            }
            (State::Method | State::Target, _) => return Err(Malformed),
            (State::Version | State::Field, b'\n') => State::LineStart,
            (State::Version, _) => State::Version,
            (State::LineStart | State::LastReturn, b'\n') => return Ok(true),
            (State::LineStart, b'\r') => State::LastReturn,
            (State::LineStart | State::LastReturn | State::Field, _) => State::Field,
        };
        Ok(false)
    }

    fn request(&self) -> Request {
        let target = String::from_utf8_lossy(&self.target);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let method = String::from_utf8_lossy(&self.method).into_owned();
        Request { method, path: path.to_owned(), query: query.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Option<(String, String, String)>, Malformed> {
        Ok(Head::new().feed(text)?.map(|request| (request.method, request.path, request.query)))
    }

    #[test]
    fn heads_good_and_bad() {
        let some = |method: &str, path: &str, query: &str| Ok(Some((method.into(), path.into(), query.into())));
        assert_eq!(read(b"GET /varz HTTP/1.1\r\nHost: x\r\n\r\n"), some("GET", "/varz", ""));
        assert_eq!(read(b"GET /varz HTTP/1.0\n\n"), some("GET", "/varz", ""));
        assert_eq!(read(b"HEAD /connz?subs=1&x HTTP/1.1\r\n\r\nrest"), some("HEAD", "/connz", "subs=1&x"));
        assert_eq!(read(b"GET /varz HTTP/1.1\r\nHost: x\r\n"), Ok(None));
        assert_eq!(read(b""), Ok(None));
        for bad in [&b"get / HTTP/1.1\r\n\r\n"[..], b" ", b"GET  ", b"\r\n", b"GET /\x00 ", b"GET /\r\n", b"\x16\x03"] {
            assert_eq!(read(bad), Err(Malformed), "{}", bad.escape_ascii());
        }
        assert_eq!(read(&[b"GET /", [b'x'; TARGET_MAX + 1].as_slice(), b" "].concat()), Err(Malformed));
        assert_eq!(read(&[b"GET / H\r\n".as_slice(), &b"a: b\r\n".repeat(HEAD_MAX)].concat()), Err(Malformed));
    }

    #[test]
    fn every_cut_reads_the_same() {
        let text = b"GET /subsz?subs=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
        let whole = Head::new().feed(text).unwrap();
        assert!(whole.is_some());
        for cut in 0..text.len() {
            let mut head = Head::new();
            assert_eq!(head.feed(&text[..cut]), Ok(None));
            assert_eq!(head.feed(&text[cut..]).unwrap(), whole);
        }
    }
}
