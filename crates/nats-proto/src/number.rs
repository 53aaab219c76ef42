//! Decimal numbers, read and written without allocation.

/// Digits of the largest `u64`.
const DIGITS: usize = 20;

/// Digits a size may have on the wire: below one gigabyte, as in the reference server.
const SIZE_DIGITS: usize = 9;

/// Reads a size: one to nine digits, nothing else. `None` otherwise.
#[must_use]
pub fn parse_size(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || digits.len() > SIZE_DIGITS {
        return None;
    }
    digits.iter().try_fold(0_usize, |sum, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| sum * 10 + usize::from(digit))
    })
}

/// Reads an unsigned number; `None` for anything but digits or when it does not fit.
pub(crate) fn parse_u64(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.wrapping_sub(b'0');
        if digit < 10 { sum.checked_mul(10)?.checked_add(u64::from(digit)) } else { None }
    })
}

/// A number as decimal digits, on the stack.
///
/// ```
/// assert_eq!(nats_proto::Decimal::new(4222).as_bytes(), b"4222");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    digits: [u8; DIGITS],
    start: usize,
}

impl Decimal {
    /// Writes `number` out.
    #[must_use]
    pub fn new(mut number: u64) -> Self {
        let mut digits = [b'0'; DIGITS];
        let mut start = DIGITS;
        for digit in digits.iter_mut().rev() {
            start -= 1;
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    /// The digits, without leading zeros; `0` for zero.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

impl From<usize> for Decimal {
    fn from(number: usize) -> Self {
        Self::new(number as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for number in [0, 1, 9, 10, 99, 100, 4222, 65_535, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            assert_eq!(Decimal::new(number).as_bytes(), number.to_string().as_bytes());
            assert_eq!(parse_u64(number.to_string().as_bytes()), Some(number));
        }
    }

    #[test]
    fn sizes_are_one_to_nine_digits() {
        assert_eq!(parse_size(b"0"), Some(0));
        assert_eq!(parse_size(b"000000012"), Some(12));
        assert_eq!(parse_size(b"999999999"), Some(999_999_999));
        for bad in [&b""[..], b"-1", b"+1", b"1a", b"0000000001", b"9223372036854775808", b" 1"] {
            assert_eq!(parse_size(bad), None);
        }
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b""), None);
    }
}
