//! What is taken from the system once, at the start.

use super::Key;
use super::control::Control;
use crate::console::Console;
use crate::directory;
use crate::options::Options;
use crate::survival::takeover::Begun;
use reactor::Reactor;
use rustix::process::Resource;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// The control socket, anew or as another lunix-init left it. PID 1 goes on without one.
pub(super) fn open_control(
    options: &Options,
    is_pid1: bool,
    begun: &mut Begun,
    reactor: &mut Reactor<Key>,
    console: &mut Console,
) -> io::Result<Control> {
    let mut control = Control::new();
    let Some(path) = &options.control else { return Ok(control) };
    let listens = match begun.listener() {
        None => control.listen(path, is_pid1, reactor),
        Some(listener) => control.handed_down(listener, path, reactor),
    };
    match listens {
        Ok(()) => {}
        Err(error) if is_pid1 => {
            console.say(format_args!("error: cannot listen on {}: {error}", path.display()));
        }
        Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
    Ok(control)
}

/// The stores that were named, or the usual ones; as the kernel tells paths, without links.
pub(super) fn stores(options: &Options) -> Vec<PathBuf> {
    let usual = || directory::place::STORES.map(PathBuf::from).to_vec();
    let named = if options.stores.is_empty() { usual() } else { options.stores.clone() };
    named.into_iter().map(|store| std::fs::canonicalize(&store).unwrap_or(store)).collect()
}

/// What reads as nothing: /dev/null, or an empty file in memory where there is no /dev.
pub(super) fn open_null() -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, Mode, OFlags};
    match rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        Ok(fd) => Ok(fd),
        Err(_) => Ok(rustix::fs::memfd_create("null", MemfdFlags::CLOEXEC)?),
    }
}

/// Takes as many descriptors as the kernel gives; returns the limit (soft, hard) that services are to have: the old one.
pub(super) fn raise_descriptor_limit() -> Option<(u64, u64)> {
    let old = rustix::process::getrlimit(Resource::Nofile);
    let (soft, hard) = (old.current?, old.maximum?);
    let raised = rustix::process::Rlimit { current: Some(hard), maximum: Some(hard) };
    (soft < hard && rustix::process::setrlimit(Resource::Nofile, raised).is_ok()).then_some((soft, hard))
}
