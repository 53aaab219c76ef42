//! The argument of a request or command: plain text, a JSON string or a JSON object.

use crate::Text;
use serde_json::{Map, Value};
use std::fmt;

/// An argument as received. Empty, `""`, `null` and `{}` all mean none.
///
/// ```
/// use interfaces::Argument;
/// assert_eq!(Argument::parse(b"null").unwrap(), Argument::None);
/// assert_eq!(Argument::parse(b"usb").unwrap().text("class").unwrap().unwrap(), "usb");
/// assert_eq!(Argument::parse(b"\"usb\"").unwrap().text("class").unwrap().unwrap(), "usb");
/// assert_eq!(Argument::parse(b"{\"class\":\"usb\"}").unwrap().text("class").unwrap().unwrap(), "usb");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Argument<'a> {
    /// No argument.
    None,
    /// Plain text, or the value of a JSON string.
    Text(Text<'a>),
    /// A JSON object with at least one field.
    Object(Map<String, Value>),
}

/// Why an argument is refused; always code 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes are not UTF-8.
    NotText,
    /// It starts like a JSON object or string but is none; the parser's sentence.
    Json(String),
    /// A field has another type than expected.
    Field {
        /// The field's name.
        field: String,
        /// What was expected, with its article.
        expected: &'static str,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => f.write_str("the argument is not UTF-8"),
            Self::Json(why) => write!(f, "the argument is not valid JSON: {why}"),
            Self::Field { field, expected } => write!(f, "the field {field} of the argument must be {expected}"),
        }
    }
}

impl std::error::Error for Malformed {}

impl<'a> Argument<'a> {
    /// Reads a payload. What starts with `{` or `"` is JSON; anything else is plain text as it stands, without a final line end.
    ///
    /// # Errors
    /// [`Malformed::NotText`] and [`Malformed::Json`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(payload).map_err(|_| Malformed::NotText)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let json = |error: serde_json::Error| Malformed::Json(error.to_string());
        match text.trim_start().as_bytes().first() {
            Some(b'{') => {
                let object: Map<String, Value> = serde_json::from_str(text).map_err(json)?;
                Ok(if object.is_empty() { Self::None } else { Self::Object(object) })
            }
            Some(b'"') => {
                let string: String = serde_json::from_str(text).map_err(json)?;
                Ok(if string.is_empty() { Self::None } else { Self::Text(string.into()) })
            }
            None => Ok(Self::None),
            Some(_) if text.trim() == "null" => Ok(Self::None),
            Some(_) => Ok(Self::Text(text.into())),
        }
    }

    /// The argument's one word: the whole text, or the string in the object's field of that name; `None` when it is absent.
    ///
    /// # Errors
    /// [`Malformed::Field`] when the field is not a string.
    pub fn text(&self, field: &str) -> Result<Option<&str>, Malformed> {
        match self {
            Self::None => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Object(object) => match object.get(field) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    Err(Malformed::Field { field: field.to_owned(), expected: "a string" })
                }
            },
        }
    }

    /// The argument's one number: the whole text, or the number (or its digits) in the object's field of that name; `None` when it is absent.
    ///
    /// # Errors
    /// [`Malformed::Field`] when it is no number from 0 on.
    pub fn number(&self, field: &str) -> Result<Option<u64>, Malformed> {
        let wrong = || Malformed::Field { field: field.to_owned(), expected: "a number from 0 on" };
        if let Self::Object(object) = self
            && let Some(Value::Number(number)) = object.get(field)
        {
            return number.as_u64().map(Some).ok_or_else(wrong);
        }
        let text = self.text(field).map_err(|_| wrong())?;
        text.map(|text| text.trim().parse().map_err(|_| wrong())).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_forms_mean_no_argument() {
        for payload in ["", "\"\"", "null", "{}", " {} ", "null\n", "\n"] {
            assert_eq!(Argument::parse(payload.as_bytes()).unwrap(), Argument::None, "{payload:?}");
        }
    }

    #[test]
    fn plain_text_keeps_its_words_and_loses_one_line_end() {
        assert_eq!(Argument::parse(b"hello world\n").unwrap(), Argument::Text("hello world".into()));
        assert_eq!(Argument::parse(b"[1]").unwrap(), Argument::Text("[1]".into()));
    }

    #[test]
    fn numbers_come_as_text_or_as_numbers() {
        for payload in ["20", "\"20\"", "{\"lines\":20}", "{\"lines\":\"20\"}", " 20 "] {
            assert_eq!(Argument::parse(payload.as_bytes()).unwrap().number("lines"), Ok(Some(20)), "{payload}");
        }
        assert_eq!(Argument::None.number("lines"), Ok(None));
        for payload in ["many", "-1", "{\"lines\":1.5}", "{\"lines\":[]}", "{\"lines\":-1}"] {
            let why = Argument::parse(payload.as_bytes()).unwrap().number("lines").unwrap_err().to_string();
            assert_eq!(why, "the field lines of the argument must be a number from 0 on", "{payload}");
        }
    }

    #[test]
    fn broken_arguments_are_refused_with_a_sentence() {
        let sentence = |payload: &[u8]| Argument::parse(payload).unwrap_err().to_string();
        assert_eq!(sentence(b"\xff"), "the argument is not UTF-8");
        assert!(sentence(b"{\"class\":").starts_with("the argument is not valid JSON: EOF while parsing"));
        let object = Argument::parse(b"{\"class\":1}").unwrap();
        assert_eq!(object.text("class").unwrap_err().to_string(), "the field class of the argument must be a string");
    }
}
