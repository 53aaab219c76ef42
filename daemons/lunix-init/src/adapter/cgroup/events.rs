//! What the kernel tells of a service's cgroup by itself: a death by lack of memory, waiting beyond a limit, that it is empty.
//!
//! One inotify descriptor serves all; pressure has a descriptor for each line of a `pressure`. Nothing is asked for until the kernel says that
//! something changed.

use super::{Group, Host, oom_kills};
use crate::adapter::Key;
use crate::adapter::launch::Failure;
use crate::cgroup::trigger::{self, Trigger};
use crate::directory::FILE_MAX;
use crate::directory::folder::Folder;
use init_control::What;
use reactor::{Event, Inotify, Interest};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;

/// The file of a service directory that says which waiting is to be told.
const PRESSURE: &str = "pressure";

/// The descriptor that tells which files of cgroups changed.
#[derive(Debug)]
pub(super) struct Watches(Inotify);

impl Host {
    /// Watches what the service's directory and its cgroup have to be watched for. `anew`: by another directory than before.
    pub(super) fn watch_group(&mut self, id: usize, folder: &Folder, anew: bool) -> Result<(), Failure> {
        let triggers = match folder.read(PRESSURE, FILE_MAX)? {
            Some(content) => trigger::parse(&content)
                .map_err(|expected| Failure::lasting(format!("{PRESSURE}: expected {expected}")))?,
            None => Vec::new(),
        };
        self.watch_memory(id);
        if anew {
            self.unwatch_pressure(id);
            for trigger in triggers {
                self.watch_pressure(id, trigger)?;
            }
        }
        Ok(())
    }

    /// Ends every watch of the service's cgroup.
    pub(super) fn unwatch_group(&mut self, id: usize) {
        self.unwatch_emptying(id);
        self.unwatch_pressure(id);
        let group = self.channels.get_mut(id).and_then(|channels| channels.group.as_mut());
        if let Some(watch) = group.and_then(|group| group.memory.take()) {
            self.unwatch(watch);
        }
    }

    fn watch_memory(&mut self, id: usize) {
        let Some((name, None)) = self.group(id).map(|group| (group.name.clone(), group.memory)) else { return };
        let Some(kills) = self.groups.base.as_ref().and_then(|base| oom_kills(base, &name)) else { return };
        let watch = self.watch_file(&name, "memory.events");
        if let Some(group) = self.group_mut(id) {
            (group.memory, group.oom_kills) = (watch, kills);
        }
    }

    /// Watches for the moment when nothing is left in the service's cgroup; false when that cannot be.
    pub(super) fn watch_emptying(&mut self, id: usize) -> bool {
        let Some((name, watch)) = self.group(id).map(|group| (group.name.clone(), group.emptying)) else {
            return false;
        };
        let watch = watch.or_else(|| self.watch_file(&name, "cgroup.events"));
        if let Some(group) = self.group_mut(id) {
            group.emptying = watch;
        }
        watch.is_some()
    }

    pub(super) fn unwatch_emptying(&mut self, id: usize) {
        if let Some(watch) = self.group_mut(id).and_then(|group| group.emptying.take()) {
            self.unwatch(watch);
        }
    }

    fn watch_file(&mut self, name: &str, file: &str) -> Option<i32> {
        let path = self.groups.base.as_ref()?.path.join(name).join(file);
        if self.groups.watches.is_none() {
            let inotify = Inotify::new().ok()?;
            self.reactor.insert(&inotify, Interest::READ, Key::Groups).ok()?;
            self.groups.watches = Some(Watches(inotify));
        }
        self.groups.watches.as_ref()?.0.watch_content(&path).ok()
    }

    fn unwatch(&self, watch: i32) {
        if let Some(Watches(inotify)) = &self.groups.watches {
            // The kernel may have dropped it already, with the cgroup.
            let _ = inotify.unwatch(watch);
        }
    }

    /// Files of cgroups changed.
    pub(crate) fn groups_changed(&mut self) {
        let Some(Watches(inotify)) = &self.groups.watches else { return };
        let (mut changed, mut all) = (BTreeSet::new(), false);
        let read = inotify.read(|change| {
            all |= change.overflow;
            changed.insert(change.watch);
        });
        let concerned =
            |watch: Option<i32>| watch.is_some_and(|watch| all || read.is_err() || changed.contains(&watch));
        let groups = self.channels.iter().enumerate();
        let groups = groups.filter_map(|(id, channels)| Some((id, channels.group.as_ref()?)));
        let told: Vec<(usize, bool, bool)> =
            groups.map(|(id, group)| (id, concerned(group.memory), concerned(group.emptying))).collect();
        for (id, memory, emptying) in told {
            if memory {
                self.look_for_oom(id);
            }
            if emptying && !self.is_populated(id) {
                self.group_is_empty(id);
            }
        }
    }

    /// Tells of deaths by lack of memory since the last time.
    pub(crate) fn look_for_oom(&mut self, id: usize) {
        let Some((name, before)) = self.group(id).map(|group| (group.name.clone(), group.oom_kills)) else { return };
        let Some(base) = self.groups.base.as_ref() else { return };
        let Some(kills) = oom_kills(base, &name).filter(|&kills| kills > before) else { return };
        let limit = base.read(&name, "memory.max").unwrap_or_default();
        let limit = String::from_utf8_lossy(limit.trim_ascii()).into_owned();
        if let Some(group) = self.group_mut(id) {
            group.oom_kills = kills;
        }
        let count = kills - before;
        let reason = format!("{count} of its processes killed for lack of memory (memory.max {limit})");
        self.supervisor.report(id, What::Oom, reason, &mut self.acts);
    }

    fn watch_pressure(&mut self, id: usize, trigger: Trigger) -> Result<(), Failure> {
        let Some(name) = self.group(id).map(|group| group.name.clone()) else { return Ok(()) };
        let Some(base) = self.groups.base.as_ref() else { return Ok(()) };
        let path = format!("{name}/{}", trigger.resource.file());
        match arm(&base.folder, &path, &trigger) {
            Ok(fd) => {
                let token = self.reactor.insert(&fd, Interest::PRIORITY, Key::Pressure(id)).map_err(io::Error::from)?;
                if let Some(group) = self.group_mut(id) {
                    group.triggers.push((fd, token, trigger));
                }
                Ok(())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported) => {
                self.console
                    .say(format_args!("warn: {name}: {PRESSURE}: {trigger}: not on this kernel, and without effect"));
                Ok(())
            }
            Err(error) => Err(Failure::from(error).about(&format!("{PRESSURE}: the kernel refuses {trigger}"))),
        }
    }

    fn unwatch_pressure(&mut self, id: usize) {
        let triggers = self.group_mut(id).map(|group| std::mem::take(&mut group.triggers));
        for (fd, token, _) in triggers.unwrap_or_default() {
            let _ = self.reactor.remove(token, &fd);
        }
    }

    /// The kernel tells of waiting: what was asked for, or that its cgroup is gone.
    pub(crate) fn pressure(&mut self, id: usize, event: Event<Key>) {
        let Some(group) = self.group_mut(id) else { return };
        let Some(at) = group.triggers.iter().position(|(_, token, _)| *token == event.token) else { return };
        if event.closed {
            let (fd, token, _) = group.triggers.swap_remove(at);
            let _ = self.reactor.remove(token, &fd);
        } else if let Some((_, _, trigger)) = group.triggers.get(at) {
            let reason = format!("waited for {trigger}");
            self.supervisor.report(id, What::Pressure, reason, &mut self.acts);
        }
    }

    fn group(&self, id: usize) -> Option<&Group> {
        self.channels.get(id)?.group.as_deref()
    }

    fn group_mut(&mut self, id: usize) -> Option<&mut Group> {
        self.channels.get_mut(id)?.group.as_deref_mut()
    }
}

/// A descriptor that tells of the waiting.
fn arm(base: &Folder, path: &str, trigger: &Trigger) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(base, path, flags, Mode::empty())?;
    rustix::io::write(&fd, format!("{}\n", trigger.request()).as_bytes())?;
    Ok(fd)
}
