//! TypeScript types.

use crate::schema::{self, named};
use interfaces::catalogue::Domain;
use serde_json::Value;
use std::fmt::Write as _;

/// One module with every type.
pub fn types(domains: &[Domain]) -> String {
    let mut text = String::from("// Generated from crates/interfaces by `cargo xtask codegen`.\n");
    text.push_str(&schema::declarations(domains, declaration).concat());
    text
}

fn declaration(message: &str, name: &str, whole: &Value) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "\n/** {} */", whole["description"].as_str().unwrap_or_default());
    let name = named(message, name);
    if whole["properties"].is_object() {
        let _ = writeln!(text, "export interface {name} {{");
        for (field, field_schema, always) in schema::fields(whole) {
            let description = field_schema["description"].as_str().unwrap_or_default();
            let mark = if always { "" } else { "?" };
            let _ = writeln!(text, "  /** {description} */\n  {field}{mark}: {}", kind(message, field_schema));
        }
        text.push_str("}\n");
    } else {
        let _ = writeln!(text, "export type {name} = {}", kind(message, whole));
    }
    text
}

fn kind(message: &str, field: &Value) -> String {
    if let Some(name) = schema::reference(field) {
        return named(message, name);
    }
    if let Some(words) = words(field) {
        return words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" | ");
    }
    match field["type"].as_str() {
        Some("string") => "string".into(),
        Some("integer" | "number") => "number".into(),
        Some("boolean") => "boolean".into(),
        Some("array") => format!("{}[]", kind(message, &field["items"])),
        Some(_) | None => "unknown".into(),
    }
}

/// The words of an enumeration, however the schema spells it.
pub fn words(field: &Value) -> Option<Vec<&str>> {
    if let Some(words) = field["enum"].as_array() {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let options = field["oneOf"].as_array()?;
    let words: Vec<&str> = options
        .iter()
        .flat_map(|option| option["const"].as_str().into_iter().chain(words(option).into_iter().flatten()))
        .collect();
    (!words.is_empty()).then_some(words)
}
