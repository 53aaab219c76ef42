//! Lines of sysctl.d (`man 5 sysctl.d`), read by an automaton.
//!
//! ```text
//! file    = *( line LF )
//! line    = *blank [ comment | [ "-" ] key *blank [ "=" *blank value ] ]
//! comment = ( "#" / ";" ) *any
//! key     = 1*( octet except blank, "=" and LF )
//! value   = *( octet except LF )          ; without the blanks at its end
//! ```
//! Without a value the line says only that no pattern means this key; then it must begin with a dash.

/// Most bytes of a key, and of a value: what a file in /proc/sys takes at once.
pub const PART_MAX: usize = 4095;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its number, from 1.
    pub line: u32,
    /// Failing to set it is no fault.
    pub may_fail: bool,
    /// What is set, as it stands there.
    pub key: String,
    /// To what; `None`: nothing, and patterns do not mean it.
    pub value: Option<Vec<u8>>,
}

/// What is wrong with a line: its number and what was expected.
pub type Wrong = (u32, &'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Dash,
    Key,
    AfterKey,
    BeforeValue,
    Value,
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Blank,
    Newline,
    Comment,
    Dash,
    Equals,
    Other,
}

/// The automaton.
#[derive(Debug)]
pub struct Lines {
    state: State,
    line: u32,
    may_fail: bool,
    key: Vec<u8>,
    value: Vec<u8>,
    has_value: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self { state: State::Start, line: 1, may_fail: false, key: Vec::new(), value: Vec::new(), has_value: false }
    }
}

const fn class(byte: u8) -> Class {
    match byte {
        b' ' | b'\t' | b'\r' => Class::Blank,
        b'\n' => Class::Newline,
        b'#' | b';' => Class::Comment,
        b'-' => Class::Dash,
        b'=' => Class::Equals,
        _ => Class::Other,
    }
}

impl Lines {
    /// Takes one byte; returns the line that it ends, or what is wrong with it. A file that does not end with a line feed is followed by one.
    pub fn feed(&mut self, byte: u8) -> Option<Result<Setting, Wrong>> {
        use Class as C;
        use State as S;
        match (self.state, class(byte)) {
            (S::Start, C::Blank) => {}
            (S::Start | S::Skip, C::Newline) => self.next_line(),
            (S::Start, C::Comment) => self.state = S::Skip,
            (S::Start, C::Dash) => (self.state, self.may_fail) = (S::Dash, true),
            (S::Start | S::Dash, C::Equals) | (S::Dash, C::Blank | C::Newline) => {
                return self.wrong(byte, "expected the name of a setting");
            }
            (S::Start, C::Other) | (S::Dash, C::Comment | C::Dash | C::Other) => {
                self.state = S::Key;
                self.key.push(byte);
            }
            (S::Key, C::Comment | C::Dash | C::Other) => {
                if self.key.len() >= PART_MAX {
                    return self.wrong(byte, "expected a shorter name");
                }
                self.key.push(byte);
            }
            (S::Key, C::Blank) => self.state = S::AfterKey,
            (S::AfterKey, C::Blank) => {}
            (S::Key | S::AfterKey, C::Equals) => (self.state, self.has_value) = (S::BeforeValue, true),
            (S::AfterKey, C::Comment | C::Dash | C::Other) => return self.wrong(byte, "expected = after the name"),
            (S::BeforeValue, C::Blank) => {}
            (S::BeforeValue, C::Comment | C::Dash | C::Equals | C::Other) => {
                self.state = S::Value;
                self.value.push(byte);
            }
            (S::Value, C::Blank | C::Comment | C::Dash | C::Equals | C::Other) => {
                if self.value.len() >= PART_MAX {
                    return self.wrong(byte, "expected a shorter value");
                }
                self.value.push(byte);
            }
            (S::Key | S::AfterKey | S::BeforeValue | S::Value, C::Newline) => return Some(self.end()),
            (S::Skip, C::Blank | C::Comment | C::Dash | C::Equals | C::Other) => {}
        }
        None
    }

    fn next_line(&mut self) {
        let line = self.line.saturating_add(1);
        *self = Self { line, ..Self::default() };
    }

    fn wrong(&mut self, byte: u8, sentence: &'static str) -> Option<Result<Setting, Wrong>> {
        let line = self.line;
        self.state = State::Skip;
        if byte == b'\n' {
            self.next_line();
        }
        Some(Err((line, sentence)))
    }

    fn end(&mut self) -> Result<Setting, Wrong> {
        let line = self.line;
        let key = String::from_utf8(std::mem::take(&mut self.key)).map_err(|_| (line, "expected UTF-8"));
        let value = self.has_value.then(|| self.value.trim_ascii_end().to_vec());
        let may_fail = self.may_fail;
        self.next_line();
        match (key?, value) {
            (_, None) if !may_fail => Err((line, "expected = after the name")),
            (key, value) => Ok(Setting { line, may_fail, key, value }),
        }
    }
}

/// Reads a whole file.
#[must_use]
pub fn read(text: &[u8]) -> Vec<Result<Setting, Wrong>> {
    let mut parser = Lines::default();
    text.iter().chain(b"\n").filter_map(|&byte| parser.feed(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |one: Result<Setting, Wrong>| match one {
            Ok(Setting { line, may_fail, key, value }) => {
                let value = value.map(|value| value.escape_ascii().to_string());
                format!("{line} {}{key} {value:?}", if may_fail { "-" } else { "" })
            }
            Err((line, sentence)) => format!("{line} {sentence}"),
        };
        read(text.as_bytes()).into_iter().map(show).collect()
    }

    #[test]
    fn good_and_bad_lines() {
        for (text, expected) in [
            ("", &[][..]),
            ("# a=b\n ; c=d\n\n \t\n", &[]),
            ("a.b=1", &["1 a.b Some(\"1\")"]),
            ("\n  a/b =  x y\t \r\nc=", &["2 a/b Some(\"x y\")", "3 c Some(\"\")"]),
            ("-a=1\n-b\n--c = #d=e", &["1 -a Some(\"1\")", "2 -b None", "3 --c Some(\"#d=e\")"]),
            (
                "a\nb c=1\n=1\n-\n- a=1\n-=2\nz=1",
                &[
                    "1 expected = after the name",
                    "2 expected = after the name",
                    "3 expected the name of a setting",
                    "4 expected the name of a setting",
                    "5 expected the name of a setting",
                    "6 expected the name of a setting",
                    "7 z Some(\"1\")",
                ],
            ),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
        assert_eq!(read(b"\xff=1\na=1").len(), 2);
        for (long, fits) in [(vec![b'k'; PART_MAX], true), (vec![b'k'; PART_MAX + 1], false)] {
            assert_eq!(read(&[&long[..], b"=v"].concat())[0].is_ok(), fits);
            assert_eq!(read(&[b"k=", &long[..]].concat())[0].is_ok(), fits);
        }
    }

    /// The same language by a regular expression, on random lines.
    #[test]
    fn a_regex_engine_agrees() {
        let line = regex::Regex::new(r"^[ \t\r]*(-?)([^ \t\r=]+)[ \t\r]*(?:=[ \t\r]*(.*))?$").unwrap();
        let comment = regex::Regex::new(r"^[ \t\r]*([#;]|$)").unwrap();
        let mut rng = testkit::rng::Rng::printed("sysctl");
        for _ in 0..4000 {
            let text: String = (0..rng.below(10)).map(|_| char::from(b"ab-= \t#;."[rng.below(9)])).collect();
            let expected = (!comment.is_match(&text)).then(|| {
                let found = line.captures(&text)?;
                let value = found.get(3).map(|value| value.as_str().trim_ascii_end().as_bytes().to_vec());
                let may_fail = &found[1] == "-";
                // A dash at the beginning is never the name's, which the engine tries when nothing else fits.
                let is_name = may_fail || !found[2].starts_with('-');
                (is_name && (may_fail || value.is_some())).then(|| Setting {
                    line: 1,
                    may_fail,
                    key: found[2].to_owned(),
                    value,
                })
            });
            let found = read(text.as_bytes()).pop().map(Result::ok);
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
