//! The grammar as an automaton: one pass over the bytes, in as many pieces as they come.

use core::fmt;

/// Which of the forms the bytes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `action@devpath NUL` and properties, each ended by NUL.
    Datagram,
    /// Properties only, each ended by NUL (behind udevd's header).
    Properties,
    /// Properties only, each ended by a line feed; the last may lack it.
    File,
}

/// What is wrong with the bytes, and where they are wrong for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset of the offending byte from the start; the length when the end came too early.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: expected {}", self.offset, self.expected)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first letter of the action.
    Start,
    /// In the action.
    Action,
    /// Right behind the `@`.
    PathStart,
    /// In the devpath.
    Path,
    /// Before a property, or at the end.
    KeyStart,
    /// In a key.
    Key,
    /// In a value.
    Value,
}

/// Checks a message byte by byte. Cutting the input anywhere gives the same result.
#[derive(Clone, Debug)]
pub struct Scanner {
    state: State,
    separator: u8,
    offset: usize,
}

impl Scanner {
    /// A scanner at the first byte.
    #[must_use]
    pub const fn new(shape: Shape) -> Self {
        let (state, separator) = match shape {
            Shape::Datagram => (State::Start, 0),
            Shape::Properties => (State::KeyStart, 0),
            Shape::File => (State::KeyStart, b'\n'),
        };
        Self { state, separator, offset: 0 }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// The first byte that does not belong; the scanner stays there.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Fault> {
        for &byte in piece {
            self.state = self.next(byte).map_err(|expected| Fault { offset: self.offset, expected })?;
            self.offset += 1;
        }
        Ok(())
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// The message ends in the middle of something.
    pub fn finish(&self) -> Result<(), Fault> {
        let expected = match self.state {
            State::KeyStart => return Ok(()),
            State::Value if self.separator == b'\n' => return Ok(()),
            State::Value | State::Path => "NUL",
            State::Start | State::Action => "action@devpath",
            State::PathStart => "devpath",
            State::Key => "=",
        };
        Err(Fault { offset: self.offset, expected })
    }

    fn next(&self, byte: u8) -> Result<State, &'static str> {
        match (self.state, byte) {
            (State::Start | State::Action, b'a'..=b'z') => Ok(State::Action),
            (State::Action, b'@') => Ok(State::PathStart),
            (State::Start | State::Action, _) => Err("action@devpath"),
            (State::PathStart, b'/') => Ok(State::Path),
            (State::PathStart, _) => Err("/"),
            (State::Path, 0) => Ok(State::KeyStart),
            (State::Path, _) => Ok(State::Path),
            (State::KeyStart | State::Key, b'!'..=b'<' | b'>'..=b'~') => Ok(State::Key),
            (State::Key, b'=') => Ok(State::Value),
            (State::KeyStart | State::Key, _) => Err("KEY=value"),
            (State::Value, byte) if byte == self.separator => Ok(State::KeyStart),
            (State::Value, 0) => Err("text"),
            (State::Value, _) => Ok(State::Value),
        }
    }
}
