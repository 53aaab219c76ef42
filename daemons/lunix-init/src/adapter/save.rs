//! Writing down what the next program of this process must know: what changed in a turn, at its end; a start, before and after it.

use super::Host;
use super::log_service::LogLink;
use super::output::Channels;
use crate::directory::fingerprint;
use crate::survival::copies::{CONTENT_BYTES, checksum};
use crate::survival::evidence;
use crate::survival::file::{Place, StateFile};
use crate::survival::record::{Descriptors, HELD, HeldRecord, SERVICE, ServiceRecord, WHOLE, WholeRecord};
use std::borrow::Cow;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// The file, and what is known of what stands in it.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) file: Option<StateFile>,
    /// By service: its process, and a moment (tenths of a second since boot) at which that ran already.
    started: Vec<(i32, u32)>,
    /// By place: the service a held descriptor belongs to, and the checksum of what was written.
    held: Vec<Option<(usize, u64)>>,
    whole: [u8; CONTENT_BYTES],
    complained: bool,
}

impl Keeper {
    /// Writes to `file` from now on; without one nothing is kept.
    pub(crate) fn new(file: Option<StateFile>) -> Self {
        Self { file, started: Vec::new(), held: Vec::new(), whole: [0; CONTENT_BYTES], complained: false }
    }

    /// A record of the service's process says that it was started before this moment.
    pub(crate) fn knows(&mut self, id: usize, pid: i32, started_ds: u32) {
        if self.started.len() <= id {
            self.started.resize(id + 1, (0, 0));
        }
        if let Some(slot) = self.started.get_mut(id) {
            *slot = (pid, started_ds);
        }
    }

    /// These records cannot be read: their places are given up with the next writing.
    pub(crate) fn frees(&mut self, ids: &[usize]) {
        let Some(file) = &mut self.file else { return };
        for &id in ids {
            // A place that stays as it is is one more that cannot be read by the next program; nothing else.
            let _ = file.free(Place::Service(id));
        }
    }

    /// A place is in use, for a descriptor of this service.
    pub(crate) fn holds(&mut self, place: usize, id: usize) {
        if self.held.len() <= place {
            self.held.resize(place + 1, None);
        }
        if let Some(slot) = self.held.get_mut(place) {
            *slot = Some((id, 0));
        }
    }

    /// When the process was started at the latest; now, for one that is seen first.
    fn started_ds(&mut self, id: usize, pid: Option<i32>) -> u32 {
        let Some(pid) = pid else { return 0 };
        match self.started.get(id) {
            Some(&(known, moment)) if known == pid => moment,
            Some(_) | None => {
                let moment = evidence::now_ds();
                self.knows(id, pid, moment);
                moment
            }
        }
    }

    fn write_whole(&mut self, record: &WholeRecord) -> io::Result<()> {
        let content = record.encode();
        let Some(file) = self.file.as_mut().filter(|_| content != self.whole) else { return Ok(()) };
        file.write(Place::Whole, WHOLE, &content)?;
        self.whole = content;
        Ok(())
    }

    /// Writes what is held for a service where it stood before, or in places that are free; gives up what is left.
    fn write_held(&mut self, id: usize, wanted: &[[u8; CONTENT_BYTES]]) -> io::Result<()> {
        let Self { file: Some(file), held, .. } = self else { return Ok(()) };
        let mut wanted = wanted.iter();
        for (number, slot) in held.iter_mut().enumerate().filter(|(_, slot)| slot.is_some_and(|one| one.0 == id)) {
            let next = wanted.next().map(|content| (content, (id, checksum(content))));
            match next {
                Some((_, sum)) if *slot == Some(sum) => {}
                Some((content, _)) => file.write(Place::Held(number), HELD, content)?,
                None => file.free(Place::Held(number))?,
            }
            *slot = next.map(|(_, sum)| sum);
        }
        for content in wanted {
            let number = held.iter().position(Option::is_none).unwrap_or(held.len());
            file.write(Place::Held(number), HELD, content)?;
            let written = Some((id, checksum(content)));
            match held.get_mut(number) {
                Some(slot) => *slot = written,
                None => held.push(written),
            }
        }
        Ok(())
    }
}

impl Host {
    /// Takes the space for a service's record before it starts, so that what runs can always be written down.
    pub(crate) fn reserve_record(&mut self, id: usize) -> io::Result<()> {
        self.keeper.file.as_mut().map_or(Ok(()), |file| file.reserve(Place::Service(id)))
    }

    /// Writes down what changed in this turn.
    pub(crate) fn save(&mut self) {
        if self.keeper.file.is_none() {
            return;
        }
        for id in self.supervisor.take_unsaved() {
            self.save_one(id);
        }
        let whole = self.whole_record();
        let link = whole.link.map(|link| link.socket);
        [whole.listener, whole.notify, whole.folder, link, whole.groups]
            .into_iter()
            .flatten()
            .for_each(sys::crash::keep_up_to);
        let outcome = self.keeper.write_whole(&whole);
        self.complain(outcome);
    }

    /// Writes one service down, now.
    pub(crate) fn save_one(&mut self, id: usize) {
        let pid = self.supervisor.get(id).and_then(|service| service.pid);
        let started_ds = self.keeper.started_ds(id, pid);
        let content = self.service_record(id, started_ds).and_then(|record| record.encode());
        let held = self.held_records(id);
        let Some(file) = &mut self.keeper.file else { return };
        let written = match content {
            Some(content) => file.write(Place::Service(id), SERVICE, &content),
            None => file.free(Place::Service(id)),
        };
        let written = written.and_then(|()| self.keeper.write_held(id, &held));
        self.complain(written);
    }

    fn service_record(&self, id: usize, started_ds: u32) -> Option<ServiceRecord<'_>> {
        let service = self.supervisor.get(id).filter(|service| !service.gone)?;
        let channels = self.channels.get(id);
        let descriptors = channels.map(Channels::descriptors).unwrap_or_default();
        let Descriptors { output, input, notification, home } = descriptors;
        let highest = [output.map(|both| both.0.max(both.1)), input.map(|both| both.0.max(both.1)), notification, home];
        highest.into_iter().flatten().for_each(sys::crash::keep_up_to);
        let words = service.said.get();
        let is_read_here = channels.is_some_and(Channels::is_read_here);
        let link = self.log_link.as_ref().filter(|link| link.has_output);
        Some(ServiceRecord {
            name: Cow::Borrowed(&service.name),
            life: service.life.kept(),
            pid: service.pid,
            started_ds,
            last_pid: service.last_pid,
            heir: service.heir(),
            reloader: service.reloader(),
            ended: service.ended,
            chosen: service.chosen,
            once: service.once,
            reloads: words.is_some_and(|words| words.reloads),
            reload_again: words.is_some_and(|words| words.reload_again),
            outdated: service.outdated,
            removed: service.removed,
            is_read_here,
            is_read_elsewhere: !is_read_here && link.is_some_and(|link| !link.is_ahead(id)),
            watchdog: service.definition.policy.watchdog,
            fingerprint: service.fingerprint,
            descriptors,
        })
    }

    /// Of each descriptor held for the service; a name that is too long for a record cannot be, as what is longer is not held.
    fn held_records(&self, id: usize) -> Vec<[u8; CONTENT_BYTES]> {
        let Some(kept) = self.channels.get(id).and_then(Channels::kept) else { return Vec::new() };
        let owner = u32::try_from(id).unwrap_or(u32::MAX);
        let sockets = kept.sockets.iter().map(|held| (Some(held.line.mode), &held.line.name, &held.fd));
        let stored = kept.store.iter().map(|(name, fd)| (None, name, fd));
        let records = sockets.chain(stored).map(|(listens, name, fd)| {
            sys::crash::keep_up_to(fd.as_raw_fd());
            HeldRecord { id: owner, fd: fd.as_raw_fd(), listens, name: Cow::Borrowed(name) }
        });
        records.filter_map(|record| record.encode()).collect()
    }

    fn whole_record(&self) -> WholeRecord {
        let link = self.log_link.as_ref();
        let number = |fd: BorrowedFd<'_>| fd.as_raw_fd();
        WholeRecord {
            phase: self.shutdown.phase(),
            goal: self.shutdown.goal(),
            end_deadline: self.shutdown.deadline(),
            next_event: self.events.next().number(),
            next_line: self.log.next().number(),
            generation: self.supervisor.generation(),
            fingerprints: fingerprint::form(),
            limits: self.descriptors,
            drain_at: self.drain_at,
            listener: self.control.listener().map(number),
            notify: self.notify.as_ref().map(|notify| number(notify.socket.as_fd())),
            folder: self.folder.as_ref().map(|folder| number(folder.as_fd())),
            link: link.map(LogLink::record),
            groups: self.groups.directory().map(number),
        }
    }

    fn complain(&mut self, outcome: io::Result<()>) {
        if let Err(error) = outcome
            && !std::mem::replace(&mut self.keeper.complained, true)
        {
            self.console.say(format_args!("error: cannot write down the state of services: {error}"));
        }
    }
}
