//! Characters with their place.

use crate::value::Place;
use std::rc::Rc;

/// A text and how far it is read.
pub(crate) struct Reader<'a> {
    file: Rc<str>,
    rest: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &str, text: &'a str) -> Self {
        Self { file: file.into(), rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1, column: 1 }
    }

    pub(crate) fn place(&self) -> Place {
        Place { file: Rc::clone(&self.file), line: self.line, column: self.column }
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.rest = self.rest.get(letter.len_utf8()..).unwrap_or_default();
        if letter == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(letter)
    }

    /// Consumes `wanted` if it is next.
    pub(crate) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Consumes characters as long as `belongs` says so, and returns them.
    pub(crate) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let whole = self.rest;
        while self.peek().is_some_and(&belongs) {
            self.next();
        }
        whole.get(..whole.len() - self.rest.len()).unwrap_or_default()
    }

    /// Skips blanks, line ends, comments and the letters of `also`.
    pub(crate) fn skip_blank(&mut self, also: &[char]) {
        loop {
            self.take_while(|letter| letter.is_whitespace() || also.contains(&letter));
            if self.peek() == Some('#') || self.rest.starts_with("//") {
                self.take_while(|letter| letter != '\n');
            } else {
                return;
            }
        }
    }

    /// Skips blanks within the line.
    pub(crate) fn skip_spaces(&mut self) {
        self.take_while(|letter| letter == ' ' || letter == '\t');
    }
}
