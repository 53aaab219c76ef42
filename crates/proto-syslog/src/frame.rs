//! Syslog over a stream (RFC 6587): each message has its length in front, or ends with a line feed (or NUL); both may alternate.
//!
//! The automaton says where messages begin and end in what is fed; the bytes stay the caller's. A message longer than the limit is cut:
//! the first part is given, the rest is skipped and counted.

/// Digits of a length that is believed.
const LENGTH_DIGITS: u32 = 9;

/// What the bytes at the beginning of the input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes belong to no message: a length, a line end, or the rest of a message that was cut.
    Skip(usize),
    /// A message begins with this number in decimal digits: they were taken for its length, but it has none.
    Digits(usize),
    /// So many bytes are the next part of a message; it goes on.
    Part(usize),
    /// So many bytes (perhaps none) are the last part of a message. `cut`: it was longer than allowed.
    End {
        /// Bytes.
        len: usize,
        /// So many bytes after them belong to the message, too, but are above the limit.
        skip: usize,
        /// The message was longer than allowed; the rest of it is thrown away.
        cut: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a message.
    Between,
    /// In the digits of a length: its value, and how many digits there were.
    Length(usize, u32),
    /// In a message of known length: how much is missing, and how much was given.
    Counted(usize, usize),
    /// In a message that ends with its line: how much was given, and whether more was thrown away.
    Line(usize, bool),
}

/// Finds the messages of one stream.
#[derive(Clone, Copy, Debug)]
pub struct Framer {
    state: State,
    message_max: usize,
}

impl Framer {
    /// A stream whose messages have at most `message_max` bytes.
    #[must_use]
    pub const fn new(message_max: usize) -> Self {
        Self { state: State::Between, message_max }
    }

    /// Looks at the beginning of `input`; `None` when it is empty. The caller feeds what follows next.
    pub fn step(&mut self, input: &[u8]) -> Option<Step> {
        let &first = input.first()?;
        Some(match self.state {
            State::Between => self.begin(first),
            State::Length(length, digits) => self.length(length, digits, first),
            State::Counted(missing, given) => self.counted(missing, given, input.len()),
            State::Line(given, cut) => self.line(given, cut, input),
        })
    }

    /// The stream is over. True when a message was under way: what was given of it is all there is.
    pub fn finish(&mut self) -> bool {
        let open = matches!(self.state, State::Counted(_, 1..) | State::Line(1.., _));
        self.state = State::Between;
        open
    }

    fn begin(&mut self, first: u8) -> Step {
        match first {
            b'\n' | b'\r' | 0 | b' ' => Step::Skip(1),
            b'1'..=b'9' => {
                self.state = State::Length(usize::from(first - b'0'), 1);
                Step::Skip(1)
            }
            _ => {
                self.state = State::Line(0, false);
                Step::Part(0)
            }
        }
    }

    fn length(&mut self, length: usize, digits: u32, byte: u8) -> Step {
        match byte {
            b'0'..=b'9' if digits < LENGTH_DIGITS => {
                self.state = State::Length(length * 10 + usize::from(byte - b'0'), digits + 1);
                Step::Skip(1)
            }
            b' ' => {
                self.state = State::Counted(length, 0);
                Step::Skip(1)
            }
            // A line that happens to begin with digits. The first is not 0, so the number says them all.
            _ => {
                self.state = State::Line(digits as usize, false);
                Step::Digits(length)
            }
        }
    }

    fn counted(&mut self, missing: usize, given: usize, available: usize) -> Step {
        let (here, room) = (missing.min(available), self.message_max - given.min(self.message_max));
        if room == 0 {
            self.state = State::Counted(missing - here, given);
            return if here == missing { self.end(0, here, true) } else { Step::Skip(here) };
        }
        let len = here.min(room);
        if len == missing {
            return self.end(len, 0, false);
        }
        self.state = State::Counted(missing - len, given + len);
        Step::Part(len)
    }

    fn line(&mut self, given: usize, cut: bool, input: &[u8]) -> Step {
        let end = input.iter().position(|&byte| byte == b'\n' || byte == 0);
        let (here, room) = (end.unwrap_or(input.len()), self.message_max - given.min(self.message_max));
        if here == 0 {
            return self.end(0, 0, cut);
        }
        if room == 0 {
            self.state = State::Line(given, true);
            return Step::Skip(here);
        }
        let len = here.min(room);
        self.state = State::Line(given + len, cut);
        Step::Part(len)
    }

    fn end(&mut self, len: usize, skip: usize, cut: bool) -> Step {
        self.state = State::Between;
        Step::End { len, skip, cut }
    }
}
