//! `lunix pub`.

use crate::bus;
use crate::output::Stop;
use nats_proto::headers::Builder;
use program::{Fatal, Given, exit};

/// Publishes, and returns when the bus has taken it: a refusal comes before the answer to our PING.
pub(crate) fn run(given: &Given) -> Result<(), Stop> {
    let subject = bus::subject(given.argument(0).unwrap_or_default())?;
    let reply = given.value("reply").map(bus::subject).transpose()?;
    let headers = headers(given)?;
    let payload = bus::payload(given.argument(1))?;
    let mut connection = bus::open(given)?;
    let sent = connection.publish(subject, reply, &headers, &payload).and_then(|()| connection.flush(bus::PATIENCE));
    Ok(sent.map_err(|failure| {
        let fatal = bus::failed(failure);
        Fatal::new(fatal.code, format!("{subject} was not published: {}", fatal.reason))
    })?)
}

fn headers(given: &Given) -> Result<Vec<u8>, Fatal> {
    let mut rows = given.values("header").peekable();
    if rows.peek().is_none() {
        return Ok(Vec::new());
    }
    let wrong = |row: &str, why: &str| Fatal::new(exit::USAGE, format!("--header '{row}': {why}"));
    let mut builder = Builder::new();
    for row in rows {
        let (key, value) = row.split_once(':').ok_or_else(|| wrong(row, "expected KEY:VALUE"))?;
        builder = builder.add(key, value.trim()).map_err(|error| wrong(row, &error.to_string()))?;
    }
    Ok(builder.finish())
}
