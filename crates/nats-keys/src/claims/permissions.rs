//! What a user may do, and how much.

use super::json::wrong;
use super::{Fields, is_absent};
use crate::Error;
use serde::Serialize;
use serde_json::Value;

/// What may be published and subscribed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Permissions {
    /// For publishing.
    #[serde(rename = "pub", skip_serializing_if = "is_absent")]
    pub publish: Permission,
    /// For subscribing.
    #[serde(rename = "sub", skip_serializing_if = "is_absent")]
    pub subscribe: Permission,
    /// Whether replies to received requests may be published.
    #[serde(rename = "resp", skip_serializing_if = "is_absent")]
    pub responses: Option<Responses>,
}

/// Subjects, each possibly followed by a space and a queue group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// Allowed; `None`: everything. An empty list counts for nothing where nothing is denied, either, and else allows nothing.
    #[serde(skip_serializing_if = "is_absent")]
    pub allow: Option<Vec<String>>,
    /// Denied even where allowed.
    #[serde(skip_serializing_if = "is_absent")]
    pub deny: Vec<String>,
}

/// How replies are allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Responses {
    /// Messages in reply to one request; 0: as the server has it, negative: any number.
    #[serde(rename = "max")]
    pub messages_max: i64,
    /// How long after the request, in nanoseconds; 0: as the server has it, negative: for ever.
    #[serde(rename = "ttl")]
    pub expires_ns: i64,
}

/// How much and from where. Of numbers -1 is without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Networks that the user may connect from, such as `10.0.0.0/8`; none: from anywhere.
    #[serde(rename = "src", skip_serializing_if = "is_absent")]
    pub networks: Vec<String>,
    /// Times of day at which the user may be connected; none: always.
    #[serde(skip_serializing_if = "is_absent")]
    pub times: Vec<TimeRange>,
    /// The time zone that `times` are in, a name of the IANA; UTC when empty.
    #[serde(rename = "times_location", skip_serializing_if = "is_absent")]
    pub time_zone: String,
    /// Subscriptions at one time.
    #[serde(rename = "subs", skip_serializing_if = "is_absent")]
    pub subscriptions: i64,
    /// Bytes; no server has ever looked at it.
    #[serde(skip_serializing_if = "is_absent")]
    pub data: i64,
    /// Bytes of one message.
    #[serde(skip_serializing_if = "is_absent")]
    pub payload: i64,
}

/// A part of the day, `hh:mm:ss` both; an end before the start means the next day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimeRange {
    /// First second.
    pub start: String,
    /// The second at which it is over.
    pub end: String,
}

impl Permissions {
    pub(crate) fn read(fields: Fields<'_>) -> Result<Self, Error> {
        let responses = match fields.get("resp") {
            None => None,
            Some(value) => {
                let fields = Fields::of(value, "resp")?;
                Some(Responses { messages_max: fields.number("max", 0)?, expires_ns: fields.number("ttl", 0)? })
            }
        };
        Ok(Self {
            publish: Permission::read(fields.object("pub")?)?,
            subscribe: Permission::read(fields.object("sub")?)?,
            responses,
        })
    }
}

impl Permission {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        let allow = fields.get("allow").map(|_| fields.texts("allow")).transpose()?;
        Ok(Self { allow, deny: fields.texts("deny")? })
    }
}

impl Limits {
    /// Without any limit.
    #[must_use]
    pub fn none() -> Self {
        Self { subscriptions: -1, data: -1, payload: -1, ..Self::default() }
    }

    pub(crate) fn read(fields: Fields<'_>, absent: i64) -> Result<Self, Error> {
        Ok(Self {
            networks: networks(fields)?,
            times: fields
                .objects("times", |range| Ok(TimeRange { start: range.text("start")?, end: range.text("end")? }))?,
            time_zone: fields.text("times_location")?,
            subscriptions: fields.number("subs", absent)?,
            data: fields.number("data", absent)?,
            payload: fields.number("payload", absent)?,
        })
    }
}

/// A list, or in older tokens one text with commas.
fn networks(fields: Fields<'_>) -> Result<Vec<String>, Error> {
    let Some(Value::String(text)) = fields.get("src") else { return fields.texts("src") };
    if text.len() > 4096 {
        return Err(wrong("src"));
    }
    Ok(text.split(',').map(|part| part.trim().to_ascii_lowercase()).filter(|part| !part.is_empty()).collect())
}
