//! AsyncAPI 3 documents.

use crate::schema;
use interfaces::catalogue::{Domain, Kind, Message};
use serde_json::{Map, Value, json};

/// The document of one domain, from the client's point of view: it receives events and sends requests and commands.
pub fn document(domain: &Domain) -> String {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for message in &domain.messages {
        let id = message.type_name;
        channels.insert(id.into(), channel(message));
        operations.insert(format!("{}{id}", verb(message.kind)), operation(message));
        messages.insert(id.into(), described(message));
    }
    schema::pretty(&json!({
        "asyncapi": "3.0.0",
        "info": {"title": format!("lunix {}", domain.name), "version": env!("CARGO_PKG_VERSION"),
            "description": format!("{} Served by {}.", domain.summary, domain.daemon)},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }))
}

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "on",
        Kind::Request => "request",
        Kind::Command => "send",
    }
}

fn channel(message: &Message) -> Value {
    let id = message.type_name;
    let address = message.subject.replace("...>", ">").replace('<', "{").replace('>', "}");
    let names = address.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameters: Map<String, Value> = names.map(|name| (name.to_owned(), json!({}))).collect();
    let mut channel = json!({"address": address, "messages": {id: {"$ref": format!("#/components/messages/{id}")}}});
    if !parameters.is_empty() {
        channel["parameters"] = Value::Object(parameters);
    }
    channel
}

fn operation(message: &Message) -> Value {
    let id = message.type_name;
    let action = if message.kind == Kind::Event { "receive" } else { "send" };
    json!({"action": action, "channel": {"$ref": format!("#/channels/{id}")}, "summary": message.summary})
}

fn described(message: &Message) -> Value {
    let mut payload = schema::clean(message);
    rebase(&mut payload, message.type_name);
    json!({
        "name": message.type_name,
        "summary": message.summary,
        "payload": payload,
        "examples": [{"payload": message.example}],
    })
}

/// Inside this document the schema's own definitions lie elsewhere.
fn rebase(value: &mut Value, id: &str) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get_mut("$ref") {
                *target = target.replace("#/$defs/", &format!("#/components/messages/{id}/payload/$defs/"));
            }
            fields.values_mut().for_each(|field| rebase(field, id));
        }
        Value::Array(values) => values.iter_mut().for_each(|field| rebase(field, id)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
