//! Noticing that the service directory changed. inotify is only the hint; what counts is the directory, read again as a whole.

use super::{Host, Key};
use crate::service::Found;
use reactor::{Inotify, Instant, Interest, Reactor, Timer};
use std::collections::BTreeSet;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long changes may gather before the directory is read.
const DEBOUNCE: Duration = Duration::from_millis(30);

/// The watches, and the timer that lets changes gather.
#[derive(Debug)]
pub(crate) struct Watcher {
    inotify: Inotify,
    timer: Timer,
    pending: bool,
    /// The numbers of the watches; a thing watched again keeps its number.
    watches: BTreeSet<i32>,
    /// Directories of which only the entry of this name matters: a step of the path to the services.
    steps: BTreeSet<(i32, Vec<u8>)>,
    complained: bool,
}

impl Watcher {
    pub(crate) fn open(reactor: &mut Reactor<Key>) -> io::Result<Self> {
        let watcher = Self {
            inotify: Inotify::new()?,
            timer: Timer::new()?,
            pending: false,
            watches: BTreeSet::new(),
            steps: BTreeSet::new(),
            complained: false,
        };
        reactor.insert(&watcher.inotify, Interest::READ, Key::Inotify)?;
        reactor.insert(&watcher.timer, Interest::READ, Key::Debounce)?;
        Ok(watcher)
    }
}

impl Host {
    /// Something changed: look in a moment, when the rest of the change has come, too.
    pub(crate) fn directory_changed(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let Watcher { inotify, watches, steps, .. } = &*watcher;
        // What exactly happened does not matter, only whether it was here.
        let mut matters = false;
        let read = inotify.read(|change| {
            let here = change.overflow || change.gone || watches.contains(&change.watch);
            matters |= here || steps.contains(&(change.watch, change.name));
        });
        if (matters || read.is_err()) && !watcher.pending {
            watcher.pending = true;
            let _ = watcher.timer.arm(Instant::now() + DEBOUNCE);
        }
    }

    pub(crate) fn rescan_when_due(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let _ = watcher.timer.fired();
        watcher.pending = false;
        self.rescan();
    }

    /// Watches the directory, what its path leads through, and each service in it.
    pub(crate) fn watch_services(&mut self, found: &[Found]) {
        let Some(watcher) = &mut self.watcher else { return };
        let mut watches = BTreeSet::new();
        let mut failure = None;
        let mut steps = BTreeSet::new();
        let mut try_watch = |path: &Path| match watcher.inotify.watch(path) {
            Ok(number) => Some(number),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => None,
            Err(error) => {
                failure = Some((path.to_path_buf(), error));
                None
            }
        };
        for (parent, name) in steps_to(&self.services) {
            steps.extend(try_watch(&parent).map(|number| (number, name)));
        }
        let mut watch = |path: &Path| watches.extend(try_watch(path));
        watch(&self.services);
        for service in found {
            let folder = self.services.join(&service.name);
            watch(&folder);
            watch(&folder.join("env"));
            watch(&folder.join("dependencies.d"));
        }
        let kept: BTreeSet<i32> = watches.iter().copied().chain(steps.iter().map(|&(number, _)| number)).collect();
        let held: BTreeSet<i32> =
            watcher.watches.iter().copied().chain(watcher.steps.iter().map(|&(number, _)| number)).collect();
        for gone in held.difference(&kept) {
            // The kernel may have dropped it already.
            let _ = watcher.inotify.unwatch(*gone);
        }
        // What changed before a new watch was set would go unseen: look once more.
        let added = kept.difference(&held).next().is_some();
        (watcher.watches, watcher.steps) = (watches, steps);
        if added && !std::mem::replace(&mut watcher.pending, true) {
            let _ = watcher.timer.arm(Instant::now() + DEBOUNCE);
        }
        if let Some((path, error)) = failure
            && !std::mem::replace(&mut watcher.complained, true)
        {
            let path = path.display();
            self.console.say(format_args!("warn: cannot watch {path}: {error}; use rescan after changes there"));
        }
    }
}

/// The directories that hold the links by which `path` is reached, and the entry that matters in each, so that the swap of any of them
/// is seen; the last is the entry of the directory itself.
fn steps_to(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut steps = Vec::new();
    let mut at = path.to_path_buf();
    // As many links as the kernel follows.
    for _ in 0..40 {
        let parent = match at.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_path_buf(),
            None => return steps,
        };
        steps.push((parent.clone(), at.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_default()));
        let Ok(target) = std::fs::read_link(&at) else { return steps };
        at = parent.join(target);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_the_path_is_a_step() {
        let home = std::env::temp_dir().join(format!("lunix-init-steps-{}", std::process::id()));
        std::fs::create_dir_all(home.join("gen1")).unwrap();
        std::os::unix::fs::symlink("profile", home.join("services")).unwrap();
        std::os::unix::fs::symlink(home.join("gen1"), home.join("profile")).unwrap();
        let steps = steps_to(&home.join("services"));
        std::fs::remove_dir_all(&home).unwrap();
        let names: Vec<&[u8]> = steps.iter().map(|(_, name)| name.as_slice()).collect();
        assert_eq!(names, [&b"services"[..], b"profile", b"gen1"]);
        assert!(steps.iter().all(|(parent, _)| *parent == home));
        assert_eq!(steps_to(Path::new("services"))[0].0, Path::new("."));
    }
}
