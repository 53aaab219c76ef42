//! Taking over a directory that was read, and holding on to the one that services were started from.

use super::Host;
use crate::directory::folder::Folder;
use crate::service::Found;
use reactor::Instant;

impl Host {
    /// Takes the directory as read for what services are started from, unless it is another one than before and cannot run.
    pub(super) fn take_over(&mut self, folder: Folder, found: Vec<Found>) {
        let is_another = self.folder.as_ref().is_some_and(|before| !before.is_same(&folder));
        let outcome = self.supervisor.reconcile(Instant::now(), found, is_another, &mut self.acts);
        if outcome.accepted {
            let before = self.folder.replace(folder);
            for (id, place) in outcome.left {
                self.keep_home(id, place, before.as_ref().filter(|_| is_another));
            }
        }
        for sentence in outcome.sentences {
            self.console.say(format_args!("warn: {sentence}"));
        }
    }

    /// Holds on to the directory that a running service was started from, for its `finish`.
    fn keep_home(&mut self, id: usize, place: Option<String>, before: Option<&Folder>) {
        let Some(service) = self.supervisor.get(id).filter(|service| service.life.is_active()) else { return };
        let Some(channels) = self.channels.get_mut(id).filter(|channels| channels.home.is_none()) else { return };
        let by_place = place.and_then(|place| Folder::open(place.as_ref()).ok());
        // Where neither is to be had, `finish` comes from the directory as it is now.
        channels.home = by_place.or_else(|| before?.enter(service.folder()).ok().flatten());
        self.supervisor.touch(id);
    }
}
