//! One field of a JSON payload: `--get`.

use crate::line;
use serde_json::Value;

/// The field at `path` (`filesystems.0.label`: names and, in lists, places from 0) as bytes without a newline: strings as they
/// are, other values as JSON. `None` when the payload is no JSON, has no such field, or the field is `null`.
///
/// Unless `raw`, the result is one line: line breaks and control characters in strings are escaped, so that a label made up by
/// somebody else cannot pretend to be a second line.
#[must_use]
pub fn get(payload: &[u8], path: &str, raw: bool) -> Option<Vec<u8>> {
    let whole: Value = serde_json::from_slice(payload).ok()?;
    match find(&whole, path)? {
        Value::Null => None,
        Value::String(text) if raw => Some(text.clone().into_bytes()),
        Value::String(text) => Some(line::plain(text.as_bytes()).into_bytes()),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(line::shown(other.to_string().as_bytes()).into_bytes())
        }
    }
}

/// A name may hold dots itself, so the longest one that fits is tried first.
fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = step(value, path) {
        return Some(found);
    }
    let dots = path.char_indices().rev().filter(|(_, c)| *c == '.').map(|(at, _)| at);
    dots.filter_map(|at| Some((path.get(..at)?, path.get(at + 1..)?)))
        .find_map(|(name, rest)| find(step(value, name)?, rest))
}

fn step<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => fields.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STICK: &str = r#"{"filesystem":"/dev/sda1","n":0,"none":null,"a.b":{"c":1},"a":{"b":{"d":2}},"e\u0301":"x",
        "filesystems":[{"label":"PHOTOS","read_only":false},{"label":"evil\n/dev/sdb"}],"path":"C:\\"}"#;

    #[test]
    fn fields_are_found_and_printed() {
        let table = [
            ("filesystem", Some("/dev/sda1")),
            ("n", Some("0")),
            ("filesystems.0.label", Some("PHOTOS")),
            ("filesystems.0.read_only", Some("false")),
            ("filesystems.0", Some(r#"{"label":"PHOTOS","read_only":false}"#)),
            ("filesystems.1.label", Some("evil\\n/dev/sdb")),
            ("a.b.c", Some("1")),
            ("a.b.d", Some("2")),
            ("path", Some("C:\\")),
            ("e\u{301}", Some("x")),
            ("none", None),
            ("filesystems.2", None),
            ("filesystems.x", None),
            ("filesystem.0", None),
            ("", None),
            ("a.", None),
            (".", None),
        ];
        for (path, expected) in table {
            let found = get(STICK.as_bytes(), path, false).map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        assert_eq!(get(b"7", "x", false), None);
        assert_eq!(get(b"hello", "x", false), None);
        assert_eq!(get(STICK.as_bytes(), "filesystems.1.label", true).unwrap(), b"evil\n/dev/sdb");
    }
}
