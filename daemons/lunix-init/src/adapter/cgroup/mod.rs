//! A cgroup for each service: made when it starts, set up as its directory says, killed as a whole, removed when it is stopped.

mod base;
mod clear;
mod events;

pub(crate) use base::Base;

use super::Host;
use super::launch::Failure;
use super::output::Channels;
use crate::cgroup::trigger::Trigger;
use crate::cgroup::{counters, name, setting};
use crate::directory::FILE_MAX;
use crate::directory::folder::Folder;
use crate::options::Options;
use crate::poweroff;
use crate::service::Service;
use events::Watches;
use init_control::ServiceState;
use reactor::Token;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

/// The folder of a service directory that holds the settings of its cgroup.
const SETTINGS: &str = "cgroup";

/// The cgroups of all services.
pub(crate) struct Groups {
    /// `None` where there are none.
    pub(crate) base: Option<Base>,
    watches: Option<Watches>,
    /// It was said that a cgroup cannot be made.
    complained: bool,
}

/// The cgroup of one service.
#[derive(Debug, Default)]
pub(crate) struct Group {
    name: String,
    /// The fingerprint of the directory whose settings it has.
    settings: Option<u64>,
    /// It may have been killed before, as of [`sys::spawn::Command::moves`].
    was_killed: bool,
    /// It was made or met by this lunix-init.
    is_known: bool,
    /// Processes in it killed for lack of memory, as far as told.
    oom_kills: u64,
    /// The watch of `memory.events`.
    memory: Option<i32>,
    /// The watch of `cgroup.events`, while it is to become empty.
    emptying: Option<i32>,
    triggers: Vec<(OwnedFd, Token, Trigger)>,
}

impl Group {
    /// Its directory below that of all.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Groups {
    /// Finds the place for them; the sentence says why there is none.
    /// `left`: another lunix-init had it.
    pub(crate) fn open(options: &Options, is_pid1: bool, left: Option<OwnedFd>) -> (Self, Option<String>) {
        let is_first = is_pid1 && poweroff::is_first_namespace();
        let given = options.cgroup.as_deref();
        let left = left.and_then(|folder| Base::handed_down(folder, given.is_none()));
        let (base, reason) = match left.map_or_else(|| Base::open(given, is_first), Ok) {
            Ok(base) => (Some(base), None),
            Err(reason) => (None, Some(reason)),
        };
        (Self { base, watches: None, complained: false }, reason)
    }
}

impl Groups {
    /// The directory they are in.
    pub(crate) fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.base.as_ref().map(|base| base.folder.as_fd())
    }
}

impl Host {
    /// The cgroup that the service's program is to be born in, or to move to; for its main program with the settings of `folder`. `None` where there are no
    /// cgroups.
    pub(crate) fn enter_group(
        &mut self,
        id: usize,
        folder: &Folder,
        is_main: bool,
    ) -> Result<Option<(Folder, bool)>, Failure> {
        let Some(service) = self.supervisor.get(id) else { return Ok(None) };
        let (shown, fingerprint) = (service.name.clone(), service.fingerprint);
        let (Some(base), Some(channels)) = (&mut self.groups.base, self.channels.get_mut(id)) else { return Ok(None) };
        let group =
            channels.group.get_or_insert_with(|| Box::new(Group { name: name::of(&shown), ..Group::default() }));
        let is_changed = is_main && group.settings != Some(fingerprint);
        // What the last directory set and this one does not must not stay.
        if is_changed && !base.is_populated(&group.name) && base.remove(&group.name) {
            // The watch went with the file.
            (group.oom_kills, group.memory) = (0, None);
        }
        let made = match base.enter(&group.name) {
            Ok((made, is_new)) => {
                // One that was there before may come from an earlier lunix-init.
                group.was_killed = !is_new && (group.was_killed || !group.is_known);
                group.is_known = true;
                made
            }
            Err(error) => {
                if !std::mem::replace(&mut self.groups.complained, true) {
                    self.console.say(format_args!("warn: {shown}: cannot make its cgroup: {error}; it runs without"));
                }
                return Ok(None);
            }
        };
        if is_main {
            let missing = apply(base, folder, &made)?;
            if is_changed && !missing.is_empty() {
                let files = missing.join(", ");
                self.console.say(format_args!("warn: {shown}: {files}: not on this kernel, and without effect"));
            }
            group.settings = Some(fingerprint);
            self.watch_group(id, folder, is_changed)?;
        }
        let moves =
            self.channels.get(id).and_then(|channels| channels.group.as_ref()).is_some_and(|group| group.was_killed);
        Ok(Some((made, moves)))
    }

    /// Looks after the cgroups of services that another lunix-init started.
    pub(crate) fn meet_groups(&mut self) {
        let is_left = |service: &Service| service.life.state() == ServiceState::Killing;
        let running = self.supervisor.iter().filter(|(_, service)| service.pid.is_some() || is_left(service));
        let running: Vec<(usize, String, u64, Option<Folder>)> = running
            .map(|(id, service)| {
                let folder = self.folder.as_ref().and_then(|base| base.enter(service.folder()).ok().flatten());
                (id, name::of(&service.name), service.fingerprint, folder)
            })
            .collect();
        for (id, name, fingerprint, folder) in running {
            let is_there = self.groups.base.as_ref().is_some_and(|base| base.is_populated(&name));
            let (true, Some(channels), Some(folder)) = (is_there, self.channels.get_mut(id), folder) else { continue };
            channels.group = Some(Box::new(Group { name, settings: Some(fingerprint), ..Group::default() }));
            if let Err(failure) = self.watch_group(id, &folder, true) {
                let sentence = failure.sentence;
                self.console.say(format_args!("warn: its cgroup is not watched (service={id}): {sentence}"));
            }
        }
    }

    /// Gives up what is watched of a service's cgroup, and removes it when no process is in it.
    pub(crate) fn leave_group(&mut self, id: usize) {
        self.unwatch_group(id);
        let Some(base) = &self.groups.base else { return };
        let Some(channels) = self.channels.get_mut(id) else { return };
        if channels.group.as_ref().is_some_and(|group| base.remove(&group.name)) {
            channels.group = None;
        }
    }

    /// Removes all that was made.
    pub(crate) fn close_groups(&mut self) {
        if let Some(base) = self.groups.base.take() {
            base.close();
        }
    }

    /// The service whose cgroup a process is in.
    pub(crate) fn service_by_group(&self, pid: i32) -> Option<usize> {
        let base = self.groups.base.as_ref()?;
        let table = std::fs::read(format!("/proc/{pid}/cgroup")).ok()?;
        let path = crate::cgroup::scan::lines(&table).find_map(|line| line.strip_prefix(b"0::"))?;
        let name = path.strip_prefix(base.prefix.as_slice())?.split(|&byte| byte == b'/').next()?;
        let is_its = |channels: &Channels| channels.group.as_ref().is_some_and(|group| group.name.as_bytes() == name);
        self.channels.iter().position(is_its)
    }
}

/// Writes the settings of a service directory; returns those whose files the kernel does not have.
fn apply(base: &mut Base, folder: &Folder, made: &Folder) -> Result<Vec<String>, Failure> {
    let mut missing = Vec::new();
    let Some(settings) = folder.enter(SETTINGS)? else { return Ok(missing) };
    for file in settings.names()?.iter() {
        let Ok(file) = file.to_str() else { continue };
        let Some(content) = settings.read(file, FILE_MAX)? else { continue };
        setting::check(file, &content)
            .map_err(|expected| Failure::lasting(format!("{SETTINGS}/{file}: expected {expected}")))?;
        let has_controller = setting::controller_of(file).is_none_or(|controller| base.enable(controller));
        match if has_controller { write_lines(made, file, &content) } else { Err(Errno::NOENT.into()) } {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(format!("{SETTINGS}/{file}")),
            Err(error) => {
                let shown: String = String::from_utf8_lossy(&content).trim().chars().take(64).collect();
                return Err(Failure::from(error).about(&format!("{SETTINGS}/{file}: the kernel refuses {shown:?}")));
            }
        }
    }
    Ok(missing)
}

/// Writes a file of a cgroup line by line, as the kernel wants it.
fn write_lines(made: &Folder, file: &str, content: &[u8]) -> io::Result<()> {
    let mut count = 0;
    for line in crate::cgroup::scan::lines(content) {
        count += 1;
        write(made, file, line)?;
    }
    if count == 0 { write(made, file, b"\n") } else { Ok(()) }
}

/// Writes to a file of a cgroup.
fn write(made: &Folder, file: &str, text: &[u8]) -> io::Result<()> {
    let fd = rustix::fs::openat(made, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&fd, text)?;
    Ok(())
}

/// How many processes of a cgroup were killed for lack of memory; `None` where nobody counts.
fn oom_kills(base: &Base, name: &str) -> Option<u64> {
    counters::keyed(&base.read(name, "memory.events")?, "oom_kill")
}
