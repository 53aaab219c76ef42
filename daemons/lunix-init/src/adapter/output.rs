//! The pipes of the services: output that is drained into the ring, announcements, what goes to loggers.
//!
//! Both ends of each are held here as long as the service is known, so nothing in flight is lost when a process dies, and a start
//! needs no new pipe.

use super::cgroup::Group;
use super::sockets::Held;
use super::{Host, Key};
use crate::directory::folder::Folder;
use crate::lines::Lines;
use crate::survival::record::Descriptors;
use reactor::{Interest, Token};
use rustix::pipe::PipeFlags;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use sys::spawn::Process;

/// Most bytes taken from one service per turn.
const DRAIN_MAX: usize = 4096;

/// As much as a pipe holds.
const PIPE_MAX: usize = 64 * 1024;

/// Both ends of a pipe: to read from, to write to.
pub(crate) type Ends = (OwnedFd, OwnedFd);

/// What is held open for one service.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    /// Its output: the end to read from, its token while it is read here, the end it writes to.
    output: Option<(OwnedFd, Option<Token>, OwnedFd)>,
    /// What it reads as a logger: the end it reads from, the end those write to whose output it is.
    input: Option<(OwnedFd, OwnedFd)>,
    /// Where it announces itself.
    pub(crate) notification: Option<(OwnedFd, Token)>,
    /// What few services have.
    held: Option<Box<Kept>>,
    /// Its process, or that of its `finish` or `down`.
    pub(crate) process: Option<Process>,
    /// The process that it says takes the place of its first.
    pub(crate) heir: Option<Process>,
    /// That of its program `reload`.
    pub(crate) reloader: Option<Process>,
    /// Its cgroup.
    pub(crate) group: Option<Box<Group>>,
    /// The directory it was started from, when that is not the one of this name any more.
    pub(crate) home: Option<Folder>,
    /// A line of its output that is not complete yet.
    lines: Option<Box<Lines>>,
}

/// Descriptors to be handed down.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// What is listened on for the service.
    pub(crate) sockets: Vec<Held>,
    /// What it gave into keeping, by name.
    pub(crate) store: Vec<(String, OwnedFd)>,
}

impl Channels {
    /// Takes over the pipes that another lunix-init left; `partial` is what there was of a line.
    pub(crate) fn take_over(&mut self, output: Option<Ends>, input: Option<Ends>, partial: &[u8]) {
        self.output = output.map(|(reader, writer)| (reader, None, writer));
        self.input = input;
        self.lines = (!partial.is_empty()).then(|| Box::new(Lines::begun(partial.to_vec())));
    }

    /// Every descriptor held for it.
    pub(crate) fn each_descriptor(&self, mut each: impl FnMut(BorrowedFd<'_>)) {
        let output = self.output.iter().flat_map(|(reader, _, writer)| [reader, writer]);
        let input = self.input.iter().flat_map(|(reader, writer)| [reader, writer]);
        let notification = self.notification.iter().map(|(reader, _)| reader);
        let sockets = self.kept().into_iter().flat_map(|kept| kept.sockets.iter().map(|held| &held.fd));
        let stored = self.kept().into_iter().flat_map(|kept| kept.store.iter().map(|(_, fd)| fd));
        output.chain(input).chain(notification).chain(sockets).chain(stored).for_each(|fd| each(fd.as_fd()));
        self.home.iter().for_each(|home| each(home.as_fd()));
    }

    /// The inode of the pipe of its output.
    pub(crate) fn output_inode(&self) -> Option<u64> {
        self.output.as_ref().and_then(|(reader, _, _)| Some(rustix::fs::fstat(reader).ok()?.st_ino))
    }

    /// The numbers of all but the sockets and what is in keeping.
    pub(crate) fn descriptors(&self) -> Descriptors {
        let number = |fd: &OwnedFd| fd.as_raw_fd();
        Descriptors {
            output: self.output.as_ref().map(|(reader, _, writer)| (number(reader), number(writer))),
            input: self.input.as_ref().map(|(reader, writer)| (number(reader), number(writer))),
            notification: self.notification.as_ref().map(|(reader, _)| number(reader)),
            home: self.home.as_ref().map(|home| home.as_fd().as_raw_fd()),
        }
    }

    /// Its output is read here.
    pub(crate) fn is_read_here(&self) -> bool {
        matches!(self.output, Some((_, Some(_), _)))
    }

    /// What there is of a line.
    pub(crate) fn partial(&self) -> &[u8] {
        self.lines.as_ref().map_or(&[], |lines| lines.partial())
    }

    /// The descriptors to be handed down, when there are any.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.held.as_deref()
    }

    /// The same, to be changed.
    pub(crate) fn kept_mut(&mut self) -> &mut Kept {
        self.held.get_or_insert_default()
    }

    /// The end of its output to read from.
    pub(crate) fn reader(&self) -> Option<BorrowedFd<'_>> {
        self.output.as_ref().map(|(reader, _, _)| reader.as_fd())
    }
}

impl Host {
    /// What is held for a service.
    pub(crate) fn channels_of(&mut self, id: usize) -> Option<&mut Channels> {
        while self.channels.len() <= id {
            self.channels.push(Channels::default());
        }
        self.channels.get_mut(id)
    }

    /// Opens what the service needs and does not have yet.
    pub(crate) fn open_channels(&mut self, id: usize) -> io::Result<()> {
        let is_new = self.channels_of(id).is_some_and(|channels| channels.output.is_none());
        if is_new {
            let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(&reader, true)?;
            let is_log = self.supervisor.get(id).is_some_and(|service| service.definition.rare().is_log);
            let is_ours = is_log || !self.log_link.as_ref().is_some_and(|link| link.has_output);
            let watch = || self.reactor.insert(&reader, Interest::READ, Key::Output(id));
            // Not without being read: it would end in a full pipe.
            let token = is_ours.then(watch).transpose()?;
            if let Some(channels) = self.channels_of(id) {
                channels.output = Some((reader, token, writer));
            }
            if !is_ours {
                self.hand_over_one(id);
            }
        }
        let Some(service) = self.supervisor.get(id) else { return Ok(()) };
        let rare = service.definition.rare();
        let own = rare.is_logger.then_some(id);
        let logger = rare.logger.as_deref().and_then(|name| self.supervisor.find(name));
        own.into_iter().chain(logger).try_for_each(|logger| self.open_input(logger))
    }

    /// Reads the service's output here from now on.
    pub(crate) fn watch_output(&mut self, id: usize) -> io::Result<()> {
        if let Some(Channels { output: Some((reader, token @ None, _)), .. }) = self.channels.get_mut(id) {
            *token = Some(self.reactor.insert(&*reader, Interest::READ, Key::Output(id))?);
            self.supervisor.touch(id);
        }
        Ok(())
    }

    /// Does not read it any more: somebody else does.
    pub(crate) fn leave_output(&mut self, id: usize) {
        if let Some(Channels { output: Some((reader, token, _)), .. }) = self.channels.get_mut(id)
            && let Some(token) = token.take()
        {
            let _ = self.reactor.remove(token, &*reader);
            self.supervisor.touch(id);
        }
    }

    /// Opens what a logger reads from.
    fn open_input(&mut self, logger: usize) -> io::Result<()> {
        match self.channels_of(logger) {
            Some(channels) if channels.input.is_none() => {
                channels.input = Some(rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?);
                self.supervisor.touch(logger);
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The descriptors 0, 1 and 2 of a service.
    pub(crate) fn stdio(&self, id: usize) -> Option<[BorrowedFd<'_>; 3]> {
        let channels = self.channels.get(id)?;
        let errors = channels.output.as_ref()?.2.as_fd();
        let rare = self.supervisor.get(id)?.definition.rare();
        let logger = rare.logger.as_deref().and_then(|name| self.supervisor.find(name));
        let output = match logger.and_then(|logger| self.channels.get(logger)?.input.as_ref()) {
            Some((_, writer)) => writer.as_fd(),
            None => errors,
        };
        let input = match &channels.input {
            Some((reader, _)) if rare.is_logger => reader.as_fd(),
            Some(_) | None => self.null.as_fd(),
        };
        Some([input, output, errors])
    }

    /// Takes a bounded share of what a service has written.
    pub(crate) fn drain(&mut self, id: usize) {
        let _ = self.drain_once(id);
    }

    /// The same; how much it was.
    fn drain_once(&mut self, id: usize) -> usize {
        let Some(service) = self.supervisor.get(id) else { return 0 };
        let Some(channels) = self.channels.get_mut(id) else { return 0 };
        let Some((reader, Some(_), _)) = &channels.output else { return 0 };
        let mut buffer = [0; DRAIN_MAX];
        // Nothing to read is no error; nothing else can happen to a pipe of which both ends are ours.
        let Ok(length) = rustix::io::read(reader, &mut buffer) else { return 0 };
        let (console, log, name) = (&mut self.console, &mut self.log, &*service.name);
        let mut lines = channels.lines.take().unwrap_or_default();
        lines.feed(buffer.get(..length).unwrap_or_default(), |line| {
            let own = line.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b": "));
            console.line(if own.is_some() { "" } else { name }, line);
            // The name first, with its length, so that nobody's line passes for another's.
            let length = u8::try_from(name.len()).unwrap_or(0);
            let name = name.as_bytes().get(..usize::from(length)).unwrap_or_default();
            log.push(&[&[length], name, own.unwrap_or(line)].concat());
        });
        channels.lines = lines.has_part().then_some(lines);
        length
    }

    /// A service wrote to its notification descriptor: ready at the first line end.
    pub(crate) fn read_notification(&mut self, id: usize) {
        let Some((reader, _)) = self.channels.get(id).and_then(|channels| channels.notification.as_ref()) else {
            return;
        };
        let mut buffer = [0; 256];
        match rustix::io::read(reader, &mut buffer) {
            Ok(length) if buffer.get(..length).is_some_and(|bytes| bytes.contains(&b'\n')) => {
                self.close_notification(id);
                self.supervisor.announced(reactor::Instant::now(), id, &mut self.acts);
            }
            // Closed without a line: it stays not ready, as with s6.
            Ok(0) => self.close_notification(id),
            Ok(_) | Err(rustix::io::Errno::AGAIN) => {}
            Err(_) => self.close_notification(id),
        }
    }

    pub(crate) fn close_notification(&mut self, id: usize) {
        if let Some((reader, token)) = self.channels.get_mut(id).and_then(|channels| channels.notification.take()) {
            let _ = self.reactor.remove(token, &reader);
            self.supervisor.touch(id);
        }
    }

    /// Takes all that a service has said, but no more than a pipe holds: somebody that it left behind may go on talking.
    fn drain_rest(&mut self, id: usize) {
        for _ in 0..PIPE_MAX / DRAIN_MAX {
            if self.drain_once(id) == 0 {
                return;
            }
        }
    }

    /// The last words of all services.
    pub(crate) fn drain_all(&mut self) {
        for id in 0..self.channels.len() {
            self.drain_rest(id);
        }
    }

    /// Gives up everything held for a service that is gone.
    pub(crate) fn close_channels(&mut self, id: usize) {
        self.drain_rest(id);
        self.close_notification(id);
        let Some(channels) = self.channels.get_mut(id) else { return };
        let Channels { output, .. } = std::mem::take(channels);
        if let Some((reader, Some(token), _)) = output {
            let _ = self.reactor.remove(token, &reader);
        }
    }
}
