//! The README's blocks, for the tests that run them.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use testkit::{Error, Result};

/// The fenced blocks of a language, in order.
///
/// # Errors
/// When the README cannot be read.
pub fn blocks(language: &str) -> Result<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
    let fence = format!("```{language}\n");
    let mut blocks = Vec::new();
    for part in text.split(&fence).skip(1) {
        blocks.extend(part.split_once("```").map(|(block, _)| block.to_owned()));
    }
    Ok(blocks)
}

/// The event that the README shows under a subject.
///
/// # Errors
/// When it shows none.
pub fn event(subject: &str) -> Result<Value> {
    let consoles = blocks("console")?.join("\n");
    let json = consoles.lines().find_map(|line| line.strip_prefix(subject)?.strip_prefix(' '));
    let json = json.ok_or_else(|| Error::unexpected(format!("the README shows no {subject}")))?;
    serde_json::from_str(json).map_err(|error| Error::unexpected(format!("the README's {subject}: {error}")))
}

/// All fields of a value with their types: `filesystems/0/label: string`.
#[must_use]
pub fn shape(value: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    walk(value, String::new(), &mut lines);
    lines
}

fn walk(value: &Value, path: String, lines: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| walk(value, format!("{path}/{index}"), lines));
            "array"
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| walk(value, format!("{path}/{name}"), lines));
            "object"
        }
    };
    lines.insert(format!("{path}: {kind}"));
}
