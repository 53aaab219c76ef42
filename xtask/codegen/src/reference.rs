//! The reference page of a domain.

use crate::schema;
use interfaces::catalogue::{Domain, Kind, Message};
use serde_json::Value;
use std::fmt::Write as _;

/// One page in Markdown.
pub fn page(domain: &Domain) -> String {
    let mut text = format!("# {}\n\n{} Daemon: `{}`.\n\n", domain.name, domain.summary, domain.daemon);
    text.push_str("Generated from `crates/interfaces`; see there for what holds for every message.\n\n");
    text.push_str("| subject | kind | |\n|---|---|---|\n");
    for message in &domain.messages {
        let _ = writeln!(text, "| `{}` | {} | {} |", message.subject, kind(message.kind), message.summary);
    }
    for message in &domain.messages {
        section(&mut text, message);
    }
    text
}

/// The word for a kind of message.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "event",
        Kind::Request => "request",
        Kind::Command => "command",
    }
}

fn section(text: &mut String, message: &Message) {
    let what = if message.kind == Kind::Request { "The answer:" } else { "The payload:" };
    let _ = write!(
        text,
        "\n## `{}`\n\n{} {what}\n\n```json\n{:#}\n```\n",
        message.subject, message.summary, message.example
    );
    let whole = schema::clean(message);
    table(text, &whole);
    for (name, definition) in whole["$defs"].as_object().into_iter().flatten() {
        if definition["properties"].is_object() {
            let _ = write!(text, "\n`{name}`: {}\n", definition["description"].as_str().unwrap_or_default());
            table(text, definition);
        }
    }
}

fn table(text: &mut String, whole: &Value) {
    let fields = schema::fields(whole);
    if fields.is_empty() {
        return;
    }
    text.push_str("\n| field | type | |\n|---|---|---|\n");
    for (name, field, always) in fields {
        let note = if always { "" } else { " (may be absent)" };
        let description = field["description"].as_str().unwrap_or_default().replace('|', "\\|");
        let _ = writeln!(text, "| `{name}` | {}{note} | {description} |", kind_of(field));
    }
}

/// A field's type in words.
pub fn kind_of(field: &Value) -> String {
    if let Some(name) = schema::reference(field) {
        return name.to_owned();
    }
    match field["type"].as_str() {
        Some("array") => format!("array of {}", kind_of(&field["items"])),
        Some(kind) => kind.to_owned(),
        None => "any".to_owned(),
    }
}
