//! What lunix-init prints of itself and its services, and what of it is shown.

use std::collections::VecDeque;

/// Longest line that is taken; the rest of it is dropped.
const LINE_MAX: usize = 16 * 1024;

/// Log lines that are remembered, so that a part that fails again and again says so once.
const REMEMBERED: usize = 64;

/// Where a line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Somebody must know: standard error.
    Problem(String),
    /// A toast, or whatever else a service prints for people: standard output.
    Text(String),
}

/// Takes the bytes of lunix-init's output and tells what to show.
#[derive(Debug, Default)]
pub struct Spoken {
    partial: Vec<u8>,
    told: VecDeque<String>,
}

impl Spoken {
    /// Takes bytes, cut anywhere, and hands out what is to be shown.
    pub fn feed(&mut self, bytes: &[u8], mut show: impl FnMut(Shown)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let whole = piece.strip_suffix(b"\n");
            let room = LINE_MAX.saturating_sub(self.partial.len());
            let taken = whole.unwrap_or(piece);
            self.partial.extend_from_slice(taken.get(..room.min(taken.len())).unwrap_or_default());
            if whole.is_some() {
                let line = crate::line::plain(&std::mem::take(&mut self.partial));
                self.line(&line).map(&mut show);
            }
        }
    }

    fn line(&mut self, line: &str) -> Option<Shown> {
        let (name, text) = line.split_once(": ")?;
        match text.split_once(": ") {
            Some(("error" | "warn", _)) if self.is_new(line) => Some(Shown::Problem(line.to_owned())),
            Some(("error" | "warn" | "info" | "debug", _)) => None,
            Some(_) | None if name == "lunix-init" => None,
            // A toast begins with `toast: `, its further lines with blanks; so it cannot pass for a log line.
            Some(_) | None => Some(Shown::Text(text.to_owned())),
        }
    }

    fn is_new(&mut self, line: &str) -> bool {
        if self.told.iter().any(|told| told == line) {
            return false;
        }
        if self.told.len() == REMEMBERED {
            self.told.pop_front();
        }
        self.told.push_back(line.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[&[u8]]) -> Vec<Shown> {
        let (mut spoken, mut all) = (Spoken::default(), Vec::new());
        bytes.iter().for_each(|part| spoken.feed(part, |shown| all.push(shown)));
        all
    }

    #[test]
    fn problems_and_toasts_are_shown_and_the_rest_is_not() {
        let table: &[(&str, Option<Shown>)] = &[
            ("natsps: warn: no connector", Some(Shown::Problem("natsps: warn: no connector".into()))),
            (
                "lunix-init: error: natsx: broken: no run",
                Some(Shown::Problem("lunix-init: error: natsx: broken: no run".into())),
            ),
            ("natsps: info: connected", None),
            ("lunix-init: info: shutdown", None),
            ("natstoast: toast: hello: you", Some(Shown::Text("toast: hello: you".into()))),
            ("natstoast:        more", Some(Shown::Text("       more".into()))),
            ("natstoast: toast: warn: x", Some(Shown::Text("toast: warn: x".into()))),
            ("natstoast: toast: \x1b[2J", Some(Shown::Text("toast: \\x1b[2J".into()))),
        ];
        for (line, expected) in table {
            assert_eq!(shown(&[line.as_bytes(), b"\n"]), expected.iter().cloned().collect::<Vec<_>>(), "{line}");
        }
    }

    #[test]
    fn every_cut_shows_the_same() {
        let text = b"natsps: warn: a\nnatstoast: toast: b\nnatsps: warn: a\nnatsps: info: c\nnatstoast: toast: b\n";
        let whole = shown(&[text]);
        assert_eq!(whole.len(), 3, "{whole:?}");
        testkit::split::two(text, |parts| assert_eq!(shown(parts), whole));
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut spoken = Spoken::default();
        for _ in 0..100 {
            spoken.feed(&[b'x'; 1024], |_| panic!("no line yet"));
        }
        assert_eq!(spoken.partial.len(), LINE_MAX);
    }
}
