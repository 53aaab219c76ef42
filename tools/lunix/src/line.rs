//! A payload as one line of text.

/// The payload in one line, safe to show on a terminal and to read back.
///
/// JSON stays JSON: line breaks between its parts become blanks, and control characters that it may hold unescaped (U+007F to
/// U+009F) are escaped as `\u009b`. Anything else is text: `\n`, `\r`, `\t` and `\\` for these four, `\xNN` for other control
/// characters and for bytes that are no UTF-8.
#[must_use]
pub fn shown(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => json(text),
        Ok(_) | Err(_) => escaped(payload),
    }
}

fn json(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Within a JSON string these would have to be escaped, so this one is between its parts.
            '\n' | '\r' | '\t' => line.push(' '),
            c if c.is_control() => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => line.push(c),
        }
    }
    line
}

/// Text as it is where that is one line and shows safely, else [`escaped`].
#[must_use]
pub fn plain(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        Ok(_) | Err(_) => escaped(bytes),
    }
}

/// Text in one line, by the rules of [`shown`] for what is no JSON.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let mut line = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => line.push_str("\\n"),
                '\r' => line.push_str("\\r"),
                '\t' => line.push_str("\\t"),
                '\\' => line.push_str("\\\\"),
                c if c.is_control() => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_hex(&mut line, byte)),
                c => line.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| push_hex(&mut line, *byte));
    }
    line
}

fn push_hex(line: &mut String, byte: u8) {
    line.push_str(&format!("\\x{byte:02x}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_become_one_line() {
        let table: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"hello", "hello"),
            (b"{\"a\":\"b\\nc\"}", "{\"a\":\"b\\nc\"}"),
            (b"{\n\t\"a\": 1\r\n}", "{  \"a\": 1  }"),
            ("\"\u{9b}2J\"".as_bytes(), "\"\\u009b2J\""),
            (b"a\nb\r\tc\\d", "a\\nb\\r\\tc\\\\d"),
            (b"\x1b[2J\x07", "\\x1b[2J\\x07"),
            ("\u{9b}2J \u{e4}".as_bytes(), "\\xc2\\x9b2J \u{e4}"),
            (b"\xff{}", "\\xff{}"),
            (b"{\"a\":", "{\"a\":"),
            (b"42\n", "42 "),
        ];
        for (payload, line) in table {
            assert_eq!(shown(payload), *line, "{}", payload.escape_ascii());
        }
    }

    #[test]
    fn no_payload_makes_two_lines_or_moves_the_cursor() {
        for byte in 0..=u8::MAX {
            for payload in [vec![byte], vec![b'"', byte, b'"'], vec![byte, b'{', b'}'], vec![b'"', 0xc2, byte, b'"']] {
                assert!(!shown(&payload).chars().any(char::is_control), "{}", payload.escape_ascii());
            }
        }
    }
}
