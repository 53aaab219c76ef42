//! JSON Schema of a message, as people should see it.

use interfaces::catalogue::{Domain, Message};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The schema under the message's own name, without what Rust's types add: a field that may be absent is never `null`, and
/// descriptions are plain text on one line.
pub fn clean(message: &Message) -> Value {
    let mut schema = message.schema.as_value().clone();
    tidy(&mut schema);
    if let Value::Object(fields) = &mut schema {
        fields.insert("title".into(), json!(message.type_name));
        fields.insert("description".into(), json!(message.summary));
    }
    schema
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".into(), only);
                }
            }
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = plain(text);
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A doc comment without its line breaks and the brackets of its links.
fn plain(text: &str) -> String {
    text.replace('\n', " ").replace("[`", "`").replace("`]", "`").replace("crate::", "")
}

/// The text of a file.
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The fields of an object's schema: name, schema, whether it is always there.
pub fn fields(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema["properties"].as_object();
    properties.into_iter().flatten().map(|(name, field)| (name.as_str(), field, required(name))).collect()
}

/// The name behind `#/$defs/Name`.
pub fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// Every type of every message in the order of their names, as `declare` writes it from message, definition (empty for the message
/// itself) and schema.
pub fn declarations(domains: &[Domain], declare: impl Fn(&str, &str, &Value) -> String) -> Vec<String> {
    let mut types = BTreeMap::new();
    for message in domains.iter().flat_map(|domain| &domain.messages) {
        let whole = clean(message);
        for (name, definition) in whole["$defs"].as_object().into_iter().flatten() {
            types.insert(named(message.type_name, name), declare(message.type_name, name, definition));
        }
        types.insert(message.type_name.to_owned(), declare(message.type_name, "", &whole));
    }
    types.into_values().collect()
}

/// Definitions are private to their message: their name gets the message's in front.
pub fn named(message: &str, definition: &str) -> String {
    format!("{message}{definition}")
}
