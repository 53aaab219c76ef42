//! Output of a service, cut into lines of bounded length that are safe to show.

/// Most bytes of a line; a longer one goes on in the next.
pub const LINE_MAX: usize = 1024;

/// Collects the bytes of one service's output. Holds memory only while a line is incomplete.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and hands every line that they complete to `each`, without its end and with control characters
    /// but tabs replaced by `?`.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for &byte in bytes {
            if byte != b'\n' {
                self.partial.push(if byte == b'\t' || !byte.is_ascii_control() { byte } else { b'?' });
            }
            if byte == b'\n' || self.partial.len() >= LINE_MAX {
                // A line of exactly the maximum ends here already; its own end then makes no empty line.
                if byte != b'\n' || !self.partial.is_empty() {
                    each(&self.partial);
                }
                self.partial.clear();
            }
        }
        if self.partial.is_empty() {
            self.partial = Vec::new();
        }
    }

    /// A line that has begun with these bytes.
    #[must_use]
    pub fn begun(partial: Vec<u8>) -> Self {
        Self { partial }
    }

    /// What there is of the line that has begun.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// True while a line is incomplete.
    #[must_use]
    pub fn has_part(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Hands out what is left of a line that never ended.
    pub fn flush(&mut self, each: impl FnOnce(&[u8])) {
        if !self.partial.is_empty() {
            each(&std::mem::take(&mut self.partial));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for piece in pieces {
            lines.feed(piece, |line| out.push(line.to_vec()));
        }
        lines.flush(|line| out.push(line.to_vec()));
        out
    }

    #[test]
    fn every_cut_gives_the_same_lines() {
        let text = b"one\n\ntwo\tthree\x1b[0m\nrest";
        let whole = cut(&[text]);
        assert_eq!(whole, [&b"one"[..], b"two\tthree?[0m", b"rest"]);
        for at in 0..=text.len() {
            assert_eq!(cut(&[&text[..at], &text[at..]]), whole);
        }
    }

    #[test]
    fn a_line_without_end_is_handed_out_in_bounded_pieces() {
        let mut lines = Lines::default();
        let mut lengths = Vec::new();
        lines.feed(&[b'x'; LINE_MAX * 2 + 10], |line| lengths.push(line.len()));
        assert_eq!(lengths, [LINE_MAX, LINE_MAX]);
        lines.feed(b"\n", |line| lengths.push(line.len()));
        assert_eq!((lengths[2], lines.partial.capacity()), (10, 0));
    }
}
