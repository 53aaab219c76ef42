//! Where a head ends.

use core::fmt;

/// Longest target and method of all.
const TARGET_MAX: usize = 2048;
const METHOD_MAX: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Method,
    Target,
    Version,
    LineStart,
    Name,
    Value,
    /// After a CR at the beginning of a line.
    LastReturn,
    Over,
}

/// What is no head, or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the head of the request is malformed or too long")
    }
}

impl core::error::Error for Malformed {}

/// A head under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanner {
    state: State,
    len: usize,
    /// Bytes of the method, then of the target.
    part: usize,
    len_max: usize,
}

impl Scanner {
    /// A scanner for a head of at most `len_max` bytes.
    #[must_use]
    pub const fn new(len_max: usize) -> Self {
        Self { state: State::Method, len: 0, part: 0, len_max }
    }

    /// Takes the next bytes. Returns how many of them belong to the head once it is complete; `None` while it is not.
    ///
    /// # Errors
    /// [`Malformed`] at the first byte that cannot be part of a head, or that is one too many.
    pub fn feed(&mut self, input: &[u8]) -> Result<Option<usize>, Malformed> {
        for (place, &byte) in input.iter().enumerate() {
            self.len += 1;
            self.state = self.step(byte).filter(|_| self.len <= self.len_max).ok_or(Malformed)?;
            if self.state == State::Over {
                return Ok(Some(place + 1));
            }
        }
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Option<State> {
        self.part += 1;
        let next = match (self.state, byte) {
            (State::Method, b'A'..=b'Z' | b'a'..=b'z') if self.part <= METHOD_MAX => State::Method,
            (State::Method, b' ') if self.part > 1 => self.begin(State::Target),
            (State::Target, b'!'..=b'~') if self.part <= TARGET_MAX => State::Target,
            (State::Target, b' ') if self.part > 1 => State::Version,
            (State::Version | State::Value, b'\n') => State::LineStart,
            (State::Version, _) => State::Version,
            (State::Value, _) => State::Value,
            (State::LineStart | State::LastReturn, b'\n') => State::Over,
            (State::LineStart, b'\r') => State::LastReturn,
            (State::LineStart | State::Name, byte) if is_token(byte) => State::Name,
            (State::Name, b':') => State::Value,
            (State::Method | State::Target | State::LineStart | State::Name | State::LastReturn | State::Over, _) => {
                return None;
            }
        };
        Some(next)
    }

    fn begin(&mut self, state: State) -> State {
        self.part = 0;
        state
    }
}

/// A `tchar` of RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&[u8], usize)] = &[
        (b"GET /varz HTTP/1.1\r\nHost: x\r\n\r\n", 31),
        (b"GET /varz HTTP/1.0\n\n", 20),
        (b"HEAD /connz?subs=1&x HTTP/1.1\r\n\r\nrest", 33),
        (b"get / HTTP/1.1\r\nA:\r\nB: x:y\r\n\r\n", 30),
    ];

    #[test]
    fn heads_good_and_bad() {
        for &(text, len) in GOOD {
            assert_eq!(Scanner::new(8192).feed(text), Ok(Some(len)), "{}", text.escape_ascii());
        }
        for unfinished in [&b""[..], b"GET /varz HTTP/1.1\r\nHost: x\r\n", b"G", b"GET / x\n\r"] {
            assert_eq!(Scanner::new(8192).feed(unfinished), Ok(None), "{}", unfinished.escape_ascii());
        }
        for bad in [
            &b" "[..],
            b"GET  ",
            b"\r\n",
            b"GET /\x00 ",
            b"GET /\r\n",
            b"\x16\x03",
            b"METHODTHATISTOOLONG",
            b"GET / x\n: y",
            b"GET / x\nbad header\r",
            b"GET / x\n folded",
            b"GET / x\n\rx",
        ] {
            assert_eq!(Scanner::new(8192).feed(bad), Err(Malformed), "{}", bad.escape_ascii());
        }
        assert_eq!(Scanner::new(8192).feed(&[b'x'; 17]), Err(Malformed));
        let mut scanner = Scanner::new(8192);
        assert_eq!(scanner.feed(b"GET /"), Ok(None));
        assert_eq!(scanner.feed(&[b'x'; TARGET_MAX]), Err(Malformed));
        let mut scanner = Scanner::new(20);
        assert_eq!((scanner.feed(b"GET / H\r\na: b"), scanner.feed(&[b'x'; 9])), (Ok(None), Err(Malformed)));
    }

    #[test]
    fn every_cut_ends_at_the_same_byte() {
        for &(text, len) in GOOD {
            for cut in 0..len {
                let mut scanner = Scanner::new(8192);
                assert_eq!(scanner.feed(&text[..cut]), Ok(None));
                assert_eq!(scanner.feed(&text[cut..]), Ok(Some(len - cut)));
            }
        }
    }
}
