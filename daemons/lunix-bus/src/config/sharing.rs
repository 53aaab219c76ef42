//! `exports` and `imports` of an account.

use super::file::{duration, map, size, string, strings, truth, unexpected, unknown, wrong};
use crate::broker::{AccountSettings, Export, ExportKind, Import, ImportError, ResponseType, Sharing, check_imports};
use nats_conf::{Entry, Error, Item, Value};
use nats_subject::is_valid_subscription;

/// Where the exports and imports of an account stand, for complaints that need the other accounts.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    exports: Vec<&'a Item>,
    imports: Vec<&'a Item>,
}

/// Reads `exports`.
pub(super) fn exports<'a>(item: &'a Item, sharing: &mut Sharing, places: &mut Places<'a>) -> Result<(), Error> {
    for item in list(item)? {
        sharing.exports.push(export(item)?);
        places.exports.push(item);
    }
    Ok(())
}

/// Reads `imports`.
pub(super) fn imports<'a>(item: &'a Item, sharing: &mut Sharing, places: &mut Places<'a>) -> Result<(), Error> {
    for item in list(item)? {
        sharing.imports.push(import(item)?);
        places.imports.push(item);
    }
    Ok(())
}

fn list(item: &Item) -> Result<&[Item], Error> {
    if let Value::Array(items) = &item.value { Ok(items) } else { Err(unexpected(item, "an array of maps")) }
}

const EXPORT_KEYS: &str = "stream, service, accounts, account_token_position, response_type, response_threshold";

fn export(item: &Item) -> Result<Export, Error> {
    let (mut stream, mut service) = (None, None);
    let (mut accounts, mut account_token) = (Vec::new(), None);
    let (mut responses, mut threshold) = (None, None);
    for entry in map(item)?.iter() {
        let item = &entry.item;
        match entry.key.to_ascii_lowercase().as_str() {
            "stream" => stream = Some(subject(item)?),
            "service" => service = Some(subject(item)?),
            "accounts" => accounts = strings(item)?,
            "account_token_position" => account_token = Some(size(item, 1, 1024)?),
            "response" | "response_type" => responses = Some(response_type(item)?),
            "threshold" | "response_threshold" | "response_max_time" | "response_time" => {
                threshold = Some(duration(item)?);
            }
            "latency" | "allow_trace" => return Err(unsupported(entry)),
            _ => return Err(unknown(entry, EXPORT_KEYS)),
        }
    }
    let (subject, kind) = match (stream, service) {
        (Some(subject), None) if responses.is_none() && threshold.is_none() => (subject, ExportKind::Stream),
        (Some(_), None) => return Err(wrong(item, "only services have a response type and threshold")),
        (None, Some(subject)) => (subject, service_kind(responses, threshold)),
        (Some(_), Some(_)) | (None, None) => return Err(wrong(item, "either a stream or a service is expected")),
    };
    if let Some(place) = account_token {
        let token = subject.split('.').nth(place - 1);
        if token != Some("*") {
            return Err(wrong(item, format!("token {place} of {subject:?} is not \"*\"")));
        }
    }
    let accounts = accounts.into_iter().map(Into::into).collect();
    Ok(Export { subject: subject.into_bytes().into(), kind, accounts, account_token })
}

fn service_kind(responses: Option<ResponseType>, threshold: Option<std::time::Duration>) -> ExportKind {
    match ExportKind::service() {
        ExportKind::Service { responses: usual, threshold: limit } => {
            ExportKind::Service { responses: responses.unwrap_or(usual), threshold: threshold.unwrap_or(limit) }
        }
        ExportKind::Stream => ExportKind::Stream,
    }
}

fn response_type(item: &Item) -> Result<ResponseType, Error> {
    match string(item)?.to_ascii_lowercase().as_str() {
        "single" | "singleton" => Ok(ResponseType::Singleton),
        "stream" => Ok(ResponseType::Stream),
        "chunk" | "chunked" => Ok(ResponseType::Chunked),
        odd => Err(wrong(item, format!("unknown response type {odd:?}; known are singleton, stream, chunked"))),
    }
}

const IMPORT_KEYS: &str = "stream, service, prefix, to, share";

fn import(item: &Item) -> Result<Import, Error> {
    let (mut stream, mut service, mut prefix, mut to, mut share) = (None, None, None, None, false);
    for entry in map(item)?.iter() {
        let item = &entry.item;
        match entry.key.to_ascii_lowercase().as_str() {
            "stream" => stream = Some(source(item)?),
            "service" => service = Some(source(item)?),
            "prefix" => prefix = Some(string(item)?),
            "to" => to = Some(string(item)?),
            "share" => share = truth(item)?,
            "allow_trace" => return Err(unsupported(entry)),
            _ => return Err(unknown(entry, IMPORT_KEYS)),
        }
    }
    let import = match (stream, service) {
        (Some((account, subject)), None) => {
            let local = match (prefix, to) {
                (Some(_), Some(_)) => return Err(wrong(item, "a stream has either a prefix or a `to`")),
                (Some(prefix), None) => Some(prefixed(item, &prefix, &subject)?),
                (None, to) => to,
            };
            Import::stream(&account, &subject, local.as_deref())
        }
        (None, Some(_)) if prefix.is_some() => return Err(wrong(item, "a service has no prefix, but a `to`")),
        (None, Some((account, subject))) => Import::service(&account, &subject, to.as_deref(), share),
        (Some(_), Some(_)) | (None, None) => return Err(wrong(item, "either a stream or a service is expected")),
    };
    import.map_err(|error| wrong(item, error.to_string()))
}

/// `{account: A, subject: "x"}`.
fn source(item: &Item) -> Result<(String, String), Error> {
    let (mut account, mut subject) = (None, None);
    for entry in map(item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "account" => account = Some(string(&entry.item)?),
            "subject" => subject = Some(string(&entry.item)?),
            _ => return Err(unknown(entry, "account, subject")),
        }
    }
    account.zip(subject).ok_or_else(|| wrong(item, "an account and a subject are expected"))
}

fn prefixed(item: &Item, prefix: &str, subject: &str) -> Result<String, Error> {
    let prefix = prefix.strip_suffix('.').unwrap_or(prefix);
    if prefix.split('.').any(|token| token == "*" || token == ">") {
        return Err(wrong(item, "a prefix cannot hold wildcards"));
    }
    Ok(format!("{prefix}.{subject}"))
}

fn subject(item: &Item) -> Result<String, Error> {
    let text = string(item)?;
    let valid = is_valid_subscription(text.as_bytes());
    if valid { Ok(text) } else { Err(wrong(item, format!("subject {text:?} is not a valid subject"))) }
}

fn unsupported(entry: &Entry) -> Error {
    Error::new(&entry.place, format!("{:?} is not supported", entry.key))
}

/// Checks what needs all accounts: that others are there, and what is imported is exported.
pub(super) fn check(accounts: &[AccountSettings], places: &[Places<'_>]) -> Result<(), Error> {
    let missing = |name: &str| !accounts.iter().any(|account| *account.name == *name);
    for (number, (account, places)) in accounts.iter().zip(places).enumerate() {
        for (export, item) in account.sharing.exports.iter().zip(&places.exports) {
            if let Some(name) = export.accounts.iter().find(|name| missing(name)) {
                return Err(wrong(item, format!("account {name:?} is not defined")));
            }
        }
        for (import, item) in account.sharing.imports.iter().zip(&places.imports) {
            if missing(&import.account) {
                return Err(wrong(item, format!("account {:?} is not defined", import.account)));
            }
        }
        check_imports(accounts, number).map_err(|(import, error)| refused(account, places, import, &error))?;
    }
    Ok(())
}

fn refused(account: &AccountSettings, places: &Places<'_>, number: usize, error: &ImportError) -> Error {
    let import = account.sharing.imports.get(number);
    let subject = import.map(|import| String::from_utf8_lossy(import.subject()).into_owned()).unwrap_or_default();
    let kind = if import.is_some_and(Import::is_service) { "service" } else { "stream" };
    let text = format!("error adding {kind} import {subject:?}: {kind} {error}");
    places.imports.get(number).map_or_else(
        || Error::new(&nats_conf::Place { file: "".into(), line: 1, column: 1 }, text.clone()),
        |item| wrong(item, text.clone()),
    )
}
