//! Noticing that the service directory changed. inotify is only the hint; what counts is the directory, read again as a whole.

use super::{Host, Key};
use crate::directory::INSTANCES;
use crate::directory::chain::steps_to;
use crate::directory::folder::Folder;
use crate::directory::place;
use crate::service::Found;
use reactor::{Inotify, Instant, Interest, Reactor, Timer};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long changes may gather before the directory is read.
const DEBOUNCE: Duration = Duration::from_millis(30);

/// The folders of a service in which changes are looked for at once; what lies deeper is seen with the next change elsewhere.
const WITHIN: [&str; 6] = ["cgroup", "env", "dependencies.d", "contents.d", "instances", "data"];

/// The watches, and the timer that lets changes gather.
#[derive(Debug)]
pub(crate) struct Watcher {
    inotify: Inotify,
    timer: Timer,
    pending: bool,
    /// The numbers of the watches; a thing watched again keeps its number.
    watches: Vec<i32>,
    /// Directories of which only the entry of this name matters: a step of the path to the services.
    steps: Vec<(i32, Vec<u8>)>,
    complained: bool,
}

impl Watcher {
    pub(crate) fn open(reactor: &mut Reactor<Key>) -> io::Result<Self> {
        let watcher = Self {
            inotify: Inotify::new()?,
            timer: Timer::new()?,
            pending: false,
            watches: Vec::new(),
            steps: Vec::new(),
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
            let here = change.overflow || change.gone || watches.binary_search(&change.watch).is_ok();
            matters |= here || steps.binary_search(&(change.watch, change.name)).is_ok();
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
    pub(crate) fn watch_services(&mut self, base: Option<&Folder>, found: &[Found]) {
        let Some(watcher) = &mut self.watcher else { return };
        let mut seen = Seen::new(&watcher.inotify);
        seen.path(&self.services);
        seen.folder(&self.services);
        // A template that has no instance yet is no service, and is to be seen when it gets its first.
        let entries = base.and_then(|base| base.names().ok()).unwrap_or_default();
        for template in entries.iter().filter_map(|name| name.to_str().ok()).filter(|name| name.ends_with('@')) {
            seen.folder(&self.services.join(template));
            seen.folder(&self.services.join(template).join(INSTANCES));
        }
        let mut folder = self.services.clone();
        for service in found {
            folder.push(service.folder());
            // A link within the directory is seen there; where it leads may be reached by more of them, until it enters a store.
            let target = std::fs::read_link(&folder).map(|target| self.services.join(target));
            if let Some(target) = target.ok().filter(|target| !place::is_in_store(target, &self.stores)) {
                seen.path(&target);
            }
            if service.place.is_none() {
                seen.folder(&folder);
                for name in WITHIN {
                    folder.push(name);
                    seen.folder(&folder);
                    folder.pop();
                }
            }
            // A name may be a path: that of a service and of its logger.
            folder.clone_from(&self.services);
        }
        let Seen { watches, steps, failure, .. } = seen.sorted();
        let kept = numbers(&watches, &steps);
        let held = numbers(&watcher.watches, &watcher.steps);
        for gone in held.iter().filter(|number| kept.binary_search(number).is_err()) {
            // The kernel may have dropped it already.
            let _ = watcher.inotify.unwatch(*gone);
        }
        // What changed before a new watch was set would go unseen: look once more.
        let added = kept.iter().any(|number| held.binary_search(number).is_err());
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

/// The numbers of all watches, in order.
fn numbers(watches: &[i32], steps: &[(i32, Vec<u8>)]) -> Vec<i32> {
    let mut all: Vec<i32> = watches.iter().copied().chain(steps.iter().map(|&(number, _)| number)).collect();
    all.sort_unstable();
    all
}

/// What is being watched, while it is being found out.
struct Seen<'a> {
    inotify: &'a Inotify,
    watches: Vec<i32>,
    steps: Vec<(i32, Vec<u8>)>,
    failure: Option<(PathBuf, io::Error)>,
}

impl<'a> Seen<'a> {
    fn new(inotify: &'a Inotify) -> Self {
        Self { inotify, watches: Vec::new(), steps: Vec::new(), failure: None }
    }

    /// Watches a directory for whatever happens in it, when there is one.
    fn folder(&mut self, path: &Path) {
        if let Some(number) = self.try_watch(path) {
            self.watches.push(number);
        }
    }

    /// Watches each link by which a path is reached.
    fn path(&mut self, path: &Path) {
        for (parent, name) in steps_to(path) {
            if let Some(number) = self.try_watch(&parent) {
                self.steps.push((number, name));
            }
        }
    }

    fn try_watch(&mut self, path: &Path) -> Option<i32> {
        match self.inotify.watch(path) {
            Ok(number) => Some(number),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
            Err(error) => {
                self.failure = Some((path.to_path_buf(), error));
                None
            }
        }
    }

    /// The same in order, each once, in no more memory than it takes.
    fn sorted(mut self) -> Self {
        self.watches.sort_unstable();
        self.watches.dedup();
        self.watches.shrink_to_fit();
        self.steps.sort_unstable();
        self.steps.dedup();
        self.steps.shrink_to_fit();
        self
    }
}
