//! Going on where another lunix-init ended in this process: its services, their pipes and sockets, what it was about to do.

use super::sockets::Held;
use super::{EVENT_BYTES, Host, LOG_BYTES};
use crate::directory::fingerprint;
use crate::directory::folder::Folder;
use crate::ring::Ring;
use crate::shutdown::{Phase, Shutdown};
use crate::survival::record::WholeRecord;
use crate::survival::restore::Left;
use crate::survival::takeover::Inherited;
use crate::survival::text;
use reactor::Instant;
use rustix::fs::FileType;

impl Host {
    /// Takes over what was left, and looks what became of it since.
    pub(crate) fn resume(&mut self, mut inherited: Inherited) {
        let now = Instant::now();
        let kept = std::mem::take(&mut inherited.kept);
        if let Some(whole) = &kept.whole {
            self.resume_whole(whole, &mut inherited);
        }
        let text = std::mem::take(&mut inherited.text);
        let handed = text::read(&text);
        self.resume_log(kept.whole.as_ref(), &handed);
        let comparable = kept.whole.as_ref().is_some_and(|whole| whole.fingerprints == fingerprint::form());
        let mut left = Vec::with_capacity(kept.services.len());
        for (id, record) in kept.services {
            let home = inherited.take(record.descriptors.home, FileType::Directory).map(Folder::handed_down);
            left.push(Left { id, record, home });
        }
        for (number, record) in &kept.held {
            self.resume_held(*number, record.id, record.name.as_ref(), record.listens, record.fd, &mut inherited);
        }
        self.keeper.frees(&kept.lost);
        let found = self.read_left_directory();
        self.supervisor.restore(now, &left, found.as_deref(), comparable);
        let (lost, count) = (kept.lost.len(), left.len());
        let processes: Vec<(usize, Option<i32>, u32)> =
            left.iter().map(|one| (one.id, one.record.pid, one.record.started_ds)).collect();
        let is_ahead = |one: &&Left| !one.record.is_read_here && !one.record.is_read_elsewhere;
        let ahead = left.iter().filter(is_ahead).map(|one| one.id).collect();
        for one in left {
            self.resume_service(one, &handed, &mut inherited);
        }
        if let Err(error) = self.resume_link(kept.whole.as_ref(), ahead, &mut inherited) {
            self.console.say(format_args!("error: cannot go on with the log service: {error}"));
        }
        for (pid, status) in std::mem::take(&mut inherited.deaths) {
            self.bury(pid, status);
        }
        self.meet_groups();
        self.reap();
        self.look_after(now, &processes);
        if let Some(found) = found {
            if lost > 0 {
                self.hold_back_lost(now, &found);
            }
            let outcome = self.supervisor.reconcile(now, found, false, &mut self.acts);
            for sentence in outcome.sentences {
                self.console.say(format_args!("warn: {sentence}"));
            }
        }
        self.run_acts();
        let how = if inherited.crashed.is_some() { "after a crash" } else { "in place of another program" };
        self.console.say(format_args!("info: goes on {how} (services={count}, records_lost={lost})"));
    }

    fn resume_whole(&mut self, whole: &WholeRecord, inherited: &mut Inherited) {
        let limit = self.shutdown.services_limit();
        self.shutdown = Shutdown::resumed(whole.phase, whole.goal, whole.end_deadline, limit);
        self.supervisor.ending = whole.phase != Phase::Running;
        self.supervisor.resume_generation(whole.generation);
        self.events = Ring::starting_at(EVENT_BYTES, whole.next_event);
        self.drain_at = whole.drain_at;
        self.folder = inherited.take(whole.folder, FileType::Directory).map(Folder::handed_down);
        if let Some(socket) = inherited.take(whole.notify, FileType::Socket)
            && let Err(error) = self.listen_for_notices(socket)
        {
            self.console.say(format_args!("error: cannot go on hearing services: {error}"));
        }
    }

    /// Lines that were handed on keep their numbers.
    fn resume_log(&mut self, whole: Option<&WholeRecord>, handed: &[text::Item<'_>]) {
        let lines = || handed.iter().filter(|item| item.kind == text::Kind::Line);
        let count = u64::try_from(lines().count()).unwrap_or(0);
        let next = whole.map_or(1, |whole| whole.next_line);
        self.log = Ring::starting_at(LOG_BYTES, next.saturating_sub(count));
        lines().for_each(|item| self.log.push(item.bytes));
    }

    fn resume_held(
        &mut self,
        place: usize,
        owner: u32,
        name: &str,
        listens: Option<u32>,
        fd: i32,
        inherited: &mut Inherited,
    ) {
        let Ok(id) = usize::try_from(owner) else { return };
        self.keeper.holds(place, id);
        let Some(fd) = inherited.take_any(fd) else { return };
        let Some(channels) = self.channels_of(id) else { return };
        let name = name.to_owned();
        let Some(mode) = listens else { return channels.kept_mut().store.push((name, fd)) };
        match Held::handed_down(name, mode, fd) {
            Ok(held) => channels.kept_mut().sockets.push(held),
            Err(error) => self.console.say(format_args!("error: cannot go on holding a socket: {error}")),
        }
    }
}
