//! What is kept of lunix-init over its own end: one record for the whole, one for each service, one for each descriptor held for a service.
//!
//! Pure: to bytes and back. Fields stand in the order they were thought of; a new one goes to the end, where zero must mean what its absence meant.

use super::copies::CONTENT_BYTES;
use super::fields::{Reader, Writer};
use super::numbers;
use crate::lifecycle::Cause;
use crate::shutdown::{Goal, Phase};
use init_control::{Ended, ServiceState};
use reactor::Instant;
use std::borrow::Cow;
use std::time::Duration;

/// The kinds of records.
pub const WHOLE: u8 = 1;
/// A service.
pub const SERVICE: u8 = 2;
/// A descriptor held for a service.
pub const HELD: u8 = 3;
/// A place that was given up.
pub const FREE: u8 = 4;

/// Where one service is in its life; see [`crate::lifecycle::Lifecycle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// What it is doing.
    pub state: ServiceState,
    /// Since when.
    pub since: Instant,
    /// When its time is up.
    pub deadline: Option<Instant>,
    /// When its process was started last.
    pub born: Instant,
    /// It should run (again) after what is under way.
    pub wanted: bool,
    /// It ended by itself.
    pub crashed: bool,
    /// It must not start again.
    pub doomed: bool,
    /// It was killed because it hung.
    pub hung: bool,
    /// Its process ended so; it goes on when what is left of it is gone.
    pub left: Option<(Ended, Cause)>,
    /// Crashes in a row.
    pub crashes: u32,
    /// How often it was started again.
    pub restarts: u32,
}

/// Numbers of the descriptors that belong to a service; all are 3 or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    /// Both ends of its output: to read from, to write to.
    pub output: Option<(i32, i32)>,
    /// Both ends of what it reads as a logger.
    pub input: Option<(i32, i32)>,
    /// Where it announces itself.
    pub notification: Option<i32>,
    /// The directory it was started from.
    pub home: Option<i32>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRecord<'a> {
    /// Its name, at most [`NAME_MAX`] bytes.
    pub name: Cow<'a, str>,
    /// Its life.
    pub life: Life,
    /// Its process.
    pub pid: Option<i32>,
    /// That process was started before this moment: tenths of a second of CLOCK_BOOTTIME. One that is younger has only got its number.
    pub started_ds: u32,
    /// Its last own process.
    pub last_pid: Option<i32>,
    /// The process it named in place of its first.
    pub heir: Option<i32>,
    /// The process of its `reload`.
    pub reloader: Option<i32>,
    /// How it ended last.
    pub ended: Option<Ended>,
    /// The operator's word.
    pub chosen: Option<bool>,
    /// Until it ends, not longer.
    pub once: bool,
    /// It has begun to reload.
    pub reloads: bool,
    /// It is to reload once more.
    pub reload_again: bool,
    /// Its directory is another one, which counts from the next boot.
    pub outdated: bool,
    /// Its directory is gone.
    pub removed: bool,
    /// Its output is read by lunix-init.
    pub is_read_here: bool,
    /// Its output was given to the log service.
    pub is_read_elsewhere: bool,
    /// How often it must say that it is alive.
    pub watchdog: Option<Duration>,
    /// Its content.
    pub fingerprint: u64,
    /// What belongs to it.
    pub descriptors: Descriptors,
}

/// Most bytes of a name. Only bundles, which have no process, may be called longer.
pub const NAME_MAX: usize = 80;

const CHOSEN: u16 = 1 << 4;
const CHOSEN_STARTED: u16 = 1 << 5;

impl ServiceRecord<'_> {
    /// `None` when the name is too long.
    #[must_use]
    pub fn encode(&self) -> Option<[u8; CONTENT_BYTES]> {
        let mut content = [0; CONTENT_BYTES];
        let mut writer = Writer::new(&mut content);
        let flag = |is: bool, bit: u16| if is { 1 << bit } else { 0 };
        let chosen = self.chosen.map_or(0, |started| if started { CHOSEN | CHOSEN_STARTED } else { CHOSEN });
        let Life { wanted, crashed, doomed, hung, .. } = self.life;
        let life = flag(wanted, 0) | flag(crashed, 1) | flag(doomed, 2) | flag(hung, 3);
        let rest = flag(self.once, 6) | flag(self.reloads, 7) | flag(self.reload_again, 8) | flag(self.outdated, 9);
        let (how, number) = numbers::of_end(self.ended);
        writer.u8(numbers::of_state(self.life.state));
        let output = flag(self.is_read_here, 11) | flag(self.is_read_elsewhere, 12);
        writer.u16(life | chosen | rest | output | flag(self.removed, 10));
        writer.u8(how);
        writer.u32(number);
        [self.pid, self.last_pid, self.heir, self.reloader].into_iter().for_each(|pid| writer.positive(pid));
        [self.started_ds, self.life.crashes, self.life.restarts].into_iter().for_each(|count| writer.u32(count));
        writer.u64(self.life.since.as_nanos());
        writer.u64(self.life.born.as_nanos());
        writer.u64(self.life.deadline.map_or(0, |moment| moment.as_nanos().max(1)));
        writer.u64(numbers::of_span(self.watchdog));
        writer.u64(self.fingerprint);
        let Descriptors { output, input, notification, home } = self.descriptors;
        for fd in [output.map(|both| both.0), output.map(|both| both.1), input.map(|both| both.0)] {
            writer.positive(fd);
        }
        [input.map(|both| both.1), notification, home].into_iter().for_each(|fd| writer.positive(fd));
        writer.text(&self.name);
        let (how, number) = numbers::of_end(self.life.left.map(|left| left.0));
        writer.u8(how);
        writer.u32(number);
        writer.u8(self.life.left.map_or(0, |left| numbers::of_cause(left.1)));
        (writer.is_whole() && self.name.len() <= NAME_MAX).then_some(content)
    }

    /// `None` when it makes no sense.
    #[must_use]
    pub fn decode(content: &[u8]) -> Option<ServiceRecord<'_>> {
        let mut reader = Reader::new(content);
        let state = numbers::state_of(reader.u8())?;
        let flags = reader.u16();
        let flag = |bit: u16| flags & (1 << bit) != 0;
        let (how, number) = (reader.u8(), reader.u32());
        let ended = numbers::end_of(how, number)?;
        let [pid, last_pid, heir, reloader] = std::array::from_fn(|_| reader.positive());
        let [started_ds, crashes, restarts] = std::array::from_fn(|_| reader.u32());
        let [since, born] = std::array::from_fn(|_| Instant::from_nanos(reader.u64()));
        let deadline = Some(reader.u64()).filter(|&nanos| nanos > 0).map(Instant::from_nanos);
        let watchdog = numbers::span_of(reader.u64());
        let fingerprint = reader.u64();
        let [from, to, input_from, input_to, notification, home] = std::array::from_fn(|_| reader.positive());
        let descriptors = Descriptors { output: from.zip(to), input: input_from.zip(input_to), notification, home };
        let name = reader.text().filter(|name| !name.is_empty() && name.len() <= NAME_MAX)?;
        let (how, number) = (reader.u8(), reader.u32());
        let left = numbers::end_of(how, number)?.zip(numbers::cause_of(reader.u8()));
        let (wanted, crashed, doomed, hung) = (flag(0), flag(1), flag(2), flag(3));
        Some(ServiceRecord {
            name: Cow::Borrowed(name),
            life: Life { state, since, deadline, born, wanted, crashed, doomed, hung, left, crashes, restarts },
            pid,
            started_ds,
            last_pid,
            heir,
            reloader,
            ended,
            chosen: (flags & CHOSEN != 0).then_some(flags & CHOSEN_STARTED != 0),
            once: flag(6),
            reloads: flag(7),
            reload_again: flag(8),
            outdated: flag(9),
            removed: flag(10),
            is_read_here: flag(11),
            is_read_elsewhere: flag(12),
            watchdog,
            fingerprint,
            descriptors,
        })
    }
}

/// The log service's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkRecord {
    /// The service.
    pub id: u32,
    /// Our end.
    pub socket: i32,
    /// It is ready: output goes there.
    pub has_output: bool,
}

/// What is true of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeRecord {
    /// How far the end has come.
    pub phase: Phase,
    /// What it is to be.
    pub goal: Goal,
    /// When its time is up.
    pub end_deadline: Option<Instant>,
    /// The number of the next event.
    pub next_event: u64,
    /// The number of the next line.
    pub next_line: u64,
    /// Generations taken over.
    pub generation: u64,
    /// Tells whether fingerprints are made as they were.
    pub fingerprints: u64,
    /// The limit of open descriptors that services are to have.
    pub limits: Option<(u64, u64)>,
    /// When output is to be read here again.
    pub drain_at: Option<Instant>,
    /// The control socket.
    pub listener: Option<i32>,
    /// The socket of sd_notify.
    pub notify: Option<i32>,
    /// The service directory.
    pub folder: Option<i32>,
    /// The log service.
    pub link: Option<LinkRecord>,
    /// The directory of the cgroups, with its lock.
    pub groups: Option<i32>,
}

impl WholeRecord {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; CONTENT_BYTES] {
        let mut content = [0; CONTENT_BYTES];
        let mut writer = Writer::new(&mut content);
        let moment = |moment: Option<Instant>| moment.map_or(0, |moment| moment.as_nanos().max(1));
        writer.u8(numbers::of_phase(self.phase));
        writer.u8(numbers::of_goal(self.goal));
        writer
            .u16(u16::from(self.limits.is_some()) | self.link.map_or(0, |link| 2 | (u16::from(link.has_output) << 2)));
        writer.u64(moment(self.end_deadline));
        [self.next_event, self.next_line, self.generation, self.fingerprints].iter().for_each(|&n| writer.u64(n));
        let (soft, hard) = self.limits.unwrap_or_default();
        [soft, hard, moment(self.drain_at)].into_iter().for_each(|number| writer.u64(number));
        let socket = self.link.map(|link| link.socket);
        [self.listener, self.notify, self.folder, socket].into_iter().for_each(|fd| writer.positive(fd));
        writer.u32(self.link.map_or(0, |link| link.id));
        writer.positive(self.groups);
        content
    }

    /// `None` when it makes no sense.
    #[must_use]
    pub fn decode(content: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(content);
        let moment = |nanos: u64| (nanos > 0).then_some(Instant::from_nanos(nanos));
        let (phase, goal) = (numbers::phase_of(reader.u8())?, numbers::goal_of(reader.u8())?);
        let flags = reader.u16();
        let end_deadline = moment(reader.u64());
        let [next_event, next_line, generation, fingerprints, soft, hard] = std::array::from_fn(|_| reader.u64());
        let drain_at = moment(reader.u64());
        let [listener, notify, folder, socket] = std::array::from_fn(|_| reader.positive());
        let id = reader.u32();
        let groups = reader.positive();
        let link =
            socket.filter(|_| flags & 2 != 0).map(|socket| LinkRecord { id, socket, has_output: flags & 4 != 0 });
        let limits = (flags & 1 != 0).then_some((soft, hard));
        Some(Self {
            phase,
            goal,
            end_deadline,
            next_event,
            next_line,
            generation,
            fingerprints,
            limits,
            drain_at,
            listener,
            notify,
            folder,
            link,
            groups,
        })
    }
}

/// A descriptor held for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRecord<'a> {
    /// The service.
    pub id: u32,
    /// The descriptor.
    pub fd: i32,
    /// A socket that is listened on, and the permissions of its path; `None` for what the service gave into keeping.
    pub listens: Option<u32>,
    /// What the service knows it by.
    pub name: Cow<'a, str>,
}

impl HeldRecord<'_> {
    /// `None` when the name is too long.
    #[must_use]
    pub fn encode(&self) -> Option<[u8; CONTENT_BYTES]> {
        let mut content = [0; CONTENT_BYTES];
        let mut writer = Writer::new(&mut content);
        writer.u32(self.id);
        writer.positive(Some(self.fd));
        writer.u8(u8::from(self.listens.is_some()));
        writer.u32(self.listens.unwrap_or(0));
        writer.text(&self.name);
        writer.is_whole().then_some(content)
    }

    /// `None` when it makes no sense.
    #[must_use]
    pub fn decode(content: &[u8]) -> Option<HeldRecord<'_>> {
        let mut reader = Reader::new(content);
        let (id, fd, is_socket, mode) = (reader.u32(), reader.positive()?, reader.u8(), reader.u32());
        let listens = (is_socket == 1).then_some(mode);
        Some(HeldRecord { id, fd, listens, name: Cow::Borrowed(reader.text()?) })
    }
}
