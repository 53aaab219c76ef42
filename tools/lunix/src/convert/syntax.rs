//! The text of a unit file, as a stream of sections and assignments (`man 7 systemd.syntax`).
//!
//! ```abnf
//! file       = *( line end )
//! line       = blanks ( nothing / comment / section / assignment )
//! comment    = ( "#" / ";" ) *other            ; also between the parts of a continued line
//! section    = "[" name "]" blanks
//! assignment = key blanks "=" blanks value blanks
//! end        = LF / CR / CR LF / NUL           ; after an odd number of backslashes: a blank, and the line goes on
//! ```
//!
//! ```
//! use lunix::convert::syntax::{Item, Reader, What};
//!
//! let mut reader = Reader::default();
//! let text = b"[Service]\nExecStart=/bin/a \\\n  b\n";
//! let (used, item) = reader.feed(text);
//! assert_eq!(item, Some(Item { line: 1, what: What::Section("Service") }));
//! let (_, item) = reader.feed(&text[used..]);
//! assert_eq!(item, Some(Item { line: 2, what: What::Assignment { key: "ExecStart", value: "/bin/a  b" } }));
//! ```

/// Most bytes of a line with all its continuations (as systemd has it).
pub const LINE_MAX: usize = 1024 * 1024;

/// One line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Number of its first line in the file, from 1.
    pub line: u32,
    /// What it says.
    pub what: What<'a>,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// `[NAME]`: what follows belongs to it.
    Section(&'a str),
    /// `KEY=VALUE`, both without blanks around them; the value is empty where nothing follows.
    Assignment {
        /// What is set.
        key: &'a str,
        /// To what.
        value: &'a str,
    },
    /// The line makes no sense; systemd passes over it, too.
    Wrong(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Only blanks so far.
    Start,
    /// To the end of the line nothing counts.
    Comment,
    /// Within the text of a line.
    Text,
    /// After an odd number of backslashes.
    Escaped,
}

/// Reads a file in pieces of any size.
#[derive(Debug)]
pub struct Reader {
    state: State,
    line: Vec<u8>,
    /// The line was told and is to be forgotten.
    is_told: bool,
    /// The line has gone on after a backslash.
    is_continued: bool,
    is_too_long: bool,
    /// A line feed now belongs to the return before it.
    after_return: bool,
    number: u32,
    first: u32,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            state: State::Start,
            line: Vec::new(),
            is_told: false,
            is_continued: false,
            is_too_long: false,
            after_return: false,
            number: 1,
            first: 1,
        }
    }
}

impl Reader {
    /// Takes bytes up to the end of the next line that says something. Returns how many it took, and the line.
    pub fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Item<'_>>) {
        self.forget();
        for (index, &byte) in bytes.iter().enumerate() {
            if self.take(byte) {
                self.is_told = true;
                return (index + 1, self.item());
            }
        }
        (bytes.len(), None)
    }

    /// The end of the file: the line that has no end of its own.
    pub fn finish(&mut self) -> Option<Item<'_>> {
        self.forget();
        self.is_told = true;
        if self.line.is_empty() && !self.is_too_long { None } else { self.item() }
    }

    fn forget(&mut self) {
        if std::mem::take(&mut self.is_told) {
            self.line.clear();
            (self.is_too_long, self.is_continued) = (false, false);
        }
    }

    /// Moves on by a byte; true when a line is complete.
    fn take(&mut self, byte: u8) -> bool {
        let paired = std::mem::replace(&mut self.after_return, byte == b'\r');
        if byte == b'\n' && paired {
            return false;
        }
        if matches!(byte, b'\n' | b'\r' | 0) {
            return self.end_line();
        }
        match (self.state, byte) {
            (State::Start, b' ' | b'\t') | (State::Comment, _) => {}
            (State::Start, b'#' | b';') => self.state = State::Comment,
            (State::Start | State::Text | State::Escaped, _) => {
                if self.line.is_empty() {
                    self.first = self.number;
                }
                let escapes = byte == b'\\' && self.state != State::Escaped;
                self.state = if escapes { State::Escaped } else { State::Text };
                self.push(byte);
            }
        }
        false
    }

    fn end_line(&mut self) -> bool {
        self.number = self.number.saturating_add(1);
        match std::mem::replace(&mut self.state, State::Start) {
            State::Escaped => {
                self.line.pop();
                self.push(b' ');
                self.is_continued = true;
                false
            }
            State::Text => true,
            // A comment within a continued line does not end it, an empty line does.
            State::Comment => false,
            State::Start => self.is_continued,
        }
    }

    fn push(&mut self, byte: u8) {
        if self.line.len() < LINE_MAX { self.line.push(byte) } else { self.is_too_long = true }
    }

    fn item(&self) -> Option<Item<'_>> {
        let wrong = |why| Some(What::Wrong(why));
        let what = if self.is_too_long {
            wrong("the line is longer than 1 MiB")
        } else {
            match std::str::from_utf8(&self.line) {
                Ok(text) => classify(text.trim_start_matches('\u{feff}')),
                Err(_) => wrong("the line is not UTF-8"),
            }
        };
        what.map(|what| Item { line: self.first, what })
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

fn classify(text: &str) -> Option<What<'_>> {
    let text = text.trim_matches(BLANKS);
    if text.is_empty() || text.starts_with(['#', ';']) {
        return None;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let name = rest.strip_suffix(']').filter(|name| !name.is_empty());
        return Some(name.map_or(What::Wrong("expected a section such as [Service]"), What::Section));
    }
    Some(match text.split_once('=') {
        None => What::Wrong("expected KEY=VALUE"),
        Some(("", _)) => What::Wrong("expected a key before the equals sign"),
        Some((key, value)) => {
            What::Assignment { key: key.trim_end_matches(BLANKS), value: value.trim_start_matches(BLANKS) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(item: Item<'_>) -> String {
        match item.what {
            What::Section(name) => format!("{}[{name}]", item.line),
            What::Assignment { key, value } => format!("{}{key}={value}", item.line),
            What::Wrong(why) => format!("{}!{why}", item.line),
        }
    }

    fn read(parts: &[&[u8]]) -> Vec<String> {
        let (mut reader, mut all) = (Reader::default(), Vec::new());
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                let (used, item) = reader.feed(rest);
                all.extend(item.map(told));
                rest = &rest[used..];
            }
        }
        all.extend(reader.finish().map(told));
        all
    }

    #[test]
    fn lines_say_what_systemd_reads() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("# a\n; b\n \t\n", &[]),
            ("[Unit]\nA=b", &["1[Unit]", "2A=b"]),
            ("\u{feff}[Unit]\n", &["1[Unit]"]),
            ("  A  =  b c \t\r\n", &["1A=b c"]),
            ("A=\nB = = \n", &["1A=", "2B=="]),
            // Backslashes join lines, comments between them do not count, empty lines end them.
            ("A=b \\\n  c\n", &["1A=b  c"]),
            ("A=b\\\n# no\n; no\nc\nB=", &["1A=b c", "5B="]),
            ("A=b\\\n\nC=d\n", &["1A=b", "3C=d"]),
            ("A=b\\\\\nC=d\n", &["1A=b\\\\", "2C=d"]),
            ("A=b\\\\\\\nC=d\n", &["1A=b\\\\ C=d"]),
            ("A=b\\", &["1A=b\\"]),
            ("A=b\\\r\nc", &["1A=b c"]),
            ("# x \\\nA=b", &["2A=b"]),
            ("\\\nA=b\n", &["1A=b"]),
            // What makes no sense.
            (
                "[Unit\nno\n=x\n[]",
                &[
                    "1!expected a section such as [Service]",
                    "2!expected KEY=VALUE",
                    "3!expected a key before the equals sign",
                    "4!expected a section such as [Service]",
                ],
            ),
        ];
        for (text, expected) in table {
            assert_eq!(read(&[text.as_bytes()]), *expected, "{text:?}");
        }
        assert_eq!(read(&[b"A=\xff\nB=c\0D=e"]), ["1!the line is not UTF-8", "2B=c", "3D=e"]);
    }

    #[test]
    fn any_cut_says_the_same() {
        let text = b"\xef\xbb\xbf[S]\r\nA=b \\\r\n # c\n d\n\n;x\n  B = \\\\\n[\nC=\\\n";
        let whole = read(&[text]);
        assert_eq!(whole.len(), 5, "{whole:?}");
        testkit::split::two(text, |parts| assert_eq!(read(parts), whole, "{parts:?}"));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let text = [b"A=".to_vec(), vec![b'x'; LINE_MAX], b"\nB=c\n".to_vec()].concat();
        assert_eq!(read(&[&text]), ["1!the line is longer than 1 MiB", "2B=c"]);
    }
}
