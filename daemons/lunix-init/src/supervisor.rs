//! All services together: who may start when, who must end first, what the operator said. Pure: what must be done outside is
//! pushed to a queue of [`Act`]s. What the operator says is in `orders`.
//!
//! The rule is level-triggered: after every input each service it may concern is asked again what it should be doing, and told so. Telling it
//! twice changes nothing, so nothing can be missed.

use crate::generation::{Generations, Report};
use crate::lifecycle::{Effect, Effects, Input, Script};
pub use crate::orders::Order;
use crate::service::{Found, Service};
use init_control::{Ended, ServiceState, What};
use reactor::Instant;
use std::collections::VecDeque;
use std::rc::Rc;

/// What must be done outside for one service, named by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Execute one of its programs and answer with [`Supervisor::spawned`] or [`Supervisor::not_spawned`].
    Run(usize, Script),
    /// Send its process the signal, then SIGCONT.
    Terminate(usize, i32),
    /// Kill its process and its process group.
    Kill(usize),
    /// Kill what its process left behind, and answer with [`Supervisor::emptied`].
    Clear(usize),
    /// Tell it to read its configuration again: by its program `reload`, or by its signal; answer with [`Supervisor::reloading`] when
    /// a program was started.
    Reload(usize),
    /// Tell whoever listens.
    Tell(News),
    /// Tell whoever listens about a generation.
    Report(Box<Report>),
    /// It is gone, and its number free: give up what is held for it.
    Forget(usize),
}

/// One thing to tell about a service, with what was true when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The service's number.
    pub id: usize,
    /// What happened.
    pub what: What,
    /// The process it happened to.
    pub pid: Option<i32>,
    /// How the process ended ([`What::Exited`] only).
    pub ended: Option<Ended>,
    /// A sentence; empty when there is nothing to say.
    pub reason: Box<str>,
}

/// Room that queues keep when they are empty.
pub const QUEUE_KEPT: usize = 32;

/// The bundle of what a machine does once when it boots; without it a person must help.
pub const BOOT: &str = "boot";

/// Where the acts go; the adapter takes them from the front.
pub type Acts = VecDeque<Act>;

/// The operator's word about a service, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The service.
    pub name: String,
    /// Started, or else stopped.
    pub started: bool,
    /// The service's content when it was said: it does not hold for another one.
    pub fingerprint: u64,
}

/// The supervised services. Numbers stay a service's own until it is forgotten.
#[derive(Debug, Default)]
pub struct Supervisor {
    pub(crate) services: Vec<Option<Service>>,
    pub(crate) ending: bool,
    pub(crate) dirty: VecDeque<usize>,
    pub(crate) generations: Generations,
    /// What the operator said before this lunix-init, of services that were not read yet.
    pub(crate) remembered: Vec<Override>,
    /// The overrides may be others than when they were asked for last.
    pub(crate) overrides_dirty: bool,
    /// Of all services only those of the bundle [`BOOT`] are to run for now.
    pub(crate) only_boot: bool,
    /// Services that may be others than when they were written down last, each once.
    pub(crate) unsaved: Vec<usize>,
    /// Services that have nothing to execute and are to be done now.
    nothing: Vec<usize>,
    effects: Effects,
}

impl Supervisor {
    /// No services yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The service of this number.
    #[must_use]
    pub fn get(&self, id: usize) -> Option<&Service> {
        self.services.get(id)?.as_ref()
    }

    /// One more than the highest number in use.
    #[must_use]
    pub const fn numbers(&self) -> usize {
        self.services.len()
    }

    /// All services with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Service)> {
        self.services.iter().enumerate().filter_map(|(id, slot)| slot.as_ref().map(|service| (id, service)))
    }

    /// The number of the service of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.iter().find(|(_, service)| *service.name == *name).map(|(id, _)| id)
    }

    /// A service as it was read last, when it still lies at this place in a store.
    #[must_use]
    pub fn known(&self, id: usize, place: &str) -> Option<Found> {
        let service = self.get(id)?;
        let unreadable = service.troubles.get().is_some_and(|faults| faults.unreadable.is_some());
        let same = service.place.as_deref() == Some(place) && !unreadable && !service.removed;
        same.then(|| Found {
            name: String::from(&*service.name),
            place: service.place.as_deref().map(str::to_owned),
            fingerprint: service.fingerprint,
            definition: Ok(Rc::clone(service.newest())),
            remarks: Vec::new(),
        })
    }

    /// The service whose process this is.
    #[must_use]
    pub fn find_pid(&self, pid: i32) -> Option<usize> {
        self.iter().find(|(_, service)| service.pid == Some(pid)).map(|(id, _)| id)
    }

    /// Notes that something of the service is another now than when it was written down.
    pub fn touch(&mut self, id: usize) {
        let _ = self.get_mut(id);
    }

    /// The numbers of services to be written down, or of those that are gone; each call returns what came since the last.
    pub fn take_unsaved(&mut self) -> Vec<usize> {
        let ids = std::mem::take(&mut self.unsaved);
        for &id in &ids {
            if let Some(Some(service)) = self.services.get_mut(id) {
                service.unsaved = false;
            }
        }
        ids
    }

    /// What the operator said earlier; it holds for services that are read for the first time and are what they were.
    pub fn remember(&mut self, overrides: Vec<Override>) {
        self.remembered = overrides;
    }

    /// All overrides, when they may be others than at the last call.
    pub fn changed_overrides(&mut self) -> Option<Vec<Override>> {
        let changed = std::mem::take(&mut self.overrides_dirty);
        let of = |service: &Service| {
            let (name, fingerprint) = (String::from(&*service.name), service.fingerprint);
            service.chosen.map(|started| Override { name, started, fingerprint })
        };
        changed.then(|| self.iter().filter_map(|(_, service)| of(service)).collect())
    }

    /// The next moment [`Supervisor::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.iter().filter_map(|(_, service)| service.life.deadline()).min()
    }

    /// True when nothing of any service runs.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.iter().all(|(_, service)| !service.life.is_active())
    }

    /// The program asked for by [`Act::Run`] executes as `pid`.
    pub fn spawned(&mut self, now: Instant, id: usize, pid: i32, acts: &mut Acts) {
        if let Some(service) = self.get_mut(id) {
            service.pid = Some(pid);
            service.said.set(|words| (words.status, words.heir, words.reloads) = (None, None, false));
        }
        self.step(now, id, Input::Spawned, acts);
        self.settle_all(now, acts);
    }

    /// It does not, because of `reason`; `passing` when trying again later may help.
    pub fn not_spawned(&mut self, now: Instant, id: usize, passing: bool, reason: &str, acts: &mut Acts) {
        if let Some(service) = self.get_mut(id) {
            service.reason = reason.into();
        }
        self.step(now, id, if passing { Input::Unlucky } else { Input::Unspawnable }, acts);
        self.settle_all(now, acts);
    }

    /// The service's process, or that of its `finish` or `down`, ended.
    pub fn exited(&mut self, now: Instant, id: usize, how: Ended, acts: &mut Acts) {
        self.ended(now, id, how, Input::Exited(how), acts);
    }

    /// The same, and what it started still runs where it is not to: see [`crate::lifecycle::Lifecycle::clears`].
    pub fn left_behind(&mut self, now: Instant, id: usize, how: Ended, acts: &mut Acts) {
        self.ended(now, id, how, Input::Remains(how), acts);
        if let Some(service) = self.get_mut(id) {
            service.reason = "kills what its process left behind".into();
        }
    }

    /// Nothing of what the service's process left behind runs any more.
    pub fn emptied(&mut self, now: Instant, id: usize, acts: &mut Acts) {
        self.step(now, id, Input::Emptied, acts);
        self.settle_all(now, acts);
    }

    fn ended(&mut self, now: Instant, id: usize, how: Ended, input: Input, acts: &mut Acts) {
        if self.get(id).is_some_and(|service| service.once) {
            self.overrides_dirty = true;
            // It may have ended before anybody asked what it should do.
            self.step(now, id, Input::Last, acts);
        }
        if let Some(service) = self.get_mut(id) {
            service.reason = Box::default();
            service.last_pid = service.pid;
            if std::mem::take(&mut service.once) {
                service.chosen = service.is_wanted_by_directory().then_some(false);
            }
            match service.life.state() {
                ServiceState::Finishing | ServiceState::Undoing => {
                    let script = if service.definition.policy.oneshot { "down" } else { "finish" };
                    service.reason = format!("{script} {how}").into();
                }
                ServiceState::Starting
                | ServiceState::Ready
                | ServiceState::Stopping
                | ServiceState::Killing
                | ServiceState::Down
                | ServiceState::Waiting
                | ServiceState::Done
                | ServiceState::Backoff
                | ServiceState::Broken => service.ended = Some(how),
            }
        }
        self.step(now, id, input, acts);
        if let Some(service) = self.get_mut(id) {
            service.pid = None;
        }
        self.settle_all(now, acts);
    }

    /// The service says that it is ready.
    pub fn announced(&mut self, now: Instant, id: usize, acts: &mut Acts) {
        self.step(now, id, Input::Announced, acts);
        self.settle_all(now, acts);
    }

    /// Something happened to the service that changes nothing about its life.
    pub fn report(&self, id: usize, what: What, reason: String, acts: &mut Acts) {
        let pid = self.get(id).and_then(|service| service.pid);
        acts.push_back(Act::Tell(News { id, what, pid, ended: None, reason: reason.into() }));
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant, acts: &mut Acts) {
        for id in 0..self.services.len() {
            let Some(service) = self.get(id) else { continue };
            if service.life.deadline().is_some_and(|deadline| deadline <= now) {
                let held = service.life.state() == ServiceState::Backoff && self.missing(service).is_some();
                self.step(now, id, if held { Input::Hold } else { Input::Timeout }, acts);
            }
        }
        self.settle_all(now, acts);
    }

    /// Ends everything, what depends on others first. Nothing starts any more.
    pub fn end(&mut self, now: Instant, acts: &mut Acts) {
        self.ending = true;
        self.dirty.extend(0..self.services.len());
        self.settle_all(now, acts);
    }

    /// Kills what still runs.
    pub fn kill_all(&mut self, now: Instant, acts: &mut Acts) {
        self.ending = true;
        for id in 0..self.services.len() {
            self.step(now, id, Input::Down, acts);
            self.step(now, id, Input::Kill, acts);
        }
        self.settle_all(now, acts);
    }

    pub(crate) fn get_mut(&mut self, id: usize) -> Option<&mut Service> {
        let service = self.services.get_mut(id)?.as_mut()?;
        if !service.unsaved {
            service.unsaved = true;
            self.unsaved.push(id);
        }
        Some(service)
    }

    /// Asks every service that something may have changed for what it should do now, until nothing changes any more.
    pub(crate) fn settle_all(&mut self, now: Instant, acts: &mut Acts) {
        while let Some(id) = self.dirty.pop_front() {
            let Some(input) = self.level(id) else { continue };
            self.step(now, id, input, acts);
            self.forget_if_gone(id, acts);
            while let Some(id) = self.nothing.pop() {
                self.step(now, id, Input::Spawned, acts);
                self.step(now, id, Input::Exited(Ended::Code(0)), acts);
            }
        }
        // What it takes to start everything is not needed again.
        self.dirty.shrink_to(QUEUE_KEPT);
        self.tell_when_done(now, acts);
    }

    /// What the service should be told, by how things stand; `None`: nothing now.
    fn level(&self, id: usize) -> Option<Input> {
        let service = self.get(id)?;
        let wanted = !self.ending && service.is_wanted();
        if !self.ending && (service.lingers() || service.once) && service.life.is_active() {
            return Some(Input::Last);
        }
        if wanted && service.fault().is_some() {
            // It runs by what its directory said before, or not at all.
            return None;
        }
        if wanted {
            return Some(if self.missing(service).is_some() { Input::Hold } else { Input::Up });
        }
        let needed = |id: usize| self.get(id).is_some_and(|other| other.life.is_active());
        if self.ending && service.fault().is_none() && service.before().any(needed) {
            return Some(Input::Last);
        }
        Some(Input::Down)
    }

    /// The first service it must wait for.
    pub(crate) fn missing<'a>(&'a self, service: &Service) -> Option<&'a Service> {
        service.after().filter_map(|id| self.get(id)).find(|other| !other.life.is_up())
    }

    /// One input to one life; its effects become acts, and whoever it may concern is marked.
    pub(crate) fn step(&mut self, now: Instant, id: usize, input: Input, acts: &mut Acts) {
        let mut effects = std::mem::take(&mut self.effects);
        let Some(service) = self.get_mut(id) else { return };
        let before = (service.life.is_up(), service.life.is_active());
        service.life.step(now, &service.definition.policy, input, &mut effects);
        let after = (service.life.is_up(), service.life.is_active());
        let waits = service.life.state() == ServiceState::Waiting && input != Input::Hold;
        for effect in effects.drain(..) {
            self.translate(now, id, effect, acts);
        }
        self.effects = effects;
        if waits {
            self.dirty.push_back(id);
        }
        let Self { services, dirty, .. } = self;
        let Some(Some(service)) = services.get(id) else { return };
        if before.0 != after.0 {
            dirty.extend(service.before());
        }
        if before.1 && !after.1 {
            dirty.extend(service.after());
            dirty.push_back(id);
        }
    }

    fn translate(&mut self, now: Instant, id: usize, effect: Effect, acts: &mut Acts) {
        let Some(service) = self.get_mut(id) else { return };
        match effect {
            Effect::Run(script) => {
                if script == Script::Main
                    && let Some(next) = service.next.take()
                {
                    service.definition = next;
                }
                if script == Script::Main && service.definition.runs_nothing {
                    self.nothing.push(id);
                } else {
                    acts.push_back(Act::Run(id, script));
                }
            }
            Effect::Terminate => acts.push_back(Act::Terminate(id, service.definition.down_signal)),
            Effect::Kill => acts.push_back(Act::Kill(id)),
            Effect::Clear => acts.push_back(Act::Clear(id)),
            Effect::Tell(what) => {
                self.explain(now, id, what);
                self.tell(id, what, acts);
            }
        }
    }

    pub(crate) fn tell(&self, id: usize, what: What, acts: &mut Acts) {
        let Some(service) = self.get(id) else { return };
        let ended = if what == What::Exited { service.ended } else { None };
        acts.push_back(Act::Tell(News { id, what, pid: service.pid, ended, reason: service.reason.clone() }));
    }

    fn forget_if_gone(&mut self, id: usize, acts: &mut Acts) {
        let Some(service) = self.get_mut(id) else { return };
        if service.removed && !service.gone && !service.life.is_active() {
            service.gone = true;
            service.reason = Box::default();
            self.tell(id, What::Removed, acts);
            acts.push_back(Act::Forget(id));
        }
    }

    /// Frees the number of a forgotten service; the adapter calls it when it meets [`Act::Forget`].
    pub fn release(&mut self, id: usize) {
        if let Some(slot) = self.services.get_mut(id) {
            *slot = None;
            self.unsaved.push(id);
        }
        for service in self.services.iter_mut().flatten() {
            service.unlink(id);
        }
    }
}
