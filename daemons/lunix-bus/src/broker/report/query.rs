//! The part of a request after the question mark.

/// `name=value` pairs between `&`; values are percent-encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The first value of `name`, decoded.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let mut pairs = self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|&(known, _)| known == name).map(|(_, value)| decode(value))
    }

    /// A truth value as Go reads it; absent and empty are false.
    pub(crate) fn truth(&self, name: &str) -> Result<bool, String> {
        match self.text(name).unwrap_or_default().as_str() {
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            odd => {
                Err(format!("Error decoding boolean for '{name}': strconv.ParseBool: parsing {odd:?}: invalid syntax"))
            }
        }
    }

    /// A number; `default` when absent.
    pub(crate) fn number(&self, name: &str, default: usize) -> Result<usize, String> {
        let Some(text) = self.text(name).filter(|text| !text.is_empty()) else { return Ok(default) };
        let odd = |_| format!("Error decoding int for '{name}': strconv.Atoi: parsing {text:?}: invalid syntax");
        text.parse().map_err(odd)
    }
}

/// Undoes percent-encoding; what is none stays as it is.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        match escaped {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => out.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = Query::new("acc=%24G&subs=1&limit=&x&offset=7&bad=%4&acc=second");
        assert_eq!(query.text("acc").as_deref(), Some("$G"));
        assert_eq!((query.truth("subs"), query.truth("none")), (Ok(true), Ok(false)));
        assert_eq!((query.number("limit", 5), query.number("offset", 0)), (Ok(5), Ok(7)));
        assert_eq!((query.text("x").as_deref(), query.text("bad").as_deref()), (Some(""), Some("%4")));
        assert!(query.number("acc", 0).is_err() && query.truth("acc").is_err());
    }
}
