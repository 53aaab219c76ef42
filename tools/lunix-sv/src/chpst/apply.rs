//! Making the changes, and executing the program.

use super::account::Account;
use super::options::{Change, Plan};
use crate::Failure;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::{Errno, FdFlags};
use rustix::process::{Gid, Resource, Rlimit, Uid};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Variables to set, or to remove.
type Variables = Vec<(OsString, Option<OsString>)>;

/// Makes all changes and executes the program; returns only when something does not work.
pub(super) fn execute(plan: &Plan) -> Failure {
    let mut variables = Variables::new();
    for change in &plan.changes {
        match make(change, &mut variables) {
            Ok(()) => {}
            Err(_) if plan.forgives_lock && matches!(change, Change::Lock { .. }) => return Failure::new(0, ""),
            Err(failure) => return failure,
        }
    }
    let Some((program, arguments)) = plan.program.split_first() else { return Failure::new(100, "") };
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(zeroth) = &plan.zeroth {
        command.arg0(zeroth);
    }
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let error = command.exec();
    fatal(format!("unable to run: {}", program.to_string_lossy()), &error)
}

fn fatal(what: impl std::fmt::Display, error: &io::Error) -> Failure {
    let words = [
        (io::ErrorKind::NotFound, "file does not exist"),
        (io::ErrorKind::PermissionDenied, "access denied"),
        (io::ErrorKind::WouldBlock, "temporary failure"),
    ];
    let known = words.iter().find(|(kind, _)| *kind == error.kind());
    let why = known.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned());
    Failure::new(111, format!("fatal: {what}: {why}"))
}

fn make(change: &Change, variables: &mut Variables) -> Result<(), Failure> {
    let failed = |what: String| move |errno: Errno| fatal(what, &errno.into());
    match change {
        Change::Session => {
            // A process that leads its group already cannot, and need not.
            let _ = rustix::process::setsid();
            Ok(())
        }
        Change::Environment(folder) => read_environment(folder, variables),
        Change::Lock { path, waits } => {
            lock(path, *waits).map_err(failed(format!("unable to lock: {}", path.display())))
        }
        Change::Root(path) => {
            rustix::process::chdir(path).map_err(failed(format!("unable to change directory: {}", path.display())))?;
            rustix::process::chroot(".").map_err(failed(format!("unable to change root directory: {}", path.display())))
        }
        Change::Directory(path) => {
            rustix::process::chdir(path).map_err(failed(format!("unable to change directory: {}", path.display())))
        }
        Change::Nice(increment) => {
            rustix::process::nice(*increment).map(|_| ()).map_err(failed("unable to set nice level".to_owned()))
        }
        Change::Limit(resource, most) => limit(*resource, *most).map_err(failed("unable to set limit".to_owned())),
        Change::Names(account) => {
            let gid = account.gids.first().copied().unwrap_or(account.uid);
            for (name, number) in [("UID", account.uid), ("GID", gid)] {
                variables.push((name.into(), Some(number.to_string().into())));
            }
            Ok(())
        }
        Change::Become(account) => become_(account),
        Change::Close(number) => close(*number).map_err(failed("unable to close".to_owned())),
    }
}

/// Sets the soft limit, no higher than the hard one.
fn limit(resource: Resource, most: u64) -> Result<(), Errno> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let soft = hard.map_or(most, |hard| most.min(hard));
    rustix::process::setrlimit(resource, Rlimit { current: (soft != u64::MAX).then_some(soft), maximum: hard })
}

/// The descriptor stays open in the program that is executed, and with it the lock.
fn lock(path: &Path, waits: bool) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?;
    let operation = if waits { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    rustix::fs::flock(&file, operation)?;
    std::mem::forget(file);
    Ok(())
}

/// Groups first: the user may no longer be allowed to. This process has one thread.
fn become_(account: &Account) -> Result<(), Failure> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |errno: Errno| fatal(what, &errno.into())
    };
    let gids: Vec<Gid> = account.gids.iter().map(|&gid| Gid::from_raw(gid)).collect();
    let gid = gids.first().copied().unwrap_or_else(|| Gid::from_raw(account.uid));
    rustix::thread::set_thread_groups(&gids).map_err(failed("unable to set supplementary groups"))?;
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(failed("unable to setgid"))?;
    let uid = Uid::from_raw(account.uid);
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(failed("unable to setuid"))
}

/// Closed at the moment the program is executed.
fn close(number: u8) -> Result<(), Errno> {
    match number {
        0 => rustix::io::fcntl_setfd(rustix::stdio::stdin(), FdFlags::CLOEXEC),
        1 => rustix::io::fcntl_setfd(rustix::stdio::stdout(), FdFlags::CLOEXEC),
        _ => rustix::io::fcntl_setfd(rustix::stdio::stderr(), FdFlags::CLOEXEC),
    }
}

/// A variable for each file: its first line without blanks at the end, NUL for a line end; an empty file removes it.
fn read_environment(folder: &Path, variables: &mut Variables) -> Result<(), Failure> {
    let shown = folder.display();
    let entries =
        std::fs::read_dir(folder).map_err(|error| fatal(format!("unable to switch to directory: {shown}"), &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| fatal(format!("unable to read directory: {shown}"), &error))?;
        let name = entry.file_name();
        if name.as_bytes().starts_with(b".") || !entry.path().is_file() {
            continue;
        }
        let name_shown = name.to_string_lossy().into_owned();
        if name.as_bytes().contains(&b'=') {
            return Err(Failure::new(111, format!("fatal: invalid environment variable: {name_shown}")));
        }
        let content = std::fs::read(entry.path())
            .map_err(|error| fatal(format!("unable to read environment: {shown}/{name_shown}"), &error))?;
        variables.push((name, value(&content)));
    }
    Ok(())
}

fn value(content: &[u8]) -> Option<OsString> {
    if content.is_empty() {
        return None;
    }
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    let bytes: Vec<u8> = line.iter().take(end).map(|&byte| if byte == 0 { b'\n' } else { byte }).collect();
    Some(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_first_lines() {
        assert_eq!(value(b""), None);
        assert_eq!(value(b"a b\t \nmore"), Some("a b".into()));
        assert_eq!((value(b"\n"), value(b"a\0b")), (Some("".into()), Some("a\nb".into())));
    }
}
