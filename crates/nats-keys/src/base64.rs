//! Base64 (RFC 4648, sections 4 and 5), as forgiving as the reference: line ends are skipped, left-over bits are not looked at.

use crate::Error;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `bytes` in the URL-safe alphabet, without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let held = group.iter().fold(0_u32, |held, &byte| (held << 8) | u32::from(byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let value = (held >> (18 - 6 * place)) & 63;
            text.push(LETTERS.get(value as usize).copied().map_or('A', char::from));
        }
    }
    text
}

/// The bytes of URL-safe text without padding.
///
/// # Errors
/// [`Error::Encoding`] for another letter (padding, too) or an impossible length.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    decode_with(text, b'-', b'_')
}

/// The bytes of a client's signature: URL-safe without padding, or the standard alphabet with it.
///
/// # Errors
/// [`Error::Encoding`] when it is neither.
pub fn decode_signature(text: &[u8]) -> Result<Vec<u8>, Error> {
    decode(text).or_else(|_| decode_padded(text))
}

fn decode_padded(text: &[u8]) -> Result<Vec<u8>, Error> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let bare = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(&text);
    if text.len().is_multiple_of(4) { decode_with(bare, b'+', b'/') } else { Err(Error::Encoding) }
}

fn decode_with(text: &[u8], sixty_two: u8, sixty_three: u8) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut held, mut bits) = (0_u32, 0);
    for &letter in text {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'\r' | b'\n' => continue,
            _ if letter == sixty_two => 62,
            _ if letter == sixty_three => 63,
            _ => return Err(Error::Encoding),
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 255).unwrap_or_default());
            held &= (1 << bits) - 1;
        }
    }
    // A lone letter of a group cannot be a byte.
    if bits == 6 { Err(Error::Encoding) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (plain, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), plain.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        assert_eq!(decode(b"Zm\r\n9v").unwrap(), b"foo");
        assert_eq!(decode(b"Zh").unwrap(), b"f", "left-over bits are not looked at");
    }

    #[test]
    fn what_is_no_base64() {
        for bad in ["Z", "Zm9vY", "Zg==", "-+", "Zm 9v", "Zm8=", "\u{e4}"] {
            assert_eq!(decode(bad.as_bytes()), Err(Error::Encoding), "{bad}");
        }
    }

    #[test]
    fn a_signature_may_be_padded_and_standard() {
        for (text, bytes) in [("-_8", &[0xfb, 0xff][..]), ("+/8=", &[0xfb, 0xff]), ("Zg==", b"f"), ("Zm9v", b"foo")] {
            assert_eq!(decode_signature(text.as_bytes()).unwrap(), bytes, "{text}");
        }
        for bad in ["+/8", "-_8=", "=", "Zg=", "Z===", "Zg==Zg=="] {
            assert_eq!(decode_signature(bad.as_bytes()), Err(Error::Encoding), "{bad}");
        }
    }
}
