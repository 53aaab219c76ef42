//! Services that another lunix-init left: their pipes, and what became of their processes since they were written down.
//!
//! Never a guess: a process is a service's when its record names it and it is not younger than that, or when it is our child, leads a session as only
//! what we start does, and writes to the service's own pipe. Where neither is certain, the service waits until what may be its is gone.

use super::log_service::LogLink;
use super::{Host, Key};
use crate::directory;
use crate::directory::Known;
use crate::directory::folder::Folder;
use crate::lifecycle::Script;
use crate::service::Found;
use crate::supervisor::Act;
use crate::survival::evidence::{self, Process};
use crate::survival::record::WholeRecord;
use crate::survival::restore::Left;
use crate::survival::takeover::Inherited;
use crate::survival::text::{Item, Kind};
use init_control::{Ended, ServiceState};
use reactor::{Instant, Interest};
use rustix::fs::FileType;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::time::Duration;
use sys::signal;

impl Host {
    /// The service directory that was in use, or the one there is now; `None` when neither can be read.
    pub(crate) fn read_left_directory(&mut self) -> Option<Vec<Found>> {
        let known = Known { stores: &self.stores, earlier: &|_, _| None, watch: &|_| {} };
        let read = |folder: &Folder| {
            let found = directory::read_all(folder, known)?;
            folder.take_scarcity().map_or(Ok(found), Err)
        };
        // A directory that was removed is empty, whatever it held.
        let found = match self.folder.as_ref().filter(|folder| !folder.is_removed()) {
            Some(folder) => read(folder),
            None => Folder::open(&self.services).and_then(|folder| {
                let found = read(&folder)?;
                self.folder = Some(folder);
                Ok(found)
            }),
        };
        match found {
            Ok(found) => Some(found),
            Err(error) => {
                self.console.say(format_args!("error: cannot read the services: {error}"));
                self.read_again_later();
                None
            }
        }
    }

    pub(crate) fn resume_service(&mut self, left: Left, handed: &[Item<'_>], inherited: &mut Inherited) {
        let Left { id, record, home } = left;
        let own = |kind: Kind| {
            let mut items = handed.iter().filter(|item| item.kind == kind);
            items.find(|item| usize::try_from(item.id) == Ok(id)).map_or(&[][..], |item| item.bytes)
        };
        let output = inherited.take_pipe(record.descriptors.output);
        let input = inherited.take_pipe(record.descriptors.input);
        let notification = inherited.take(record.descriptors.notification, FileType::Fifo);
        let is_lost = record.descriptors.output.is_some() && output.is_none();
        if let Some(pid) = record.pid {
            self.keeper.knows(id, pid, record.started_ds);
        }
        if let Some(service) = self.supervisor.get_mut(id) {
            service.reason = String::from_utf8_lossy(own(Kind::Reason)).into();
            let status = own(Kind::Status);
            let status = (!status.is_empty()).then(|| String::from_utf8_lossy(status).into());
            service.said.set(|words| words.status = status);
        }
        let Some(channels) = self.channels_of(id) else { return };
        channels.take_over(output, input, own(Kind::Partial));
        channels.home = home;
        let watched = if record.is_read_here { self.watch_output(id) } else { Ok(()) };
        let announced = notification.map_or(Ok(()), |reader| self.watch_notification(id, reader));
        if let Err(error) = watched.and(announced) {
            self.console.say(format_args!("error: {}: cannot go on hearing it: {error}", record.name));
        }
        if is_lost {
            self.console.say(format_args!("error: {}: its output is lost until it starts again", record.name));
        }
    }

    /// Goes on handing output to the log service; when its link is lost, output is read here.
    pub(crate) fn resume_link(
        &mut self,
        whole: Option<&WholeRecord>,
        ahead: VecDeque<usize>,
        inherited: &mut Inherited,
    ) -> io::Result<()> {
        let record = whole.and_then(|whole| whole.link);
        if let Some(record) = record
            && let Some(socket) = inherited.take(Some(record.socket), FileType::Socket)
        {
            let token = self.reactor.insert(&socket, Interest::NONE, Key::LogLink)?;
            let ahead = if record.has_output { ahead } else { VecDeque::new() };
            self.log_link = LogLink::handed_down(record, socket, token, ahead);
            self.hand_over();
        }
        let is_served = self.log_link.as_ref().is_some_and(|link| link.has_output);
        let is_unread =
            |id: usize| self.channels.get(id).is_some_and(|one| one.reader().is_some() && !one.is_read_here());
        if !is_served && self.drain_at.is_none() && (0..self.channels.len()).any(is_unread) {
            self.drain_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Looks what became of the processes: `left` has number, process and the moment before which that was started.
    pub(crate) fn look_after(&mut self, now: Instant, left: &[(usize, Option<i32>, u32)]) {
        let strangers = self.strangers();
        for &(id, pid, started_ds) in left {
            let Some(service) = self.supervisor.get(id) else { continue };
            match (pid, service.life.state()) {
                (Some(pid), _) if service.pid == Some(pid) => {
                    // First held, then looked at: so it is this one that was looked at, whoever has the number later.
                    let process = sys::spawn::Process::of(pid).ok();
                    let is_it = |process: Process| process.started_ds <= started_ds;
                    if evidence::process(pid).is_some_and(is_it) {
                        self.hold(id, process, service.heir(), service.reloader());
                    } else {
                        self.ended_unseen(id, pid);
                    }
                }
                (None, ServiceState::Starting | ServiceState::Finishing | ServiceState::Undoing) => {
                    self.find_started(now, id, &strangers);
                }
                // What is left of it was being killed.
                (None, ServiceState::Killing) => self.acts.push_back(Act::Clear(id)),
                (Some(_) | None, _) => {}
            }
        }
    }

    /// Holds on to the processes of a service; to the one it named only if it is one of its own.
    fn hold(&mut self, id: usize, process: Option<sys::spawn::Process>, heir: Option<i32>, reloader: Option<i32>) {
        if let Some(channels) = self.channels_of(id) {
            channels.process = process;
            channels.reloader = reloader.and_then(|pid| sys::spawn::Process::of(pid).ok());
        }
        let is_none = heir.is_none_or(|pid| !self.hold_heir(id, pid));
        if let Some(service) = self.supervisor.get_mut(id).filter(|_| heir.is_some() && is_none) {
            service.said.set(|words| words.heir = None);
        }
    }

    /// How it ended nobody can tell any more: as if it had been killed.
    fn ended_unseen(&mut self, id: usize, pid: i32) {
        let name = self.supervisor.get(id).map_or("", |service| &service.name);
        self.console.say(format_args!("warn: {name}: its process {pid} ended unseen"));
        self.ended(id, Ended::Signal(signal::KILL));
    }

    /// A start was under way: looks whether it came to a process.
    fn find_started(&mut self, now: Instant, id: usize, strangers: &[Process]) {
        let Some(service) = self.supervisor.get(id) else { return };
        let since = evidence::now_ds().saturating_sub(tenths(now.since(service.life.since())) + 1);
        let is_state = |state: ServiceState| service.life.state() == state;
        let script = if is_state(ServiceState::Starting) {
            Script::Main
        } else {
            Script::End(service.ended.filter(|_| is_state(ServiceState::Finishing)))
        };
        let inode = self.channels.get(id).and_then(super::output::Channels::output_inode);
        let young: Vec<&Process> =
            strangers.iter().filter(|one| one.session == one.pid && one.started_ds >= since).collect();
        let is_its = |one: &&&Process| inode.is_some_and(|inode| evidence::writes_to(one.pid, inode));
        let its: Vec<i32> = young.iter().filter(is_its).map(|one| one.pid).collect();
        match (its.as_slice(), young.is_empty()) {
            (&[pid], _) => {
                self.hold(id, sys::spawn::Process::of(pid).ok(), None, None);
                self.supervisor.spawned(now, id, pid, &mut self.acts);
            }
            (_, true) => self.acts.push_back(Act::Run(id, script)),
            (_, false) => self.hold_back(id, young.iter().map(|one| one.pid).collect()),
        }
    }

    /// Services without a record, while there are records that cannot be read: they wait until what may be theirs is gone.
    pub(crate) fn hold_back_lost(&mut self, now: Instant, found: &[Found]) {
        let suspects: Vec<i32> = self.strangers().iter().map(|one| one.pid).collect();
        if suspects.is_empty() {
            return;
        }
        let runs = |entry: &&Found| entry.definition.as_ref().is_ok_and(|definition| !definition.runs_nothing);
        for entry in found.iter().filter(runs) {
            if self.supervisor.find(&entry.name).is_none() {
                let id = self.supervisor.take_on(now, entry.clone());
                self.hold_back(id, suspects.clone());
            }
        }
    }

    fn hold_back(&mut self, id: usize, suspects: Vec<i32>) {
        let some: Vec<String> = suspects.iter().take(8).map(i32::to_string).collect();
        let why = format!("its state was lost: it waits for the end of what may be its process: {}", some.join(", "));
        self.supervisor.hold_back(id, &why, &mut self.acts);
        self.lost.push((id, suspects));
    }

    /// A process ended that may have been a held back service's.
    pub(crate) fn suspect_ended(&mut self, pid: i32) {
        let mut free = Vec::new();
        self.lost.retain_mut(|(id, suspects)| {
            suspects.retain(|&one| one != pid);
            free.extend(suspects.is_empty().then_some(*id));
            !suspects.is_empty()
        });
        for id in free {
            self.supervisor.let_go(Instant::now(), id, &mut self.acts);
        }
    }

    /// Our living children that belong to no service we know.
    fn strangers(&self) -> Vec<Process> {
        let pids = self.supervisor.iter().flat_map(|(_, one)| [one.pid, one.heir(), one.reloader(), one.last_pid]);
        let known: BTreeSet<i32> = pids.flatten().collect();
        let is_known = |one: &Process| known.contains(&one.pid) || known.contains(&one.session);
        evidence::children().into_iter().filter(|one| !one.is_dead && !is_known(one)).collect()
    }
}

fn tenths(span: Duration) -> u32 {
    u32::try_from(span.as_millis() / 100).unwrap_or(u32::MAX)
}
