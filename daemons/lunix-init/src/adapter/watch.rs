//! Noticing that the service directory changed. inotify is only the hint; what counts is the directory, read again as a whole.

use super::{Host, Key};
use crate::directory::chain::steps_to;
use crate::directory::place;
use crate::service::Found;
use reactor::{Inotify, Instant, Interest, Reactor, Timer};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long changes may gather before the directory is read.
const DEBOUNCE: Duration = Duration::from_millis(30);

/// The folders of a service in which changes are looked for at once; what lies deeper is seen with the next change elsewhere.
const WITHIN: [&str; 5] = ["env", "dependencies.d", "contents.d", "instances", "data"];

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
            watcher.pending = watcher.timer.arm(Instant::now() + DEBOUNCE).is_ok();
            if !watcher.pending {
                self.read_again_later();
            }
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
        let mut folders = vec![self.services.clone()];
        for service in found {
            let folder = self.services.join(service.folder());
            // A link within the directory is seen there; where it leads may be reached by more of them, until it enters a store.
            let target = std::fs::read_link(&folder).map(|target| self.services.join(target));
            if let Some(target) = target.ok().filter(|target| !place::is_in_store(target, &self.stores)) {
                for (parent, name) in steps_to(&target) {
                    steps.extend(try_watch(&parent).map(|number| (number, name)));
                }
            }
            if service.place.is_none() {
                folders.extend(WITHIN.iter().map(|name| folder.join(name)));
                folders.push(folder);
            }
        }
        let watches: BTreeSet<i32> = folders.iter().filter_map(|folder| try_watch(folder)).collect();
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
        if added && !watcher.pending {
            watcher.pending = watcher.timer.arm(Instant::now() + DEBOUNCE).is_ok();
        }
        if let Some((path, error)) = failure
            && !std::mem::replace(&mut watcher.complained, true)
        {
            let path = path.display();
            self.console.say(format_args!("warn: cannot watch {path}: {error}; use rescan after changes there"));
        }
    }
}
