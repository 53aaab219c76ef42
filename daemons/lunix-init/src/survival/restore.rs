//! Services as another lunix-init left them, with what their directories say.

use super::record::{Life, ServiceRecord};
use crate::directory;
use crate::directory::folder::Folder;
use crate::lifecycle::{Input, Lifecycle};
use crate::service::{Definition, Found, Service};
use crate::supervisor::{Acts, Supervisor};
use init_control::{ServiceState, What};
use reactor::Instant;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What was kept of a service.
#[derive(Debug)]
pub struct Left {
    /// Its number.
    pub id: usize,
    /// Its record.
    pub record: ServiceRecord<'static>,
    /// The directory it was started from, when that is not the one of its name any more.
    pub home: Option<Folder>,
}

impl Supervisor {
    /// Takes services over as they were, without starting or telling anything. `found` is the directory as read, `None` when it cannot be; with
    /// `comparable` the fingerprints are made in the same way as before. What changed meanwhile is for [`Supervisor::reconcile`] to see.
    pub fn restore(&mut self, now: Instant, left: &[Left], found: Option<&[Found]>, comparable: bool) {
        let known: BTreeMap<&str, &Found> =
            found.unwrap_or_default().iter().map(|entry| (entry.name.as_str(), entry)).collect();
        for one in left {
            while self.services.len() <= one.id {
                self.services.push(None);
            }
            let mut service = restored(now, one, known.get(&*one.record.name).copied(), comparable);
            service.undefined = found.is_none();
            if let Some(slot) = self.services.get_mut(one.id) {
                *slot = Some(service);
            }
            self.touch(one.id);
        }
        self.link();
        // What is wrong with them was told by who left them.
        for service in self.services.iter_mut().flatten() {
            service.troubles.set(|faults| faults.told.clone_from(&faults.fault));
        }
    }

    /// Takes on a service whose record was lost; nothing is done for it yet. Returns its number.
    pub fn take_on(&mut self, now: Instant, entry: Found) -> usize {
        let id = self.services.iter().position(Option::is_none).unwrap_or(self.services.len());
        let service = Some(Service::new(now, entry));
        match self.services.get_mut(id) {
            Some(slot) => *slot = service,
            None => self.services.push(service),
        }
        id
    }

    /// The service is not started before its old processes are known to be gone.
    pub fn hold_back(&mut self, id: usize, why: &str, acts: &mut Acts) {
        let Some(service) = self.get_mut(id) else { return };
        service.life = Lifecycle::resumed(Life { state: ServiceState::Broken, deadline: None, ..service.life.kept() });
        service.reason = why.into();
        self.tell(id, What::Broken, acts);
    }

    /// Its old processes are gone.
    pub fn let_go(&mut self, now: Instant, id: usize, acts: &mut Acts) {
        if let Some(service) = self.get_mut(id) {
            service.reason = Box::default();
        }
        self.step(now, id, Input::Restart, acts);
        self.dirty.push_back(id);
        self.settle_all(now, acts);
    }
}

fn restored(now: Instant, left: &Left, entry: Option<&Found>, comparable: bool) -> Service {
    let record = &left.record;
    let fingerprint = match entry {
        Some(entry) if !comparable => entry.fingerprint,
        Some(_) | None => record.fingerprint,
    };
    let same = entry.filter(|entry| entry.fingerprint == fingerprint);
    let home = left.home.as_ref().and_then(|home| directory::read_alone(home).ok());
    let newest = entry.and_then(|entry| entry.definition.as_ref().ok());
    // The process lives by what its own directory says, for the rest it is what it is now.
    let mut definition = match (&home, newest) {
        (Some(home), Some(newest)) => {
            let (policy, down_signal) = (home.policy.clone(), home.down_signal);
            Rc::new(Definition { policy, down_signal, ..Definition::clone(newest) })
        }
        (Some(home), None) => Rc::new(home.clone()),
        (None, Some(newest)) => Rc::clone(newest),
        (None, None) => Rc::default(),
    };
    if definition.notify_socket && definition.policy.watchdog != record.watchdog {
        Rc::make_mut(&mut definition).policy.watchdog = record.watchdog;
    }
    let unreadable = same.and_then(|entry| entry.definition.as_ref().err());
    let next = newest.filter(|_| home.is_some() && same.is_some() && !record.outdated);
    let mut service = Service::new(
        now,
        Found {
            name: record.name.clone().into_owned(),
            place: same.and_then(|entry| entry.place.clone()),
            fingerprint,
            definition: unreadable.map_or(Ok(definition), |sentence| Err(sentence.clone())),
            remarks: Vec::new(),
        },
    );
    service.next = next.cloned();
    service.life = Lifecycle::resumed(record.life);
    (service.pid, service.last_pid, service.ended) = (record.pid, record.last_pid, record.ended);
    (service.chosen, service.once) = (record.chosen, record.once);
    (service.outdated, service.removed) = (record.outdated, record.removed);
    service.said.set(|words| {
        (words.heir, words.reloader) = (record.heir, record.reloader);
        (words.reloads, words.reload_again) = (record.reloads, record.reload_again);
    });
    service
}
