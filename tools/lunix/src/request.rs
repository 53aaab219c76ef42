//! `lunix req`.

use crate::output::{Lines, Stop};
use crate::{bus, field, time};
use program::{Fatal, Given, exit};
use std::time::Duration;

/// How long an answer may take when nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks, and prints the first answer.
pub(crate) fn run(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let subject = bus::subject(given.argument(0).unwrap_or_default())?;
    let timeout = match given.value("timeout") {
        Some(text) => time::span(text).ok_or_else(|| {
            Fatal::new(exit::USAGE, format!("--timeout '{text}': expected a time above zero, as in 500ms, 2s, 1m"))
        })?,
        None => TIMEOUT,
    };
    let payload = bus::payload(given.argument(1))?;
    let mut connection = bus::open(given)?;
    let answer = connection.request(subject, &payload, timeout).map_err(|failure| {
        let fatal = bus::failed(failure);
        Fatal::new(fatal.code, format!("{subject}: {}", fatal.reason))
    })?;
    if let Some(fatal) = bus::service_error(&answer.headers) {
        return Err(Fatal::new(fatal.code, format!("{subject}: {}", fatal.reason)).into());
    }
    match given.value("get") {
        Some(path) => match field::get(&answer.payload, path, given.has("raw")) {
            Some(value) => lines.line(&value),
            None => Err(Fatal::new(exit::DATA, format!("{subject}: the answer has no field {path}")).into()),
        },
        None if given.has("raw") || !answer.payload.ends_with(b"\n") => lines.line(&answer.payload),
        None => lines.bytes(&answer.payload),
    }
}
