//! Directory names (X.501): how they are written (RFC 2253) and compared.

use crate::der::{IDENTIFIER, Reader, SEQUENCE, SET};
use crate::{Malformed, text};

/// Attributes with a short name, as Go's tools print them.
const SHORT: [(&str, &str); 10] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.17", "POSTALCODE"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// The name in the form of RFC 2253, last part first: `CN=alice,OU=Dev,O=Acme`.
pub(crate) fn write(name: Reader<'_>) -> Result<String, Malformed> {
    let (mut parts, mut reader) = (Vec::new(), name);
    while !reader.is_empty() {
        let (mut attributes, mut set) = (Vec::new(), reader.expect(SET)?.inside());
        while !set.is_empty() {
            let mut pair = set.expect(SEQUENCE)?.inside();
            let kind = text::identifier(pair.expect(IDENTIFIER)?.content);
            let value = pair.any()?;
            let kind = SHORT.iter().find(|(number, _)| *number == kind).map_or(kind.as_str(), |(_, short)| short);
            attributes.push(format!("{kind}={}", escape(&text::string(value.tag, value.content))));
        }
        parts.push(attributes.join("+"));
    }
    parts.reverse();
    Ok(parts.join(","))
}

/// Escapes what has a meaning in a name (RFC 2253, section 2.4).
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (place, letter) in value.chars().enumerate() {
        let special = matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (place == 0 && matches!(letter, ' ' | '#'))
            || (place == last && letter == ' ');
        if special {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// True when two written names have the same attributes, in whatever order and with whatever blanks around them. The kinds of
/// attributes are compared without regard to case, values as they are; what is no name equals nothing.
#[must_use]
pub fn is_same_name(one: &str, other: &str) -> bool {
    match (read(one), read(other)) {
        (Some(one), Some(other)) => one == other,
        (_, _) => false,
    }
}

/// The attributes of a name in an order of their own; `None` when it is none.
fn read(name: &str) -> Option<Vec<(String, String)>> {
    let mut attributes = Vec::new();
    let mut letters = name.chars();
    loop {
        let (kind, end) = piece(&mut letters, &['=', ',', '+', ';']);
        if end != Some('=') || kind.is_empty() {
            return None;
        }
        let (value, end) = piece(&mut letters, &[',', '+', ';']);
        let kind = kind.to_ascii_uppercase();
        let short = SHORT.iter().find(|(number, _)| *number == kind).map(|(_, short)| (*short).to_owned());
        attributes.push((short.unwrap_or(kind), value));
        if end.is_none() {
            break;
        }
    }
    attributes.sort();
    Some(attributes)
}

/// Reads up to one of `borders` that is not escaped. Returns what stands before it, without blanks around, and the border.
fn piece(letters: &mut std::str::Chars<'_>, borders: &[char]) -> (String, Option<char>) {
    let (mut text, mut kept, mut quoted) = (String::new(), 0, false);
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                text.extend(letters.next());
                kept = text.len();
            }
            '"' => quoted = !quoted,
            border if !quoted && borders.contains(&border) => {
                text.truncate(kept);
                return (text, Some(border));
            }
            ' ' if text.is_empty() && !quoted => {}
            letter => {
                text.push(letter);
                if letter != ' ' || quoted {
                    kept = text.len();
                }
            }
        }
    }
    text.truncate(kept);
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_the_same_and_not() {
        for (one, other) in [
            ("CN=a,O=b", "CN=a,O=b"),
            ("cn = a , o = b", "O=b,CN=a"),
            ("CN=a\\,b", "CN=\"a,b\""),
            ("CN=a+OU=x,O=b", "OU=x+CN=a,O=b"),
            ("DC=org,DC=acme", "dc=acme,dc=org"),
            ("CN=\\ a\\ ", "CN=\" a \""),
            ("2.5.4.3=a", "CN=a"),
        ] {
            assert!(is_same_name(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("CN=a", "CN=b"),
            ("CN=a", "CN=a,CN=a"),
            ("CN=a", "CN=A"),
            ("alice", "alice"),
            ("", ""),
            ("CN=a,", "CN=a,"),
            ("=a", "=a"),
        ] {
            assert!(!is_same_name(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(escape(" #a,b+\"c\\ "), "\\ #a\\,b\\+\\\"c\\\\\\ ");
        assert_eq!(escape("#a"), "\\#a");
        assert!(is_same_name(&format!("CN={}", escape(" x,y ")), "CN=\" x,y \""));
    }
}
