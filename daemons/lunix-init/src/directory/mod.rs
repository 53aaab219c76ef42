//! Reading the service directory. Nothing is ever written there.

pub mod chain;
pub mod fingerprint;
pub mod folder;
pub mod parse;
pub mod place;

use crate::lifecycle::Policy;
use crate::service::{Definition, Found};
use folder::Folder;
use rustix::fs::FileType;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Most bytes of a small file.
pub const FILE_MAX: usize = 4096;
/// Most bytes of a service's name.
pub const NAME_MAX: usize = 64;
/// The limit of `finish` when its directory names none (as in s6).
const FINISH_DEFAULT: Duration = Duration::from_secs(5);
/// Files other supervisors know and lunix-init does not: reported by name, never passed over silently.
const UNSUPPORTED: [&str; 14] = [
    "check",
    "consumer-for",
    "contents",
    "contents.d",
    "control",
    "dependencies",
    "flag-essential",
    "flag-newpidns",
    "flag-recommended",
    "instance",
    "lock-fd",
    "max-death-tally",
    "pipeline-name",
    "producer-for",
];

/// What is known before the reading.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The stores, whose paths never change what they hold.
    pub stores: &'a [PathBuf],
    /// A service that was read already, by name and place.
    pub earlier: &'a dyn Fn(&str, &str) -> Option<Found>,
}

impl Known<'_> {
    /// Nothing is known.
    #[must_use]
    pub fn nothing() -> Self {
        Self { stores: &[], earlier: &|_, _| None }
    }
}

/// Reads every service below `base`, in the order of their names. What is no directory is passed over.
///
/// # Errors
/// When `base` itself cannot be listed; what is wrong with one service is told in its [`Found`].
pub fn read_all(base: &Folder, known: Known<'_>) -> io::Result<Vec<Found>> {
    let mut all = Vec::new();
    for name in base.names()? {
        let name = name.to_string_lossy();
        match base.enter(&name) {
            Ok(Some(folder)) => read_service(&name, &folder, known, &mut all),
            Ok(None) => all.push(broken(&name, "it is a link that leads nowhere".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => all.push(broken(&name, format!("cannot open it: {error}"))),
        }
    }
    Ok(all)
}

fn broken(name: &str, sentence: String) -> Found {
    Found { name: name.to_owned(), place: None, fingerprint: 0, definition: Err(sentence), remarks: Vec::new() }
}

/// Reads one service, and its `log` when it has one.
fn read_service(name: &str, folder: &Folder, known: Known<'_>, all: &mut Vec<Found>) {
    if name.len() > NAME_MAX || name.chars().any(|letter| letter.is_control() || letter == '\u{fffd}') {
        let shown: String = name.chars().take(NAME_MAX).filter(|letter| !letter.is_control()).collect();
        return all.push(broken(&shown, format!("expected a name of at most {NAME_MAX} printable bytes")));
    }
    let place = place::of(folder).filter(|path| place::is_in_store(path, known.stores));
    let place = place.and_then(|path| path.into_os_string().into_string().ok());
    let logger_name = format!("{name}/log");
    let logger_place = place.as_deref().map(|place| format!("{place}/log"));
    // The same path in a store is the same service: there is nothing to read.
    if let Some(same) = place.as_deref().and_then(|place| (known.earlier)(name, place)) {
        let logger = logger_place.as_deref().and_then(|place| (known.earlier)(&logger_name, place));
        if same.definition.as_ref().is_ok_and(|definition| definition.has_logger == logger.is_some()) {
            all.extend(logger);
            return all.push(same);
        }
    }
    let mut service = read_one(name, folder, b"log", place);
    match folder.enter("log") {
        Ok(None) => {}
        Err(error) => service.definition = Err(format!("log: expected a directory: {error}")),
        Ok(Some(log)) => {
            let mut logger = read_one(&logger_name, &log, b"", logger_place);
            if let Ok(definition) = &mut logger.definition {
                definition.logs_for = Some(name.to_owned());
            }
            if let Ok(definition) = &mut service.definition {
                definition.has_logger = true;
                definition.after.push(logger_name);
            }
            all.push(logger);
        }
    }
    all.push(service);
}

fn read_one(name: &str, folder: &Folder, without: &[u8], place: Option<String>) -> Found {
    let (fingerprint, definition) = match fingerprint::of(folder, without) {
        Ok(fingerprint) => (fingerprint, define(folder)),
        Err(error) => (0, Err(format!("cannot read it: {error}"))),
    };
    let names = folder.names().unwrap_or_default();
    let unsupported = names.iter().filter_map(|entry| entry.to_str().ok()).filter(|entry| UNSUPPORTED.contains(entry));
    let remarks = unsupported.map(|file| format!("{file} is not supported and has no effect")).collect();
    Found { name: name.to_owned(), place, fingerprint, definition, remarks }
}

/// What the small files say.
fn define(folder: &Folder) -> Result<Definition, String> {
    let oneshot = small(folder, "type", parse::kind)?.unwrap_or(false);
    let main = if oneshot { "up" } else { "run" };
    require(folder, main)?;
    let end = if oneshot { "down" } else { "finish" };
    let end_timeout = if oneshot { "timeout-down" } else { "timeout-finish" };
    let notification = small(folder, "notification-fd", parse::descriptor)?;
    let notify_socket = folder.has("notify-socket");
    if notification.is_some() && notify_socket {
        return Err("notify-socket: expected either this or notification-fd, not both".to_owned());
    }
    small(folder, "user", |content| parse::user(content).map(|_| ()))?;
    check_environment(folder)?;
    let policy = Policy {
        oneshot,
        announces: !oneshot && (notification.is_some() || notify_socket),
        has_end_script: folder.has(end),
        timeout_kill: small(folder, "timeout-kill", parse::milliseconds)?.flatten(),
        timeout_end: small(folder, end_timeout, parse::milliseconds)?.unwrap_or((!oneshot).then_some(FINISH_DEFAULT)),
        timeout_up: small(folder, "timeout-up", parse::milliseconds)?.flatten(),
        permanent: small(folder, "permanent-exits", parse::exit_codes)?.unwrap_or_default(),
    };
    Ok(Definition {
        policy,
        after: dependencies(folder)?,
        starts_down: !oneshot && folder.has("down"),
        down_signal: small(folder, "down-signal", parse::signal)?.unwrap_or(sys::signal::TERM),
        notification,
        notify_socket,
        has_logger: false,
        on_change: small(folder, "on-change", parse::on_change)?.unwrap_or_default(),
        has_reload: folder.has("reload"),
        reload_signal: small(folder, "reload-signal", parse::signal)?.unwrap_or(sys::signal::HUP),
        logs_for: None,
    })
}

/// Reads one small file, when it is there.
fn small<T>(
    folder: &Folder,
    name: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, parse::Expected>,
) -> Result<Option<T>, String> {
    let content = folder.read(name, FILE_MAX).map_err(|error| format!("{name}: cannot read it: {error}"))?;
    let Some(content) = content else { return Ok(None) };
    parse(&content).map(Some).map_err(|expected| {
        let shown: String = String::from_utf8_lossy(&content).trim().chars().take(32).collect();
        format!("{name}: expected {expected}, found {shown:?}")
    })
}

fn require(folder: &Folder, main: &str) -> Result<(), String> {
    match folder.stat(main) {
        Ok(Some(stat)) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => Ok(()),
        Ok(Some(_)) => Err(format!("{main}: expected an executable file")),
        Ok(None) if folder.has(main) => Err(format!("{main}: it is a link that leads nowhere")),
        Ok(None) => Err(format!("{main}: expected an executable file of this name, found none")),
        Err(error) => Err(format!("{main}: {error}")),
    }
}

fn dependencies(folder: &Folder) -> Result<Vec<String>, String> {
    let error = |error: io::Error| format!("dependencies.d: expected a directory of names: {error}");
    let Some(inner) = folder.enter("dependencies.d").map_err(error)? else { return Ok(Vec::new()) };
    let names = inner.names().map_err(error)?;
    Ok(names.iter().map(|name| name.to_string_lossy().into_owned()).collect())
}

fn check_environment(folder: &Folder) -> Result<(), String> {
    let error = |error: io::Error| format!("env: expected a directory of variables: {error}");
    let Some(inner) = folder.enter("env").map_err(error)? else { return Ok(()) };
    for name in inner.names().map_err(error)? {
        if name.to_bytes().contains(&b'=') {
            return Err(format!("env/{}: expected a name without an equals sign", name.to_string_lossy()));
        }
    }
    Ok(())
}
