//! Writes JSON: names and values in order, two blanks of indentation, as monitoring answers have them.

/// A document being written; begins as an object.
#[derive(Debug)]
pub(crate) struct Json {
    out: Vec<u8>,
    depth: usize,
    /// Nothing stands yet in the innermost bracket.
    fresh: bool,
}

impl Json {
    pub(crate) fn object() -> Self {
        Self { out: vec![b'{'], depth: 1, fresh: true }
    }

    /// Closes the outermost object and hands the text over.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end(b'}');
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        quote(&mut self.out, value);
    }

    /// A text, or nothing at all when it is empty.
    pub(crate) fn text_if_any(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.text(name, value);
        }
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.out.extend_from_slice(value.to_string().as_bytes());
    }

    /// A number of thousandths, written with a point where it is not whole.
    pub(crate) fn thousandths(&mut self, name: &str, value: u64) {
        self.name(name);
        let (whole, rest) = (value / 1000, value % 1000);
        let text = if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}") };
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn truth(&mut self, name: &str, value: bool) {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// JSON as it is.
    pub(crate) fn raw(&mut self, name: &str, json: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(json);
    }

    /// Opens `{` or `[` under `name`; an item of a list has no name.
    pub(crate) fn begin(&mut self, name: &str, bracket: u8) {
        if name.is_empty() {
            self.next()
        } else {
            self.name(name)
        }
        self.out.push(bracket);
        self.depth += 1;
        self.fresh = true;
    }

    /// Closes the innermost bracket.
    pub(crate) fn end(&mut self, bracket: u8) {
        self.depth = self.depth.saturating_sub(1);
        if !self.fresh {
            self.line();
        }
        self.fresh = false;
        self.out.push(bracket);
    }

    /// A text in a list.
    pub(crate) fn item(&mut self, value: &str) {
        self.next();
        quote(&mut self.out, value);
    }

    fn name(&mut self, name: &str) {
        self.next();
        quote(&mut self.out, name);
        self.out.extend_from_slice(b": ");
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.fresh) {
            self.out.push(b',');
        }
        self.line();
    }

    fn line(&mut self) {
        self.out.push(b'\n');
        self.out.extend(std::iter::repeat_n(b' ', self.depth * 2));
    }
}

/// Writes a string in quotes (RFC 8259, section 7).
pub(crate) fn quote(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    for letter in value.chars() {
        match letter {
            '"' | '\\' => out.extend_from_slice(&[b'\\', if letter == '"' { b'"' } else { b'\\' }]),
            control if control.is_control() => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
            }
            plain => out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut json = Json::object();
        json.text("a", "x\"\\\n\u{7f}ü");
        json.begin("list", b'[');
        json.item("one");
        json.begin("", b'{');
        json.number("n", u64::MAX);
        json.thousandths("f", 500);
        json.end(b'}');
        json.end(b']');
        json.begin("empty", b'{');
        json.end(b'}');
        json.truth("t", true);
        let read: serde_json::Value = serde_json::from_slice(&json.finish()).unwrap();
        let expected = serde_json::json!({
            "a": "x\"\\\n\u{7f}ü", "list": ["one", {"n": u64::MAX, "f": 0.5}], "empty": {}, "t": true
        });
        assert_eq!(read, expected);
    }
}
