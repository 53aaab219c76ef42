//! Arbitrary text as one token, and back.
//!
//! The scheme is percent-encoding (RFC 3986, section 2.1), which every language can undo: letters, digits, `-` and `_` stand for
//! themselves; every other byte is `%` and two upper-case hexadecimal digits; the empty text, which has no token, is `%` alone. Each
//! text has exactly one encoding, and only that one is decoded.

use alloc::string::String;
use alloc::vec::Vec;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Encodes `text` as one token of `[A-Za-z0-9_%-]`, at most three bytes per byte of text.
///
/// ```
/// assert_eq!(nats_subject::encode_token(b"wlan0"), "wlan0");
/// assert_eq!(nats_subject::encode_token("Café.5G".as_bytes()), "Caf%C3%A9%2E5G");
/// ```
#[must_use]
pub fn encode_token(text: &[u8]) -> String {
    if text.is_empty() {
        return String::from("%");
    }
    let mut token = String::with_capacity(text.len());
    for &byte in text {
        if stands_for_itself(byte) {
            token.push(char::from(byte));
        } else {
            token.push('%');
            for digit in [byte >> 4, byte & 15] {
                token.push(char::from(HEX.get(usize::from(digit)).copied().unwrap_or(b'0')));
            }
        }
    }
    token
}

/// The text that [`encode_token`] made `token` from; `None` when it made no such token.
#[must_use]
pub fn decode_token(token: &[u8]) -> Option<Vec<u8>> {
    if token == b"%" {
        return Some(Vec::new());
    }
    let mut text = Vec::with_capacity(token.len());
    let mut rest = token;
    while let Some((&byte, after)) = rest.split_first() {
        if stands_for_itself(byte) {
            text.push(byte);
            rest = after;
        } else if let (b'%', [high, low, after @ ..]) = (byte, after) {
            let byte = (digit(*high)? << 4) | digit(*low)?;
            if stands_for_itself(byte) {
                return None;
            }
            text.push(byte);
            rest = after;
        } else {
            return None;
        }
    }
    (!text.is_empty()).then_some(text)
}

fn digit(letter: u8) -> Option<u8> {
    HEX.iter().position(|&hex| hex == letter).and_then(|place| u8::try_from(place).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_is_one_valid_token() {
        for text in [&b""[..], b"a", b"_", b"A.b", b"*", b">", b" \r\n", b"\x00\xff", "Größe".as_bytes(), b"-_-"] {
            let token = encode_token(text);
            assert!(crate::is_valid_publish(token.as_bytes()) && !token.contains('.'), "{token}");
            assert_eq!(decode_token(token.as_bytes()).as_deref(), Some(text), "{token}");
        }
        for byte in 0..=255 {
            assert_eq!(decode_token(encode_token(&[byte]).as_bytes()), Some(alloc::vec![byte]));
        }
    }

    #[test]
    fn what_was_never_encoded_is_not_decoded() {
        for token in [&b""[..], b"%4", b"%4G", b"%2e", b"%61", b"a.b", b"%%", b"a%", b"a b"] {
            assert_eq!(decode_token(token), None, "{}", token.escape_ascii());
        }
    }
}
