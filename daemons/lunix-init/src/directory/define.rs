//! What the small files of a service directory say.

use super::folder::Folder;
use super::{FILE_MAX, companion, parse, privilege, sockets};
use crate::cgroup::{oom_score, setting, trigger};
use crate::lifecycle::Policy;
use crate::service::Definition;
use parse::Kind;
use rustix::fs::FileType;
use std::io;
use std::time::Duration;

/// The limit of `finish` when its directory names none (as in s6).
const FINISH_DEFAULT: Duration = Duration::from_secs(5);

/// What the small files say.
pub(super) fn define(folder: &Folder) -> Result<Definition, String> {
    match small(folder, "type", parse::kind)?.unwrap_or(Kind::Longrun) {
        Kind::Longrun => longrun(folder),
        Kind::Log => log(folder),
        Kind::Oneshot => oneshot(folder),
        Kind::Bundle => bundle(folder),
    }
}

fn longrun(folder: &Folder) -> Result<Definition, String> {
    require(folder, "run")?;
    let notification = small(folder, "notification-fd", parse::descriptor)?;
    let notify_socket = folder.has("notify-socket");
    if notification.is_some() && notify_socket {
        return Err("notify-socket: expected either this or notification-fd, not both".to_owned());
    }
    let policy = Policy {
        oneshot: false,
        announces: notification.is_some() || notify_socket,
        has_end_script: folder.has("finish"),
        timeout_kill: small(folder, "timeout-kill", parse::milliseconds)?.flatten(),
        timeout_end: small(folder, "timeout-finish", parse::milliseconds)?.unwrap_or(Some(FINISH_DEFAULT)),
        timeout_up: None,
        watchdog: small(folder, "watchdog", parse::milliseconds)?.flatten(),
        keeps_children: folder.has("flag-keep-children"),
        permanent: small(folder, "permanent-exits", parse::exit_codes)?.unwrap_or_default(),
    };
    let mut definition = Definition { policy, notification, notify_socket, ..common(folder)? };
    definition.starts_down = folder.has("down");
    if let Some(all) = small(folder, "sockets", sockets::parse)?.filter(|all| !all.is_empty()) {
        definition.rare_mut().sockets = all;
    }
    if let Some(verbs) = small(folder, "companion", companion::parse)? {
        definition.rare_mut().companion = Some(verbs);
    }
    let above = first_free(&definition);
    if notification.is_some_and(|number| number < above) {
        return Err(format!("notification-fd: expected {above} or more: the sockets have those from 3 on"));
    }
    if definition.policy.watchdog.is_some() && !notify_socket {
        return Err("watchdog: expected a notify-socket, too".to_owned());
    }
    if let Some(consumer) = small(folder, "producer-for", parse::names)?.and_then(|names| names.into_iter().next()) {
        definition.after.push(consumer.clone());
        definition.rare_mut().logger = Some(consumer);
    }
    if let Some(producers) = small(folder, "consumer-for", parse::names)? {
        let rare = definition.rare_mut();
        (rare.is_logger, rare.producers) = (true, producers);
    }
    if let Some(name) = small(folder, "pipeline-name", parse::names)?.and_then(|names| names.into_iter().next()) {
        definition.rare_mut().pipeline = Some(name);
    }
    Ok(definition)
}

/// The first number from 3 on that no descriptor handed down has.
fn first_free(definition: &Definition) -> i32 {
    let rare = definition.rare();
    let handed_down = rare.sockets.len() + usize::from(rare.companion.is_some());
    i32::try_from(handed_down).unwrap_or(i32::MAX).saturating_add(3)
}

/// A longrun that has one more descriptor: what leads to the output of the others.
fn log(folder: &Folder) -> Result<Definition, String> {
    let mut definition = longrun(folder)?;
    let own = first_free(&definition);
    if definition.notification.is_some_and(|number| number <= own) {
        return Err(format!("notification-fd: expected more than {own}, which leads to the output of the others"));
    }
    definition.rare_mut().is_log = true;
    Ok(definition)
}

fn oneshot(folder: &Folder) -> Result<Definition, String> {
    require(folder, "up")?;
    let policy = Policy {
        oneshot: true,
        announces: false,
        has_end_script: folder.has("down") && !is_empty(folder, "down"),
        timeout_kill: small(folder, "timeout-kill", parse::milliseconds)?.flatten(),
        timeout_end: small(folder, "timeout-down", parse::milliseconds)?.flatten(),
        timeout_up: small(folder, "timeout-up", parse::milliseconds)?.flatten(),
        watchdog: None,
        keeps_children: folder.has("flag-keep-children"),
        permanent: Box::default(),
    };
    Ok(Definition { policy, runs_nothing: is_empty(folder, "up"), ..common(folder)? })
}

fn bundle(folder: &Folder) -> Result<Definition, String> {
    let policy = Policy { oneshot: true, ..Policy::default() };
    let after = named(folder, "contents.d", "contents")?;
    Ok(Definition { policy, after, runs_nothing: true, is_bundle: true, ..Definition::default() })
}

/// What longruns and oneshots share.
fn common(folder: &Folder) -> Result<Definition, String> {
    small(folder, "user", |content| parse::user(content).map(|_| ()))?;
    small(folder, "group", |content| parse::names(content).map(|_| ()))?;
    small(folder, "capabilities", privilege::capabilities)?;
    small(folder, "limits", privilege::limits)?;
    small(folder, "oom-score-adj", oom_score::parse)?;
    small(folder, "pressure", trigger::parse)?;
    check_cgroup(folder)?;
    check_environment(folder)?;
    Ok(Definition {
        after: named(folder, "dependencies.d", "dependencies")?,
        down_signal: small(folder, "down-signal", parse::signal)?.unwrap_or(sys::signal::TERM),
        is_essential: folder.has("flag-essential") || folder.has("critical"),
        is_critical: folder.has("critical"),
        on_change: small(folder, "on-change", parse::on_change)?.unwrap_or_default(),
        has_reload: folder.has("reload"),
        reload_signal: small(folder, "reload-signal", parse::signal)?.unwrap_or(sys::signal::HUP),
        ..Definition::default()
    })
}

/// True for a file that holds nothing but blanks.
fn is_empty(folder: &Folder, name: &str) -> bool {
    folder.read(name, FILE_MAX).is_ok_and(|content| content.is_some_and(|content| content.trim_ascii().is_empty()))
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

/// Names of services: the entries of a directory, or the lines of a file of the older form.
fn named(folder: &Folder, directory: &str, file: &str) -> Result<Vec<String>, String> {
    let error = |error: io::Error| format!("{directory}: expected a directory of names: {error}");
    let mut names = small(folder, file, parse::names)?.unwrap_or_default();
    if let Some(inner) = folder.enter(directory).map_err(error)? {
        let found = inner.names().map_err(error)?;
        names.extend(found.iter().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn check_cgroup(folder: &Folder) -> Result<(), String> {
    let error = |error: io::Error| format!("cgroup: expected a directory of settings: {error}");
    let Some(inner) = folder.enter("cgroup").map_err(error)? else { return Ok(()) };
    for name in inner.names().map_err(error)?.iter() {
        let name = name.to_string_lossy();
        small(&inner, &name, |content| setting::check(&name, content)).map_err(|fault| format!("cgroup/{fault}"))?;
    }
    Ok(())
}

fn check_environment(folder: &Folder) -> Result<(), String> {
    let error = |error: io::Error| format!("env: expected a directory of variables: {error}");
    let Some(inner) = folder.enter("env").map_err(error)? else { return Ok(()) };
    for name in inner.names().map_err(error)?.iter() {
        if name.to_bytes().contains(&b'=') {
            return Err(format!("env/{}: expected a name without an equals sign", name.to_string_lossy()));
        }
    }
    Ok(())
}
