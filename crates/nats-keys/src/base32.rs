//! Base32 (RFC 4648, section 6) without padding, upper case, canonical only.

use crate::Error;

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Letters for `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0);
    for &byte in bytes {
        held = (held << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

fn letter(value: u32) -> char {
    LETTERS.get((value & 31) as usize).copied().map_or('A', char::from)
}

/// Writes the bytes that `text` stands for into `out`; returns how many.
///
/// # Errors
/// [`Error::Encoding`] for a letter outside the alphabet, a length that cannot be, or bits left over; [`Error::KeyLength`] when `out` is
/// too small.
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    let (mut held, mut bits, mut count) = (0_u32, 0, 0);
    for &letter in text {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return Err(Error::Encoding),
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *out.get_mut(count).ok_or(Error::KeyLength)? = u8::try_from((held >> bits) & 255).unwrap_or_default();
            held &= (1 << bits) - 1;
            count += 1;
        }
    }
    if bits >= 5 || held != 0 { Err(Error::Encoding) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<Vec<u8>, Error> {
        let mut out = [0; 16];
        decode(text.as_bytes(), &mut out).map(|len| out[..len].to_vec())
    }

    #[test]
    fn the_vectors_of_the_rfc() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decoded(text).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn what_is_no_base32() {
        for bad in ["my", "M", "MZX", "MZ", "MZXW6Y", "M0", "M=", "MY======", "M Y", "MZXW61"] {
            assert_eq!(decoded(bad), Err(Error::Encoding), "{bad}");
        }
        assert_eq!(decoded(&"A".repeat(32)), Err(Error::KeyLength));
    }
}
