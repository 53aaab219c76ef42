//! Tables of text: a record a line, its fields between blanks, comments on lines of their own (`man 5 fstab`, `man 5 modules`).
//!
//! ```text
//! table   = *( line LF )
//! line    = *blank [ comment | field *( 1*blank field ) *blank ]
//! comment = ( "#" / ";" ) *any            ; the second one only where the grammar says so
//! field   = 1*( octet / "\" 3octal )      ; the escape only where the grammar says so, otherwise the backslash is itself
//! ```

/// Most bytes of a field; the kernel takes no longer path or options.
pub const FIELD_MAX: usize = 4096;

/// What differs between the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grammar {
    /// `\040` is a blank, and so on.
    pub has_escapes: bool,
    /// A semicolon begins a comment, too.
    pub has_semicolon: bool,
}

/// `man 5 fstab`
pub const FSTAB: Grammar = Grammar { has_escapes: true, has_semicolon: false };
/// `man 5 modules`, `man 5 modules-load.d`
pub const MODULES: Grammar = Grammar { has_escapes: false, has_semicolon: true };

/// What a table consists of.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// The next field of the line.
    Field(&'a [u8]),
    /// The end of a line that had fields.
    End,
    /// What cannot be; the rest of the line is passed over.
    Fault(Fault),
}

/// What cannot be in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More than [`FIELD_MAX`] bytes.
    TooLong,
    /// A NUL, written or escaped.
    Nul,
}

/// Where an item stands, each counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The field, or the last one before the end of the line.
    pub field: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but blanks on this line so far.
    Start,
    /// A field has ended.
    Between,
    Field,
    /// After a backslash and so many octal digits.
    Escape {
        digits: u8,
        value: u8,
    },
    /// To the end of the line.
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Blank,
    Newline,
    Comment,
    Backslash,
    Octal,
    Nul,
    Other,
}

/// The automaton; one for each table.
#[derive(Debug)]
pub struct Fields {
    grammar: Grammar,
    state: State,
    position: Position,
    /// The field on whose end its item was given out: the buffer is free again.
    given: bool,
    length: usize,
    buffer: Box<[u8; FIELD_MAX]>,
}

impl Fields {
    /// At the beginning of a table.
    #[must_use]
    pub fn new(grammar: Grammar) -> Self {
        let position = Position { line: 1, field: 0 };
        Self { grammar, state: State::Start, position, given: false, length: 0, buffer: Box::new([0; FIELD_MAX]) }
    }

    /// Where the item stands that was returned last.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Reads on: returns how many bytes were taken, and the item that ended with them, if one did. A table that does not end with a line
    /// feed is followed by one.
    pub fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Item<'_>>) {
        if std::mem::take(&mut self.given) {
            self.length = 0;
        }
        for (taken, &byte) in bytes.iter().enumerate() {
            match self.step(byte) {
                Step::On => {}
                Step::Field => {
                    self.given = true;
                    return (taken, Some(Item::Field(self.buffer.get(..self.length).unwrap_or_default())));
                }
                Step::End => return (taken + 1, Some(Item::End)),
                Step::Fault(fault) => return (taken + 1, Some(Item::Fault(fault))),
            }
        }
        (bytes.len(), None)
    }

    fn class(&self, byte: u8) -> Class {
        match byte {
            b' ' | b'\t' | b'\r' => Class::Blank,
            b'\n' => Class::Newline,
            b'#' => Class::Comment,
            b';' if self.grammar.has_semicolon => Class::Comment,
            b'\\' if self.grammar.has_escapes => Class::Backslash,
            b'0'..=b'7' => Class::Octal,
            0 => Class::Nul,
            _ => Class::Other,
        }
    }

    fn step(&mut self, byte: u8) -> Step {
        use Class as C;
        use State as S;
        let class = self.class(byte);
        match (self.state, class) {
            (S::Start | S::Skip, C::Newline) => self.next_line(Step::On),
            (S::Between, C::Newline) => self.next_line(Step::End),

            (S::Start | S::Between, C::Blank) => Step::On,
            (S::Start, C::Comment) => self.go(S::Skip),
            (S::Start | S::Between, C::Backslash) => self.begin(None, S::Escape { digits: 0, value: 0 }),
            (S::Start, C::Octal | C::Other) | (S::Between, C::Comment | C::Octal | C::Other) => {
                self.begin(Some(byte), S::Field)
            }

            (S::Field, C::Blank | C::Newline) => {
                self.state = S::Between;
                Step::Field
            }
            (S::Field, C::Backslash) => self.go(S::Escape { digits: 0, value: 0 }),
            (S::Field, C::Comment | C::Octal | C::Other) => self.push(byte),

            (S::Escape { digits, value }, C::Octal) => self.digit(digits, value, byte),
            // It was no escape: the backslash and the digits are themselves, and the byte is what it is in a field.
            (S::Escape { digits, value }, C::Blank | C::Newline | C::Comment | C::Backslash | C::Nul | C::Other) => {
                match self.literal(digits, value) {
                    Ok(()) => self.step(byte),
                    Err(fault) => self.fault(fault),
                }
            }

            (S::Skip, C::Blank | C::Comment | C::Backslash | C::Octal | C::Nul | C::Other) => Step::On,
            (S::Start | S::Between | S::Field, C::Nul) => self.fault(Fault::Nul),
        }
    }

    fn go(&mut self, state: State) -> Step {
        self.state = state;
        Step::On
    }

    fn next_line(&mut self, step: Step) -> Step {
        (self.position.line, self.state) = (self.position.line.saturating_add(1), State::Start);
        if step == Step::On {
            self.position.field = 0;
        }
        step
    }

    fn begin(&mut self, byte: Option<u8>, state: State) -> Step {
        // The field before was the last of its line when this one is the first.
        self.position.field = if self.state == State::Start { 1 } else { self.position.field.saturating_add(1) };
        (self.length, self.state) = (0, state);
        byte.map_or(Step::On, |byte| self.push(byte))
    }

    fn push(&mut self, byte: u8) -> Step {
        self.append(&[byte]).map_or_else(|fault| self.fault(fault), |()| Step::On)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for &byte in bytes {
            *self.buffer.get_mut(self.length).ok_or(Fault::TooLong)? = byte;
            self.length += 1;
        }
        Ok(())
    }

    fn digit(&mut self, digits: u8, value: u8, byte: u8) -> Step {
        // Three digits are at most one byte when the first of them is: "\400" and more are themselves.
        if digits == 0 && byte > b'3' {
            return match self.literal(0, 0) {
                Ok(()) => self.push(byte),
                Err(fault) => self.fault(fault),
            };
        }
        let value = (value << 3) | (byte - b'0');
        if digits < 2 {
            return self.go(State::Escape { digits: digits + 1, value });
        }
        self.state = State::Field;
        if value == 0 { self.fault(Fault::Nul) } else { self.push(value) }
    }

    /// A backslash and digits that were no escape after all.
    fn literal(&mut self, digits: u8, value: u8) -> Result<(), Fault> {
        self.state = State::Field;
        let digit = |shift: u8| b'0' + ((value >> shift) & 7);
        match digits {
            0 => self.append(b"\\"),
            1 => self.append(&[b'\\', digit(0)]),
            _ => self.append(&[b'\\', digit(3), digit(0)]),
        }
    }

    fn fault(&mut self, fault: Fault) -> Step {
        self.state = State::Skip;
        Step::Fault(fault)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    On,
    /// The byte was not taken.
    Field,
    End,
    Fault(Fault),
}

/// Reads a whole table; `line` is called for each line that has fields, with its number and them, or with the number of the field that
/// cannot be and why.
pub fn lines(grammar: Grammar, text: &[u8], mut line: impl FnMut(u32, Result<&[Vec<u8>], (u32, Fault)>)) {
    let mut parser = Fields::new(grammar);
    let mut fields: Vec<Vec<u8>> = Vec::new();
    let mut number = 0;
    for part in [text, b"\n"] {
        let mut rest = part;
        while !rest.is_empty() {
            let (taken, item) = parser.feed(rest);
            let mut fault = None;
            let mut has_ended = false;
            match item {
                None => {}
                Some(Item::Field(field)) => fields.push(field.to_vec()),
                Some(Item::End) => has_ended = true,
                Some(Item::Fault(found)) => fault = Some(found),
            }
            let position = parser.position();
            if let Some(fault) = fault {
                fields.clear();
                line(position.line, Err((position.field, fault)));
            } else if has_ended {
                line(number, Ok(&fields));
                fields.clear();
            } else {
                number = position.line;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::split;

    fn read(grammar: Grammar, parts: &[&[u8]]) -> Vec<String> {
        let mut parser = Fields::new(grammar);
        let mut out = Vec::new();
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                let (taken, item) = parser.feed(rest);
                let text = match item {
                    None => None,
                    Some(Item::Field(field)) => Some(format!("<{}>", field.escape_ascii())),
                    Some(Item::End) => Some("end".to_owned()),
                    Some(Item::Fault(fault)) => Some(format!("{fault:?}")),
                };
                let Position { line, field } = parser.position();
                out.extend(text.map(|text| if text == "end" { text } else { format!("{line}.{field}{text}") }));
                rest = &rest[taken..];
            }
        }
        out
    }

    #[test]
    fn good_and_bad_tables() {
        for (input, expected) in [
            (&b""[..], &[][..]),
            (b"\n \n#a b\n  # c\n", &[]),
            (b"a b\nc\n", &["1.1<a>", "1.2<b>", "end", "2.1<c>", "end"]),
            (b"\ta \t b#c #d \r\n", &["1.1<a>", "1.2<b#c>", "1.3<#d>", "end"]),
            (b"\\040a\\011b\\134 \n", &["1.1< a\\tb\\\\>", "end"]),
            (
                b"\\04 \\4000 \\x \\\\ \\1a\n",
                &["1.1<\\\\04>", "1.2<\\\\4000>", "1.3<\\\\x>", "1.4<\\\\\\\\>", "1.5<\\\\1a>", "end"],
            ),
            (b"a\\000b c\nd\n", &["1.1Nul", "2.1<d>", "end"]),
            (b"a \0\nd\n", &["1.1<a>", "1.1Nul", "2.1<d>", "end"]),
            (b"; x\n", &["1.1<;>", "1.2<x>", "end"]),
        ] {
            assert_eq!(read(FSTAB, &[input]), expected, "{}", input.escape_ascii());
        }
        assert_eq!(read(MODULES, &[b"; x\n#y\n\\040 z\n"]), ["3.1<\\\\040>", "3.2<z>", "end"]);
        let long = [vec![b'x'; FIELD_MAX + 1], b" y\nz\n".to_vec()].concat();
        assert_eq!(read(FSTAB, &[&long]), ["1.1TooLong", "2.1<z>", "end"]);
        assert!(read(FSTAB, &[&[vec![b'x'; FIELD_MAX], b"\n".to_vec()].concat()])[0].starts_with("1.1<xxx"));
    }

    #[test]
    fn no_cut_changes_the_result() {
        for input in
            [&b"UUID=a\\040b / ext4 rw,x=y 0 1\n# no\n\n\\1 \\12x \\777 \\\\040\nz\0 y\n"[..], b" ;a\n# b\r\nc\td  e\n"]
        {
            split::invariant(input, |parts| read(FSTAB, parts));
            split::invariant(input, |parts| read(MODULES, parts));
        }
    }

    /// The same language by regular expressions, on random tables.
    #[test]
    fn a_regex_engine_agrees() {
        let (comment, field) =
            (regex::bytes::Regex::new(r"^[ \t\r]*(#|$)").unwrap(), regex::bytes::Regex::new(r"[^ \t\r]+").unwrap());
        let escape = regex::bytes::Regex::new(r"\\([0-3][0-7][0-7])").unwrap();
        let mut rng = testkit::rng::Rng::printed("fields");
        for _ in 0..2000 {
            let text: Vec<u8> = (0..rng.below(40)).map(|_| b"ab \t\n#;\\0127"[rng.below(12)]).collect();
            let mut expected = Vec::new();
            for line in text.split(|&byte| byte == b'\n').filter(|line| !comment.is_match(line)) {
                let fields: Vec<Vec<u8>> = field
                    .find_iter(line)
                    .map(|found| {
                        let octal = |captures: &regex::bytes::Captures<'_>| {
                            vec![u8::from_str_radix(std::str::from_utf8(&captures[1]).unwrap(), 8).unwrap()]
                        };
                        escape.replace_all(found.as_bytes(), octal).into_owned()
                    })
                    .collect();
                if !fields.iter().flatten().any(|&byte| byte == 0) {
                    expected.push(fields);
                }
            }
            let mut found = Vec::new();
            lines(FSTAB, &text, |_, line| found.extend(line.ok().map(<[Vec<u8>]>::to_vec)));
            assert_eq!(found, expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn lines_are_numbered() {
        let mut numbers = Vec::new();
        lines(FSTAB, b"# a\nb\n\nc d\ne\\000", |number, line| numbers.push((number, line.map(<[Vec<u8>]>::len))));
        assert_eq!(numbers, [(2, Ok(1)), (4, Ok(2)), (5, Err((1, Fault::Nul)))]);
    }
}
