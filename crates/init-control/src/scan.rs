//! The automaton of the record grammar: one byte in, at most one mark out.

use crate::Error;

/// Where in a record the automaton is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte.
    Start,
    /// In the record's kind.
    Kind,
    /// After the space before a key.
    KeyStart,
    /// In a key.
    Key,
    /// After `=`.
    ValueStart,
    /// In a value without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// After a backslash.
    Escape,
    /// After `\x`.
    HexHigh,
    /// After `\x` and one digit.
    HexLow,
    /// After the closing quote.
    Closed,
}

/// What a byte completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing; go on.
    Inside,
    /// The kind ends before this byte (a space).
    KindEnd,
    /// The key ends before this byte (an equals sign).
    KeyEnd,
    /// The value ends before this byte (a space).
    ValueEnd,
}

/// The automaton. Feed it a record's bytes one by one, in pieces of any size, then ask [`Scanner::finish`].
#[derive(Clone, Copy, Debug)]
pub struct Scanner {
    state: State,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// An automaton before the first byte.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Start }
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`Error::Syntax`] when no record goes on like this; the automaton is of no more use then.
    pub fn push(&mut self, byte: u8) -> Result<Mark, Error> {
        let (next, mark) = match (self.state, byte) {
            (State::Start | State::Kind, b'a'..=b'z') => (State::Kind, Mark::Inside),
            (State::Kind, b' ') => (State::KeyStart, Mark::KindEnd),
            (State::KeyStart | State::Key, b'a'..=b'z' | b'_') => (State::Key, Mark::Inside),
            (State::Key, b'=') => (State::ValueStart, Mark::KeyEnd),
            (State::ValueStart, b'"') => (State::Quoted, Mark::Inside),
            (State::ValueStart | State::Bare, byte) if is_bare(byte) => (State::Bare, Mark::Inside),
            (State::Bare | State::Closed, b' ') => (State::KeyStart, Mark::ValueEnd),
            (State::Quoted, b'"') => (State::Closed, Mark::Inside),
            (State::Quoted, b'\\') => (State::Escape, Mark::Inside),
            (State::Quoted, 0x20..=0x7e | 0x80..=0xff) => (State::Quoted, Mark::Inside),
            (State::Escape, b'"' | b'\\') => (State::Quoted, Mark::Inside),
            (State::Escape, b'x') => (State::HexHigh, Mark::Inside),
            (State::HexHigh, b'0'..=b'9' | b'a'..=b'f') => (State::HexLow, Mark::Inside),
            (State::HexLow, b'0'..=b'9' | b'a'..=b'f') => (State::Quoted, Mark::Inside),
            (
                State::Start
                | State::Kind
                | State::KeyStart
                | State::Key
                | State::ValueStart
                | State::Bare
                | State::Quoted
                | State::Escape
                | State::HexHigh
                | State::HexLow
                | State::Closed,
                _,
            ) => return Err(Error::Syntax),
        };
        self.state = next;
        Ok(mark)
    }

    /// The mark of the record's end.
    ///
    /// # Errors
    /// [`Error::Syntax`] when the record is not complete.
    pub const fn finish(self) -> Result<Mark, Error> {
        match self.state {
            State::Kind => Ok(Mark::KindEnd),
            State::Bare | State::Closed => Ok(Mark::ValueEnd),
            State::Start
            | State::KeyStart
            | State::Key
            | State::ValueStart
            | State::Quoted
            | State::Escape
            | State::HexHigh
            | State::HexLow => Err(Error::Syntax),
        }
    }
}

/// True for the bytes of a value that needs no quotes.
pub(crate) const fn is_bare(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':' | b'/' | b'@' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(record: &[u8]) -> bool {
        let mut scanner = Scanner::new();
        record.iter().all(|&byte| scanner.push(byte).is_ok()) && scanner.finish().is_ok()
    }

    const GOOD: [&str; 7] = [
        "list",
        "start name=sshd",
        "start name=\"a b\"",
        "error code=77 reason=\"say \\\"why\\\" \\x0a \\\\\"",
        "line text=\"\"",
        "line text=\"\u{fc}\"",
        "service name=a/log pid=1 state=up",
    ];
    const BAD: [&str; 14] = [
        "",
        " list",
        "List",
        "list ",
        "list  a=b",
        "start name",
        "start name=",
        "start =a",
        "a b=\"",
        "a b=\"c\"d",
        "a b=\"\\q\"",
        "a b=\"\\xA0\"",
        "a b=c\n",
        "a b=\"\n\"",
    ];

    #[test]
    fn records_are_told_from_garbage() {
        for record in GOOD {
            assert!(accepts(record.as_bytes()), "{record:?}");
        }
        for record in BAD {
            assert!(!accepts(record.as_bytes()), "{record:?}");
        }
    }

    #[test]
    fn it_agrees_with_the_grammar_written_as_a_regular_expression() {
        let grammar = regex::bytes::Regex::new(
            r#"(?-u)\A[a-z]+( [a-z_]+=([a-zA-Z0-9\-_.:/@+]+|"([\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\["\\]|\\x[0-9a-f]{2})*"))*\z"#,
        )
        .unwrap();
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            let mut record = GOOD[usize::try_from(seed % 7).unwrap()].as_bytes().to_vec();
            for _ in 0..seed % 3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(seed >> 33).unwrap() % record.len();
                record[at] = b"aZ =\"\\x0_\n\xff"[usize::try_from(seed >> 20).unwrap() % 11];
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            assert_eq!(accepts(&record), grammar.is_match(&record), "{:?}", String::from_utf8_lossy(&record));
        }
    }
}
