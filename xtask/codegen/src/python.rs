//! Python types: typed dictionaries, which is what `json.loads` gives.

use crate::schema::{self, named};
use crate::typescript::words;
use interfaces::catalogue::Domain;
use serde_json::Value;
use std::fmt::Write as _;

/// One module with every type.
pub fn types(domains: &[Domain]) -> String {
    let mut text = String::from("# Generated from crates/interfaces by `cargo xtask codegen`.\n");
    text.push_str("from __future__ import annotations\n\nfrom typing import Any, Literal, NotRequired, TypedDict\n");
    text.push_str(&schema::declarations(domains, declaration).concat());
    text
}

fn declaration(message: &str, name: &str, whole: &Value) -> String {
    let name = named(message, name);
    let description = whole["description"].as_str().unwrap_or_default().replace('"', "'");
    let mut text = String::new();
    if whole["properties"].is_object() {
        let _ = writeln!(text, "\n\nclass {name}(TypedDict):\n    \"\"\"{description}\"\"\"\n");
        for (field, field_schema, always) in schema::fields(whole) {
            let kind = kind(message, field_schema);
            let kind = if always { kind } else { format!("NotRequired[{kind}]") };
            let _ = writeln!(text, "    {field}: {kind}");
        }
    } else {
        let _ = writeln!(text, "\n\n#: {description}\n{name} = {}", kind(message, whole));
    }
    text
}

fn kind(message: &str, field: &Value) -> String {
    if let Some(name) = schema::reference(field) {
        return named(message, name);
    }
    if let Some(words) = words(field) {
        return format!("Literal[{}]", words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "));
    }
    match field["type"].as_str() {
        Some("string") => "str".into(),
        Some("integer") => "int".into(),
        Some("number") => "float".into(),
        Some("boolean") => "bool".into(),
        Some("array") => format!("list[{}]", kind(message, &field["items"])),
        Some(_) | None => "Any".into(),
    }
}
