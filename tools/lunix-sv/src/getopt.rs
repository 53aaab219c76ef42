//! Command lines of one-letter options, as `man 3 getopt` has them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Reads options from the front of the arguments.
#[derive(Debug)]
pub struct Options<'a> {
    arguments: &'a [OsString],
    /// The rest of a word of several letters.
    letters: &'a [u8],
    with_value: &'a [u8],
}

/// One option.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A letter, with its value when it takes one.
    Letter(u8, Option<OsString>),
    /// A letter that takes a value, which is missing.
    Incomplete(u8),
}

impl<'a> Options<'a> {
    /// Reads from `arguments`; the letters of `with_value` take a value.
    #[must_use]
    pub const fn new(arguments: &'a [OsString], with_value: &'a [u8]) -> Self {
        Self { arguments, letters: &[], with_value }
    }

    /// What follows the options.
    #[must_use]
    pub const fn rest(&self) -> &'a [OsString] {
        self.arguments
    }
}

impl Iterator for Options<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.letters.is_empty() {
            let (first, rest) = self.arguments.split_first()?;
            let letters = first.as_bytes().strip_prefix(b"-").filter(|letters| !letters.is_empty())?;
            self.arguments = rest;
            if letters == b"-" {
                return None;
            }
            self.letters = letters;
        }
        let (&letter, rest) = self.letters.split_first()?;
        self.letters = rest;
        if !self.with_value.contains(&letter) {
            return Some(Found::Letter(letter, None));
        }
        if !rest.is_empty() {
            self.letters = &[];
            return Some(Found::Letter(letter, Some(OsString::from_vec(rest.to_vec()))));
        }
        let Some((value, rest)) = self.arguments.split_first() else { return Some(Found::Incomplete(letter)) };
        self.arguments = rest;
        Some(Found::Letter(letter, Some(value.clone())))
    }
}

/// A word as text.
#[must_use]
pub fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_together_or_apart() {
        let words = ["-ab", "-n5", "-o", "value", "-c", "prog", "-d"].map(OsString::from);
        let mut options = Options::new(&words, b"no");
        let found: Vec<Found> = options.by_ref().collect();
        let letter = |letter: u8, value: Option<&str>| Found::Letter(letter, value.map(OsString::from));
        let expected = [
            letter(b'a', None),
            letter(b'b', None),
            letter(b'n', Some("5")),
            letter(b'o', Some("value")),
            letter(b'c', None),
        ];
        assert_eq!(found, expected);
        assert_eq!(options.rest(), ["prog", "-d"]);
        let words = ["-a", "--", "-b"].map(OsString::from);
        let mut options = Options::new(&words, b"");
        assert_eq!((options.by_ref().count(), options.rest().len()), (1, 1));
        assert_eq!(Options::new(&["-n".into()], b"n").next(), Some(Found::Incomplete(b'n')));
    }
}
