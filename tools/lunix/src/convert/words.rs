//! A value as words: quotes, and the escapes of C (`man 7 systemd.syntax`, "Quoting").
//!
//! ```
//! use lunix::convert::words::split;
//!
//! let words = split(r#"/bin/echo "one two" \x41 'it''s' ;"#).unwrap();
//! let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
//! assert_eq!(texts, ["/bin/echo", "one two", "A", "its", ";"]);
//! assert!(words[4].is_separator);
//! ```

/// One word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Without its quotes.
    pub text: String,
    /// A lone semicolon without quotes or backslash: another command follows.
    pub is_separator: bool,
    /// It has a backslash before something that is no escape; the backslash stays.
    pub has_odd_escape: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Gap,
    Bare,
    Single,
    Double,
}

/// What follows a backslash.
#[derive(Clone, Copy, Debug)]
enum Escape {
    None,
    /// The letter that says which.
    Letter,
    /// Digits: base, how many are still missing, value so far.
    Digits {
        base: u32,
        missing: u8,
        value: u32,
        is_character: bool,
    },
}

struct Splitter {
    state: State,
    escape: Escape,
    word: Vec<u8>,
    is_plain: bool,
    has_odd_escape: bool,
    all: Vec<Word>,
}

/// The words of a value.
///
/// # Errors
/// Why systemd would not take the value.
pub fn split(value: &str) -> Result<Vec<Word>, &'static str> {
    let mut splitter = Splitter {
        state: State::Gap,
        escape: Escape::None,
        word: Vec::new(),
        is_plain: true,
        has_odd_escape: false,
        all: Vec::new(),
    };
    for letter in value.chars() {
        splitter.take(letter)?;
    }
    splitter.finish()
}

impl Splitter {
    fn take(&mut self, letter: char) -> Result<(), &'static str> {
        match self.escape {
            Escape::Letter => return self.escaped(letter),
            Escape::Digits { base, missing, value, is_character } => {
                let digit = letter.to_digit(base).ok_or("an escape has too few digits")?;
                let value = value.wrapping_mul(base).wrapping_add(digit);
                return self.digits(base, missing.saturating_sub(1), value, is_character);
            }
            Escape::None => {}
        }
        match (self.state, letter) {
            (State::Gap, ' ' | '\t' | '\n' | '\r') => {}
            (State::Bare, ' ' | '\t' | '\n' | '\r') => return self.end_word(),
            (State::Gap | State::Bare, '\'') => (self.state, self.is_plain) = (State::Single, false),
            (State::Gap | State::Bare, '"') => (self.state, self.is_plain) = (State::Double, false),
            (State::Single, '\'') | (State::Double, '"') => self.state = State::Bare,
            (State::Gap, '\\') => (self.state, self.escape, self.is_plain) = (State::Bare, Escape::Letter, false),
            (_, '\\') => (self.escape, self.is_plain) = (Escape::Letter, false),
            (State::Gap, _) => {
                self.state = State::Bare;
                self.push(letter);
            }
            (State::Bare | State::Single | State::Double, _) => self.push(letter),
        }
        Ok(())
    }

    fn escaped(&mut self, letter: char) -> Result<(), &'static str> {
        self.escape = Escape::None;
        let byte = match letter {
            'a' => 7,
            'b' => 8,
            't' => b'\t',
            'n' => b'\n',
            'v' => 11,
            'f' => 12,
            'r' => b'\r',
            's' => b' ',
            '\\' => b'\\',
            '"' => b'"',
            '\'' => b'\'',
            ';' => b';',
            'x' => return self.digits(16, 2, 0, false),
            'u' => return self.digits(16, 4, 0, true),
            'U' => return self.digits(16, 8, 0, true),
            '0'..='7' => return self.digits(8, 2, letter.to_digit(8).unwrap_or(0), false),
            _ => {
                self.has_odd_escape = true;
                self.word.push(b'\\');
                self.push(letter);
                return Ok(());
            }
        };
        self.word.push(byte);
        Ok(())
    }

    fn digits(&mut self, base: u32, missing: u8, value: u32, is_character: bool) -> Result<(), &'static str> {
        if missing > 0 {
            self.escape = Escape::Digits { base, missing, value, is_character };
            return Ok(());
        }
        self.escape = Escape::None;
        if value == 0 {
            return Err("an escape stands for NUL");
        }
        if is_character {
            self.push(char::from_u32(value).ok_or("an escape stands for no character")?);
        } else {
            self.word.push(u8::try_from(value).map_err(|_| "an octal escape is above 377")?);
        }
        Ok(())
    }

    fn push(&mut self, letter: char) {
        self.word.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn end_word(&mut self) -> Result<(), &'static str> {
        let text = String::from_utf8(std::mem::take(&mut self.word)).map_err(|_| "an escape makes it no UTF-8")?;
        let is_separator = self.is_plain && text == ";";
        self.all.push(Word { text, is_separator, has_odd_escape: self.has_odd_escape });
        (self.state, self.is_plain, self.has_odd_escape) = (State::Gap, true, false);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Word>, &'static str> {
        if !matches!(self.escape, Escape::None) {
            return Err("it ends within an escape");
        }
        match self.state {
            State::Gap => {}
            State::Bare => self.end_word()?,
            State::Single | State::Double => return Err("a quote is not closed"),
        }
        Ok(self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str) -> Result<Vec<String>, &'static str> {
        split(value).map(|words| words.into_iter().map(|word| word.text).collect())
    }

    #[test]
    fn values_are_split_as_systemd_does() {
        let table: &[(&str, Result<&[&str], &str>)] = &[
            ("", Ok(&[])),
            (" a \t b ", Ok(&["a", "b"])),
            ("'a b' \"c 'd' e\"f", Ok(&["a b", "c 'd' ef"])),
            ("'' \"\"", Ok(&["", ""])),
            (r"a\ b \s \t\n \101 \x42 \u00e4 \U0001F600", Ok(&["a\\ b", " ", "\t\n", "A", "B", "\u{e4}", "\u{1f600}"])),
            (r"\xc3\xa4", Ok(&["\u{e4}"])),
            (r#"\"a\" 'b\'c' \\"#, Ok(&["\"a\"", "b'c", "\\"])),
            (r"\; ; ';'", Ok(&[";", ";", ";"])),
            ("'a", Err("a quote is not closed")),
            ("a\\", Err("it ends within an escape")),
            (r"\xg1", Err("an escape has too few digits")),
            (r"\x00", Err("an escape stands for NUL")),
            (r"\xff", Err("an escape makes it no UTF-8")),
            (r"\777", Err("an octal escape is above 377")),
            (r"\ud800", Err("an escape stands for no character")),
        ];
        for (value, expected) in table {
            let expected = expected.map(|words| words.iter().map(|&word| word.to_owned()).collect());
            assert_eq!(texts(value), expected, "{value}");
        }
    }

    #[test]
    fn only_a_bare_semicolon_separates() {
        let separators: Vec<bool> = split(r"\; ; ';' a;").unwrap().iter().map(|word| word.is_separator).collect();
        assert_eq!(separators, [false, true, false, false]);
        assert!(split(r"\d").unwrap()[0].has_odd_escape && !split(r"\s").unwrap()[0].has_odd_escape);
    }
}
