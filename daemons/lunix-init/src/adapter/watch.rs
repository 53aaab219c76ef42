//! Noticing that the service directory changed. inotify is only the hint; what counts is the directory, read again as a whole.

use super::{Host, Key};
use crate::directory::chain::steps_to;
use crate::directory::{Reading, place};
use reactor::{Inotify, Instant, Interest, Reactor, Timer};
use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long changes may gather before the directory is read.
const DEBOUNCE: Duration = Duration::from_millis(30);
/// How often a path is walked while its links are being swapped; the last swap is seen as a change.
const SWAPS_MAX: usize = 4;

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

    /// Begins to watch what is about to be read: the directory, and what its path leads through; `None` where nothing can be watched.
    pub(crate) fn begin_watching(&self) -> Option<Watching<'_>> {
        let watcher = self.watcher.as_ref()?;
        let mut seen = Seen::default();
        seen.path(&watcher.inotify, &self.services);
        seen.folder(&watcher.inotify, &self.services);
        Some(Watching {
            inotify: &watcher.inotify,
            services: &self.services,
            stores: &self.stores,
            seen: Cell::new(seen),
        })
    }

    /// What was watched while the directory was read is what is watched from now on; after a reading that came to no end, that and what was
    /// watched before.
    pub(crate) fn end_watching(&mut self, seen: Option<Seen>, is_whole: bool) {
        let (Some(watcher), Some(mut seen)) = (&mut self.watcher, seen) else { return };
        if !is_whole {
            seen.watches.append(&mut watcher.watches);
            seen.steps.append(&mut watcher.steps);
        }
        let Seen { watches, steps, failure } = seen.sorted();
        let kept = numbers(&watches, &steps);
        for gone in numbers(&watcher.watches, &watcher.steps).iter().filter(|one| kept.binary_search(one).is_err()) {
            // The kernel may have dropped it already.
            let _ = watcher.inotify.unwatch(*gone);
        }
        (watcher.watches, watcher.steps) = (watches, steps);
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

/// Sets watches while the directory is read, each before what it watches is looked at: so no change goes unseen.
pub(crate) struct Watching<'a> {
    inotify: &'a Inotify,
    services: &'a Path,
    stores: &'a [PathBuf],
    seen: Cell<Seen>,
}

impl Watching<'_> {
    /// Something is about to be read.
    pub(crate) fn watch(&self, reading: Reading<'_>) {
        let mut seen = self.seen.take();
        match reading {
            Reading::Folder(path) => seen.folder(self.inotify, &self.services.join(path)),
            Reading::Entry(name) => {
                // A link within the directory is seen there; where it leads may be reached by more of them, until it enters a store.
                let target = std::fs::read_link(self.services.join(name)).map(|target| self.services.join(target));
                if let Some(target) = target.ok().filter(|target| !place::is_in_store(target, self.stores)) {
                    seen.path(self.inotify, &target);
                }
            }
        }
        self.seen.set(seen);
    }

    pub(crate) fn end(self) -> Seen {
        self.seen.into_inner()
    }
}

/// What is being watched, while it is being found out.
#[derive(Default)]
pub(crate) struct Seen {
    watches: Vec<i32>,
    steps: Vec<(i32, Vec<u8>)>,
    failure: Option<(PathBuf, io::Error)>,
}

impl Seen {
    /// Watches a directory for whatever happens in it, when there is one.
    fn folder(&mut self, inotify: &Inotify, path: &Path) {
        if let Some(number) = self.try_watch(inotify, path) {
            self.watches.push(number);
        }
    }

    /// Watches each link by which a path is reached. A link that is swapped meanwhile leads elsewhere: then that is watched, too.
    fn path(&mut self, inotify: &Inotify, path: &Path) {
        let mut steps = steps_to(path);
        for _ in 0..SWAPS_MAX {
            for (parent, name) in &steps {
                if let Some(number) = self.try_watch(inotify, parent) {
                    self.steps.push((number, name.clone()));
                }
            }
            let again = steps_to(path);
            if again == steps {
                return;
            }
            steps = again;
        }
    }

    fn try_watch(&mut self, inotify: &Inotify, path: &Path) -> Option<i32> {
        match inotify.watch(path) {
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
