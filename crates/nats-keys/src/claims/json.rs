//! Reading claims out of JSON as the reference does: absent and null are the default, a wrong type is an error that names the claim,
//! keys are compared without regard to case.

use crate::Error;
use serde_json::{Map, Value};

/// The claims of one JSON object.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    /// The claims of `value`, which must be an object, or null for none.
    pub(crate) fn of(value: &'a Value, name: &str) -> Result<Self, Error> {
        match value {
            Value::Object(map) => Ok(Self(Some(map))),
            Value::Null => Ok(Self(None)),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(wrong(name)),
        }
    }

    /// The value of a claim; `None` when it is absent or null.
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        let map = self.0?;
        let exact = map.get(name);
        let found =
            exact.or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
        found.filter(|value| !value.is_null())
    }

    /// A text; empty when absent.
    pub(crate) fn text(self, name: &str) -> Result<String, Error> {
        let Some(value) = self.get(name) else { return Ok(String::new()) };
        value.as_str().map(str::to_owned).ok_or_else(|| wrong(name))
    }

    /// A whole number; `absent` when absent.
    pub(crate) fn number(self, name: &str, absent: i64) -> Result<i64, Error> {
        let Some(value) = self.get(name) else { return Ok(absent) };
        value.as_i64().ok_or_else(|| wrong(name))
    }

    /// A whole number that cannot be negative; 0 when absent.
    pub(crate) fn count(self, name: &str) -> Result<u64, Error> {
        let Some(value) = self.get(name) else { return Ok(0) };
        value.as_u64().ok_or_else(|| wrong(name))
    }

    /// A truth; false when absent.
    pub(crate) fn truth(self, name: &str) -> Result<bool, Error> {
        let Some(value) = self.get(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| wrong(name))
    }

    /// Texts; none when absent.
    pub(crate) fn texts(self, name: &str) -> Result<Vec<String>, Error> {
        self.list(name, |value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(name)))
    }

    /// What `read` makes of each item; none when absent.
    pub(crate) fn list<T>(self, name: &str, read: impl Fn(&'a Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        value.as_array().ok_or_else(|| wrong(name))?.iter().map(read).collect()
    }

    /// What `read` makes of each item, which must be an object; none when absent.
    pub(crate) fn objects<T>(self, name: &str, read: impl Fn(Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        self.list(name, |value| read(Self::of(value, name)?))
    }

    /// A nested object; one without claims when absent.
    pub(crate) fn object(self, name: &str) -> Result<Self, Error> {
        self.get(name).map_or(Ok(Self(None)), |value| Self::of(value, name))
    }

    /// Keys and values of a nested object.
    pub(crate) fn entries(self, name: &str) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Error> {
        Ok(self.object(name)?.0.into_iter().flatten())
    }
}

pub(crate) fn wrong(name: &str) -> Error {
    Error::Claim(name.to_owned())
}

/// For `skip_serializing_if`: what is left out of a token.
pub(crate) fn is_absent<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
