//! A message as a line.

use crate::output::{Lines, Stop};
use crate::{field, line};
use program::{Fatal, Given, exit};
use std::os::fd::{AsFd, BorrowedFd};

/// Prints messages the way the flags ask for, up to the count.
#[derive(Debug)]
pub(super) struct Printer {
    lines: Lines,
    get: Option<String>,
    raw: bool,
    /// Lines still to print; `None`: without end.
    left: Option<u64>,
}

impl Printer {
    pub(super) fn new(given: &Given, lines: Lines) -> Result<Self, Fatal> {
        let wrong = |text| Fatal::new(exit::USAGE, format!("--count '{text}': expected a number"));
        let left = given.value("count").map(|text| text.parse().map_err(|_| wrong(text))).transpose()?;
        Ok(Self { lines, get: given.value("get").map(str::to_owned), raw: given.has("raw"), left })
    }

    /// True when all lines are printed that were asked for.
    pub(super) fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// Prints one message, unless it lacks the field that is asked for.
    pub(super) fn message(&mut self, subject: &str, payload: &[u8]) -> Result<(), Stop> {
        let Some(bytes) = formed(self.get.as_deref(), self.raw, subject, payload) else { return Ok(()) };
        if self.is_done() {
            return Ok(());
        }
        self.left = self.left.map(|left| left - 1);
        self.lines.line(&bytes)
    }
}

impl AsFd for Printer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.lines.as_fd()
    }
}

fn formed(get: Option<&str>, raw: bool, subject: &str, payload: &[u8]) -> Option<Vec<u8>> {
    match get {
        Some(path) => field::get(payload, path, raw),
        None if raw => Some(payload.to_vec()),
        None => Some(format!("{} {}", line::escaped(subject.as_bytes()), line::shown(payload)).into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_decide_what_is_printed() {
        let payload = br#"{"a":"x"}"#;
        let line = |get, raw| formed(get, raw, "s.t", payload).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(line(None, false).unwrap(), r#"s.t {"a":"x"}"#);
        assert_eq!(line(None, true).unwrap(), r#"{"a":"x"}"#);
        assert_eq!(line(Some("a"), false).unwrap(), "x");
        assert_eq!(line(Some("b"), false), None);
        assert_eq!(formed(None, false, "s", b"").unwrap(), b"s ");
    }
}
