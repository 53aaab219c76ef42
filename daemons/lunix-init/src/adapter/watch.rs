//! Noticing that the service directory changed. inotify is only the hint; what counts is the directory, read again as a whole.

use super::{Host, Key};
use crate::service::Found;
use reactor::{Inotify, Instant, Interest, Reactor, Timer};
use std::collections::BTreeSet;
use std::io;
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
    complained: bool,
}

impl Watcher {
    pub(crate) fn open(reactor: &mut Reactor<Key>) -> io::Result<Self> {
        let watcher = Self {
            inotify: Inotify::new()?,
            timer: Timer::new()?,
            pending: false,
            watches: BTreeSet::new(),
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
        // Read to empty the queue; what exactly happened does not matter.
        let _ = watcher.inotify.read(|_| {});
        if !watcher.pending {
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
        let mut watch = |path: &Path| match watcher.inotify.watch(path) {
            Ok(number) => _ = watches.insert(number),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => failure = Some((path.to_path_buf(), error)),
        };
        link_parents(&self.services).iter().for_each(|parent| watch(parent));
        watch(&self.services);
        for service in found {
            let folder = self.services.join(&service.name);
            watch(&folder);
            watch(&folder.join("env"));
            watch(&folder.join("dependencies.d"));
        }
        for gone in watcher.watches.difference(&watches) {
            // The kernel may have dropped it already.
            let _ = watcher.inotify.unwatch(*gone);
        }
        // What changed before a new watch was set would go unseen: look once more.
        let added = watches.difference(&watcher.watches).next().is_some();
        watcher.watches = watches;
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

/// The directories that hold the links by which `path` is reached, so that the swap of any of them is seen.
fn link_parents(path: &Path) -> Vec<PathBuf> {
    let mut parents = Vec::new();
    let mut at = path.to_path_buf();
    // As many links as the kernel follows.
    for _ in 0..40 {
        let Ok(target) = std::fs::read_link(&at) else { return parents };
        let parent = at.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        at = parent.join(target);
        parents.push(parent);
    }
    parents
}
