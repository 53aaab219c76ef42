//! What accounts give each other.

use super::json::wrong;
use super::{Fields, is_absent};
use crate::Error;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Keys, and the second up to which what they were given is worth nothing. The key `*` is everybody.
pub type Revocations = BTreeMap<String, i64>;

/// True when what was issued to `key` at second `issued_at` is worth nothing any more.
#[must_use]
pub fn is_revoked(revocations: &Revocations, key: &str, issued_at: i64) -> bool {
    [key, "*"].into_iter().filter_map(|key| revocations.get(key)).any(|&until| until >= issued_at)
}

pub(super) fn revocations(fields: Fields<'_>) -> Result<Revocations, Error> {
    let read = |(key, until): (&String, &Value)| Some((key.clone(), until.as_i64()?));
    fields.entries("revocations")?.map(|entry| read(entry).ok_or_else(|| wrong("revocations"))).collect()
}

/// Whether messages flow to the importer or requests to the exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Messages flow to the importer.
    Stream,
    /// Requests flow to the exporter, replies back.
    Service,
}

impl Kind {
    pub(super) fn read(fields: Fields<'_>, name: &str) -> Result<Self, Error> {
        match fields.get(name).and_then(Value::as_str) {
            Some("stream") => Ok(Self::Stream),
            Some("service") => Ok(Self::Service),
            Some(_) | None => Err(wrong(name)),
        }
    }
}

/// How many replies a request has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum ResponseType {
    /// One.
    #[default]
    Singleton,
    /// Any number.
    Stream,
    /// One in several parts.
    Chunked,
}

impl ResponseType {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        match fields.text("response_type")?.as_str() {
            "" | "Singleton" => Ok(Self::Singleton),
            "Stream" => Ok(Self::Stream),
            "Chunked" => Ok(Self::Chunked),
            _ => Err(wrong("response_type")),
        }
    }
}

/// Where measurements of a service's replies are published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Percentage of requests that are measured; 0: those whose headers ask for it.
    pub sampling: u8,
    /// Subject.
    pub results: String,
}

impl Latency {
    fn read(fields: Fields<'_>) -> Result<Option<Self>, Error> {
        let Some(value) = fields.get("service_latency") else { return Ok(None) };
        let fields = Fields::of(value, "service_latency")?;
        let sampling = match fields.get("sampling") {
            Some(Value::String(text)) if text.eq_ignore_ascii_case("headers") => 0,
            Some(_) | None => u8::try_from(fields.number("sampling", 0)?).map_err(|_| wrong("sampling"))?,
        };
        Ok(Some(Self { sampling, results: fields.text("results")? }))
    }
}

impl Serialize for Latency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        match self.sampling {
            0 => map.serialize_entry("sampling", "headers")?,
            percent => map.serialize_entry("sampling", &percent)?,
        }
        map.serialize_entry("results", &self.results)?;
        map.end()
    }
}

/// Something an account offers to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// A name for people.
    #[serde(skip_serializing_if = "is_absent")]
    pub name: String,
    /// Subject or pattern.
    pub subject: String,
    /// Stream or service.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether an importer must show an activation token.
    #[serde(rename = "token_req", skip_serializing_if = "is_absent")]
    pub token_required: bool,
    /// Accounts whose activation tokens are worth nothing.
    #[serde(skip_serializing_if = "is_absent")]
    pub revocations: Revocations,
    /// How many replies a request has.
    #[serde(skip_serializing_if = "is_absent")]
    pub response_type: ResponseType,
    /// How long replies are waited for, in nanoseconds; 0: as the server has it.
    #[serde(rename = "response_threshold", skip_serializing_if = "is_absent")]
    pub response_threshold_ns: i64,
    /// Whether replies are measured.
    #[serde(rename = "service_latency", skip_serializing_if = "is_absent")]
    pub latency: Option<Latency>,
    /// The token of `subject`, counted from 1, that must be the importer's public key; 0: none.
    #[serde(skip_serializing_if = "is_absent")]
    pub account_token_position: u64,
    /// Whether tools should show it.
    #[serde(skip_serializing_if = "is_absent")]
    pub advertise: bool,
    /// Whether traced messages may pass on their trace.
    #[serde(skip_serializing_if = "is_absent")]
    pub allow_trace: bool,
}

impl Export {
    /// An export for everybody.
    #[must_use]
    pub fn new(kind: Kind, subject: &str) -> Self {
        Self {
            name: String::new(),
            subject: subject.to_owned(),
            kind,
            token_required: false,
            revocations: Revocations::new(),
            response_type: ResponseType::Singleton,
            response_threshold_ns: 0,
            latency: None,
            account_token_position: 0,
            advertise: false,
            allow_trace: false,
        }
    }

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: fields.text("name")?,
            subject: fields.text("subject")?,
            kind: Kind::read(fields, "type")?,
            token_required: fields.truth("token_req")?,
            revocations: revocations(fields)?,
            response_type: ResponseType::read(fields)?,
            response_threshold_ns: fields.number("response_threshold", 0)?,
            latency: Latency::read(fields)?,
            account_token_position: fields.count("account_token_position")?,
            advertise: fields.truth("advertise")?,
            allow_trace: fields.truth("allow_trace")?,
        })
    }
}

/// Something an account takes from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    /// A name for people.
    #[serde(skip_serializing_if = "is_absent")]
    pub name: String,
    /// Where messages are published: for a stream in the exporter's account; for a service, unless `local_subject` says so, in the
    /// importer's.
    pub subject: String,
    /// The exporter's public key.
    pub account: String,
    /// An activation token, where the export asks for one.
    #[serde(skip_serializing_if = "is_absent")]
    pub token: String,
    /// Where messages arrive: for a stream a prefix in the importer's account, for a service the subject in the exporter's. Older form.
    #[serde(skip_serializing_if = "is_absent")]
    pub to: String,
    /// The subject in the importer's account, with `$1` and so on for wildcards of `subject`. Newer form; excludes `to`.
    #[serde(skip_serializing_if = "is_absent")]
    pub local_subject: String,
    /// Stream or service.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether the exporter learns who asks.
    #[serde(skip_serializing_if = "is_absent")]
    pub share: bool,
    /// Whether traced messages may pass on their trace.
    #[serde(skip_serializing_if = "is_absent")]
    pub allow_trace: bool,
}

impl Import {
    /// An import under the subject it has at the exporter's.
    #[must_use]
    pub fn new(kind: Kind, account: &str, subject: &str) -> Self {
        Self {
            name: String::new(),
            subject: subject.to_owned(),
            account: account.to_owned(),
            token: String::new(),
            to: String::new(),
            local_subject: String::new(),
            kind,
            share: false,
            allow_trace: false,
        }
    }

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: fields.text("name")?,
            subject: fields.text("subject")?,
            account: fields.text("account")?,
            token: fields.text("token")?,
            to: fields.text("to")?,
            local_subject: fields.text("local_subject")?,
            kind: Kind::read(fields, "type")?,
            share: fields.truth("share")?,
            allow_trace: fields.truth("allow_trace")?,
        })
    }
}
