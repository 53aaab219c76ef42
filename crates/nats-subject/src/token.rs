//! Arbitrary text as one token, and back.
//!
//! The scheme: `a`–`z`, `0`–`9` and `-` stand for themselves; every other byte is `_` and two lower-case hexadecimal digits; the
//! empty text is `_` alone. Each text has exactly one encoding, and only that one is decoded.

use alloc::string::String;
use alloc::vec::Vec;

const HEX: &[u8; 16] = b"0123456789abcdef";

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// Encodes `text` as one token of `[a-z0-9_-]`, at most three bytes per byte of text.
///
/// ```
/// assert_eq!(nats_subject::encode_token(b"wlan0"), "wlan0");
/// assert_eq!(nats_subject::encode_token("Café.5G".as_bytes()), "_43af_c3_a9_2e5_47");
/// ```
#[must_use]
pub fn encode_token(text: &[u8]) -> String {
    if text.is_empty() {
        return String::from("_");
    }
    let mut token = String::with_capacity(text.len());
    for &byte in text {
        if stands_for_itself(byte) {
            token.push(char::from(byte));
        } else {
            token.push('_');
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
    if token == b"_" {
        return Some(Vec::new());
    }
    let mut text = Vec::with_capacity(token.len());
    let mut rest = token;
    while let Some((&byte, after)) = rest.split_first() {
        if stands_for_itself(byte) {
            text.push(byte);
            rest = after;
        } else if let (b'_', [high, low, after @ ..]) = (byte, after) {
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
        for token in [&b""[..], b"A", b"_4", b"_4G", b"_4A", b"_61", b"a.b", b"__", b"a_"] {
            assert_eq!(decode_token(token), None, "{}", token.escape_ascii());
        }
    }
}
