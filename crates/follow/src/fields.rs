//! The fields of a JSON object in their order, with their values as they were written.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What a message carries beside the fields of the thing itself.
const STAMP: [&str; 4] = ["epoch", "seq", "time", "subject"];

/// One object's fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// Reads an object; `None` when it is something else.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// The field as a string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The field as a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The field as a list of objects.
    pub(crate) fn objects(&self, name: &str) -> Option<Vec<Self>> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The thing's own fields.
    pub(crate) fn without_stamp(mut self) -> Self {
        self.0.retain(|(key, _)| !STAMP.contains(&key.as_str()));
        self
    }

    /// The object in one line.
    pub(crate) fn json(&self) -> String {
        let field = |(key, value): &(String, Box<RawValue>)| format!("{}:{}", quoted(key), value.get());
        format!("{{{}}}", self.0.iter().map(field).collect::<Vec<_>>().join(","))
    }

    /// A text that is the same for the same fields in any order.
    pub(crate) fn key(&self) -> String {
        let mut sorted = self.clone();
        sorted.0.sort_by(|(left, _), (right, _)| left.cmp(right));
        sorted.json()
    }

    /// True when `other` has every field of this one, with the same value.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|(key, value)| other.get(key).is_some_and(|found| found.get() == value.get()))
    }

    /// True when no field that both have differs.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.0.iter().all(|(key, value)| other.get(key).is_none_or(|found| found.get() == value.get()))
    }
}

fn quoted(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn order_and_writing_are_kept() {
        let thing = fields(r#"{"epoch":"e","z":[1.0],"seq":7,"a":{"y":1,"x":2},"time":"t"}"#);
        assert_eq!(
            (thing.text("epoch").as_deref(), thing.number("seq"), thing.number("a")),
            (Some("e"), Some(7), None)
        );
        assert_eq!(thing.clone().without_stamp().json(), r#"{"z":[1.0],"a":{"y":1,"x":2}}"#);
        assert_eq!(thing.without_stamp().key(), fields(r#"{"a":{"y":1,"x":2},"z":[1.0]}"#).key());
        assert_eq!(fields(r#"{"a\"b":1}"#).json(), r#"{"a\"b":1}"#);
        assert!(Fields::parse(b"[1]").is_none() && Fields::parse(b"a stick").is_none());
    }

    #[test]
    fn objects_are_compared_by_what_they_share() {
        let (small, large) = (fields(r#"{"pid":1}"#), fields(r#"{"pid":1,"exit_code":0}"#));
        assert!(small.is_within(&large) && !large.is_within(&small));
        assert!(small.agrees_with(&large) && large.agrees_with(&small));
        assert!(!small.agrees_with(&fields(r#"{"pid":2}"#)));
    }
}
