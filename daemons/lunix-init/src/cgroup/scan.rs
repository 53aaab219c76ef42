//! One line of a small file, read from left to right, a byte decided at a time and never gone back over.

/// What is left of a line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(&'a [u8]);

impl<'a> Line<'a> {
    /// A line without its end.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// True when nothing is left.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes this text if it is what comes next.
    pub fn take(&mut self, text: &[u8]) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the bytes that belong to the class.
    pub fn run(&mut self, class: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.0.iter().position(|&byte| !class(byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or((self.0, b""));
        self.0 = rest;
        taken
    }

    /// Takes a number in digits; `None` when none comes next or it is beyond 64 bits.
    pub fn number(&mut self) -> Option<u64> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return None;
        }
        digits.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
    }

    /// Takes one or more blanks; false when there is none.
    pub fn blanks(&mut self) -> bool {
        !self.run(|byte| byte == b' ' || byte == b'\t').is_empty()
    }
}

/// The lines of a file, without blanks around them; empty ones are passed over.
pub fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_piece_by_piece() {
        let mut line = Line::new(b"max 12\t x");
        assert!(!line.take(b"min") && line.take(b"max") && line.blanks());
        assert_eq!((line.number(), line.number()), (Some(12), None));
        assert!(line.blanks() && !line.blanks() && !line.is_at_end());
        assert_eq!((line.run(|byte| byte == b'x'), line.is_at_end()), (&b"x"[..], true));
        assert_eq!(Line::new(b"18446744073709551615").number(), Some(u64::MAX));
        assert_eq!(Line::new(b"18446744073709551616").number(), None);
    }

    #[test]
    fn lines_are_what_is_in_them() {
        let all: Vec<&[u8]> = lines(b"\n a b \n\n\tc\n").collect();
        assert_eq!(all, [&b"a b"[..], b"c"]);
    }
}
