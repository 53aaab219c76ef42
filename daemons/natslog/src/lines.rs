//! Bytes of a service's output to lines.

use crate::machine::Cut;

/// Cuts a stream into lines, however it comes in. It holds memory only while a line has begun.
#[derive(Debug, Default)]
pub struct Splitter {
    begun: Vec<u8>,
}

impl Splitter {
    /// Takes the next bytes; each line they complete goes to `each`, without its line feed (and a carriage return before it). A line of
    /// more than `line_max` bytes comes in several, of which all but the last go on.
    pub fn feed(&mut self, mut bytes: &[u8], line_max: usize, each: &mut impl FnMut(&[u8], Cut)) {
        while !bytes.is_empty() {
            let room = line_max.max(1) - self.begun.len().min(line_max.max(1));
            let end = bytes.iter().take(room + 1).position(|&byte| byte == b'\n');
            match end {
                Some(end) => {
                    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
                    self.emit(line, Cut::No, each);
                    bytes = rest.get(1..).unwrap_or_default();
                }
                None if bytes.len() > room => {
                    let (line, rest) = bytes.split_at_checked(room).unwrap_or((bytes, b""));
                    self.emit(line, Cut::GoesOn, each);
                    bytes = rest;
                }
                None => {
                    self.begun.extend_from_slice(bytes);
                    return;
                }
            }
        }
    }

    /// The stream is over: a line that has begun is one.
    pub fn finish(&mut self, each: &mut impl FnMut(&[u8], Cut)) {
        if !self.begun.is_empty() {
            self.emit(b"", Cut::No, each);
        }
    }

    fn emit(&mut self, line: &[u8], cut: Cut, each: &mut impl FnMut(&[u8], Cut)) {
        if self.begun.is_empty() {
            return each(shown(line, cut), cut);
        }
        let mut whole = std::mem::take(&mut self.begun);
        whole.extend_from_slice(line);
        each(shown(&whole, cut), cut);
    }
}

fn shown(line: &[u8], cut: Cut) -> &[u8] {
    if cut == Cut::No { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]], line_max: usize) -> Vec<(String, Cut)> {
        let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
        let mut each = |line: &[u8], cut| lines.push((String::from_utf8(line.to_vec()).unwrap(), cut));
        for piece in pieces {
            splitter.feed(piece, line_max, &mut each);
        }
        splitter.finish(&mut each);
        lines
    }

    #[test]
    fn lines_are_cut_at_line_feeds_and_at_the_limit() {
        let line = |text: &str| (text.to_owned(), Cut::No);
        let part = |text: &str| (text.to_owned(), Cut::GoesOn);
        assert_eq!(lines(&[b"a\nbc\n"], 8), [line("a"), line("bc")]);
        assert_eq!(lines(&[b"\n\r\nx\r\ny"], 8), [line(""), line(""), line("x"), line("y")]);
        assert_eq!(lines(&[b"1234567\n"], 7), [line("1234567")]);
        assert_eq!(lines(&[b"123456789abcdef\n"], 7), [part("1234567"), part("89abcde"), line("f")]);
        assert_eq!(lines(&[], 7), []);
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let text = b"one\n\ntwo and a half that is long\nthree\r\n\r\nlast";
        for line_max in [1, 4, 7, 64] {
            testkit::split::invariant(text, |pieces| lines(pieces, line_max));
        }
    }
}
