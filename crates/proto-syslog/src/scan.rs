//! Reading from the left.

/// Bytes that are read from the left. Each method takes what it returns; on `None` nothing is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// One certain byte.
    pub(crate) fn byte(&mut self, wanted: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        (first == wanted).then(|| self.0 = rest)
    }

    /// A certain word.
    pub(crate) fn word(&mut self, wanted: &[u8]) -> Option<()> {
        self.0.strip_prefix(wanted).map(|rest| self.0 = rest)
    }

    /// At least one byte that `fits`, up to the first that does not.
    pub(crate) fn some(&mut self, fits: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let len = self.0.iter().position(|&byte| !fits(byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(len).filter(|_| len > 0)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of `least` to `most` digits; more digits are no number.
    pub(crate) fn number(&mut self, least: usize, most: usize) -> Option<u64> {
        let len = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(len).filter(|_| (least..=most).contains(&len))?;
        self.0 = rest;
        digits.iter().try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
    }

    /// Runs `read`; when it gives nothing, nothing is taken.
    pub(crate) fn try_take<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut ahead = *self;
        let value = read(&mut ahead)?;
        *self = ahead;
        Some(value)
    }
}
