//! The bus for commands that ask once: connecting, and what its refusals mean to a user.

use nats_client::blocking::{Connection, Failure};
use nats_client::{Address, Error};
use nats_proto::headers::Headers;
use program::{Fatal, Given, exit};
use std::io::Read as _;
use std::time::Duration;

/// How long the bus may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes read from standard input.
const PAYLOAD_MAX: u64 = 64 * 1024 * 1024;

/// The address that was given or is usual.
pub(crate) fn address(given: &Given) -> Result<Address, Fatal> {
    Address::choose(given.value("url")).map_err(|error| Fatal::new(exit::USAGE, error.to_string()))
}

/// Connects.
pub(crate) fn open(given: &Given) -> Result<Connection, Fatal> {
    let address = address(given)?;
    Connection::open(&address, "lunix", PATIENCE).map_err(|failure| {
        let fatal = failed(failure);
        let code = if fatal.code == exit::TRY_AGAIN { exit::UNAVAILABLE } else { fatal.code };
        Fatal::new(code, format!("cannot connect to the bus at {address}: {}", fatal.reason))
    })
}

/// What a failure means.
pub(crate) fn failed(failure: Failure) -> Fatal {
    match failure {
        Failure::Bus(error) => Fatal::new(exit::UNAVAILABLE, error.to_string()),
        Failure::Refused(text) => refused(&text),
        Failure::Timeout => Fatal::new(exit::TRY_AGAIN, "no answer in time"),
        Failure::NoResponders => Fatal::new(exit::UNAVAILABLE, "nobody serves this subject"),
        Failure::Session(error @ Error::TooLarge { .. }) => Fatal::new(exit::DATA, error.to_string()),
        Failure::Session(error @ (Error::Protocol(_) | Error::Full)) => {
            Fatal::new(exit::UNAVAILABLE, error.to_string())
        }
    }
}

/// What an error in the bus's own words means.
pub(crate) fn refused(text: &str) -> Fatal {
    let lower = text.to_ascii_lowercase();
    let code =
        if ["permissions violation", "authorization violation", "authentication"].iter().any(|w| lower.contains(w)) {
            exit::NOT_PERMITTED
        } else {
            exit::DATA
        };
    Fatal::new(code, format!("the bus says: {}", text.trim_matches('\'')))
}

/// The error that an answer carries in the headers of the service protocol (NATS ADR-32).
pub(crate) fn service_error(headers: &[u8]) -> Option<Fatal> {
    let headers = Headers::parse(headers).ok()?;
    let text = |key| Some(String::from_utf8_lossy(headers.get(key)?).into_owned());
    let code = text("Nats-Service-Error-Code")?;
    let exit = match code.as_str() {
        "400" | "404" | "409" | "413" => exit::DATA,
        "403" => exit::NOT_PERMITTED,
        "503" => exit::UNAVAILABLE,
        _ => exit::SYSTEM,
    };
    let sentence = text("Nats-Service-Error").filter(|sentence| !sentence.is_empty());
    Some(Fatal::new(exit, sentence.unwrap_or_else(|| format!("the service answers with error {code}"))))
}

/// The payload argument: itself, standard input for `-`, empty when absent.
pub(crate) fn payload(argument: Option<&str>) -> Result<Vec<u8>, Fatal> {
    if argument != Some("-") {
        return Ok(argument.unwrap_or_default().as_bytes().to_vec());
    }
    let mut bytes = Vec::new();
    match std::io::stdin().lock().take(PAYLOAD_MAX + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 <= PAYLOAD_MAX => Ok(bytes),
        Ok(_) => Err(Fatal::new(exit::DATA, format!("standard input is longer than {PAYLOAD_MAX} bytes"))),
        Err(error) => Err(Fatal::system("cannot read standard input", error)),
    }
}

/// Checks a subject to publish to.
pub(crate) fn subject(text: &str) -> Result<&str, Fatal> {
    if nats_subject::is_valid_publish(text.as_bytes()) && !text.contains(|c: char| c.is_ascii_whitespace()) {
        return Ok(text);
    }
    let text = crate::line::escaped(text.as_bytes());
    Err(Fatal::new(
        exit::USAGE,
        format!("subject '{text}': expected tokens joined by dots, without blanks and wildcards"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nats_proto::headers::Builder;

    #[test]
    fn refusals_have_their_codes() {
        let table = [
            ("'Permissions Violation for Publish to \"a\"'", exit::NOT_PERMITTED),
            ("'Authorization Violation'", exit::NOT_PERMITTED),
            ("'User Authentication Expired'", exit::NOT_PERMITTED),
            ("'Maximum Payload Violation'", exit::DATA),
        ];
        for (text, code) in table {
            assert_eq!(refused(text).code, code, "{text}");
        }
        assert_eq!(refused("'Authorization Violation'").reason, "the bus says: Authorization Violation");
    }

    #[test]
    fn service_errors_are_sentences_with_codes() {
        let headers = |code: &str, text: &str| {
            let builder = Builder::new().add("Nats-Service-Error-Code", code).unwrap();
            builder.add("Nats-Service-Error", text).unwrap().finish()
        };
        let table =
            [("400", 65), ("404", 65), ("409", 65), ("413", 65), ("403", 77), ("503", 69), ("500", 71), ("x", 71)];
        for (code, exit) in table {
            assert_eq!(service_error(&headers(code, "because")), Some(Fatal::new(exit, "because")), "{code}");
        }
        assert_eq!(service_error(&headers("500", "")).unwrap().reason, "the service answers with error 500");
        assert_eq!(service_error(&Builder::new().add("A", "b").unwrap().finish()), None);
        assert_eq!(service_error(b""), None);
    }

    #[test]
    fn subjects_are_checked() {
        assert!(subject("toast.in").is_ok());
        for bad in ["", "a b", "a.*", "a..b", "a.\n"] {
            assert_eq!(subject(bad).unwrap_err().code, exit::USAGE, "{bad:?}");
        }
    }
}
