//! Strings and numbers as certificates write them.

use std::fmt::Write;

const UTF8: u8 = 0x0c;
const UNIVERSAL: u8 = 0x1c;
const BMP: u8 = 0x1e;

/// The text of a string of any type: UTF-8, UTF-16 (`BMPString`), UTF-32 (`UniversalString`), else one byte a letter.
pub(crate) fn string(tag: u8, content: &[u8]) -> String {
    match tag {
        UTF8 => String::from_utf8_lossy(content).into_owned(),
        BMP => {
            let units = content.as_chunks::<2>().0.iter().map(|&unit| u16::from_be_bytes(unit));
            char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        UNIVERSAL => {
            let letters = content.as_chunks::<4>().0.iter().map(|&letter| u32::from_be_bytes(letter));
            letters.map(|letter| char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => content.iter().copied().map(char::from).collect(),
    }
}

/// An object identifier with points: `2.5.4.3`.
pub(crate) fn identifier(content: &[u8]) -> String {
    let mut out = String::new();
    let mut number: u64 = 0;
    for &byte in content {
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        // Writing to a String does not fail.
        let _ = if out.is_empty() {
            let first = (number / 40).min(2);
            write!(out, "{first}.{}", number - first * 40)
        } else {
            write!(out, ".{number}")
        };
        number = 0;
    }
    out
}

/// A moment of validity as RFC 3339 in UTC: `2027-11-23T15:56:50Z`. `None` for what RFC 5280, section 4.1.2.5 does not allow.
pub(crate) fn time(long: bool, content: &[u8]) -> Option<String> {
    let digits = content.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let text = str::from_utf8(digits).ok()?;
    let (year, rest) = text.split_at_checked(if long { 4 } else { 2 })?;
    // Years of two digits are 1950 to 2049.
    let century = if long {
        ""
    } else if year < "50" {
        "20"
    } else {
        "19"
    };
    let part = |at: usize| rest.get(at..at + 2);
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    (rest.len() == 10).then(|| format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(string(0x13, b"Acme"), "Acme");
        assert_eq!(string(UTF8, "Zürich".as_bytes()), "Zürich");
        assert_eq!(string(BMP, &[0, b'a', 0x20, 0xac]), "a€");
        assert_eq!(string(UNIVERSAL, &[0, 0, 0, b'a']), "a");
        assert_eq!(string(0x14, b"\xfc"), "ü");
        assert_eq!(identifier(&[0x55, 4, 3]), "2.5.4.3");
        assert_eq!(identifier(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]), "1.2.840.113549.1.9.1");
        assert_eq!(time(false, b"271123155650Z").as_deref(), Some("2027-11-23T15:56:50Z"));
        assert_eq!(time(false, b"501123155650Z").as_deref(), Some("1950-11-23T15:56:50Z"));
        assert_eq!(time(true, b"20501123155650Z").as_deref(), Some("2050-11-23T15:56:50Z"));
        for bad in [&b""[..], b"Z", b"271123155650", b"27112315565Z", b"2711231556500Z", b"27112315565aZ"] {
            assert_eq!(time(false, bad), None);
        }
    }
}
