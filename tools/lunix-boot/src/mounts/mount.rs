//! The system calls.

use super::check::installed;
use super::options::{Bind, Options};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount as mount_call, mount_bind, mount_bind_recursive, mount_change, mount_remount};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Mounts `source` at `target`.
pub(super) fn mount(source: &Path, target: &Path, kind: &str, options: &Options) -> Result<(), String> {
    let flags = options.flags.0;
    match options.bind {
        Some(bind) => show(source, target, bind, options)?,
        None => match installed("mount", kind) {
            Some(helper) => by_helper(&helper, source, target, options)?,
            None => {
                let rest = text(&options.rest)?;
                mount_call(source, target, kind, flags, rest.as_c_str()).map_err(|errno| explain(errno, kind))?;
            }
        },
    }
    if let Some(propagation) = options.propagation {
        mount_change(target, propagation.0).map_err(|errno| format!("cannot set who sees mounts within: {errno}"))?;
    }
    Ok(())
}

/// A directory or file in another place; what else is said of it takes a second call (`man 2 mount`).
fn show(source: &Path, target: &Path, bind: Bind, options: &Options) -> Result<(), String> {
    let result = match bind {
        Bind::Plain => mount_bind(source, target),
        Bind::Recursive => mount_bind_recursive(source, target),
    };
    result.map_err(|errno| format!("cannot show {} there: {errno}", source.display()))?;
    if options.flags.0.is_empty() {
        return Ok(());
    }
    mount_remount(target, MountFlags::BIND | options.flags.0, c"")
        .map_err(|errno| format!("cannot set its options: {errno}"))
}

/// Gives what is mounted at `target` other options.
pub(super) fn remount(target: &Path, options: &Options) -> Result<(), String> {
    let rest = text(&options.rest)?;
    mount_remount(target, options.flags.0, rest.as_c_str())
        .map_err(|errno| format!("cannot change its options: {errno}"))
}

/// Swaps to `node`.
pub(super) fn swap(node: &Path, options: &Options) -> Result<(), String> {
    let path = CString::new(node.as_os_str().as_bytes()).map_err(|_| "expected no NUL".to_owned())?;
    match sys::device::swap_on(&path, options.priority, options.discard) {
        Ok(()) => Ok(()),
        // It is swapped to already.
        Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => Ok(()),
        Err(error) => Err(format!("cannot swap to it: {error}")),
    }
}

/// File systems that take a program to mount (`man 8 mount`, EXTERNAL HELPERS).
fn by_helper(helper: &Path, source: &Path, target: &Path, options: &Options) -> Result<(), String> {
    let words: Vec<&str> =
        FLAG_WORDS.iter().filter(|(bits, _)| options.flags.0.contains(*bits)).map(|(_, word)| *word).collect();
    let all: Vec<&str> = words.into_iter().chain((!options.rest.is_empty()).then_some(options.rest.as_str())).collect();
    let mut command = Command::new(helper);
    command.arg(source).arg(target).stdin(Stdio::null());
    if !all.is_empty() {
        command.arg("-o").arg(all.join(","));
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} failed: {status}", helper.display())),
        Err(error) => Err(format!("cannot execute {}: {error}", helper.display())),
    }
}

/// What a helper must be told in words.
const FLAG_WORDS: [(MountFlags, &str); 7] = [
    (MountFlags::RDONLY, "ro"),
    (MountFlags::NOSUID, "nosuid"),
    (MountFlags::NODEV, "nodev"),
    (MountFlags::NOEXEC, "noexec"),
    (MountFlags::SYNCHRONOUS, "sync"),
    (MountFlags::NOATIME, "noatime"),
    (MountFlags::NODIRATIME, "nodiratime"),
];

fn text(rest: &str) -> Result<CString, String> {
    CString::new(rest).map_err(|_| "expected no NUL in the options".to_owned())
}

fn explain(errno: Errno, kind: &str) -> String {
    match errno {
        Errno::NODEV => format!("the kernel knows no {kind}"),
        Errno::INVAL => format!("it is no {kind}, or takes no such options: {errno}"),
        other => format!("cannot mount it: {other}"),
    }
}
