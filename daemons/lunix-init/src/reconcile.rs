//! Bringing the supervised services in line with the directory as it is now.

use crate::by_name::ByName;
use crate::generation::missing_sentence;
use crate::graph::{circles, tell_circle};
use crate::lifecycle::Input;
use crate::service::{Definition, Found, OnChange, Service};
use crate::supervisor::{Act, Acts, BOOT, Supervisor};
use init_control::What;
use reactor::Instant;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Names of the bundle of all that is to be started: those of s6-rc and of s6-overlay.
const ROOTS: [&str; 3] = ["default", "top", "user"];

/// What became of a directory that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// It is what services are started from now on.
    pub accepted: bool,
    /// For the log: changes that cannot be read, new services that cannot run, and those that can again.
    pub sentences: Vec<String>,
    /// Services whose processes were started from what is not there any more, and the place in a store where that is.
    pub left: Vec<(usize, Option<String>)>,
}

impl Supervisor {
    /// Takes the whole directory as read: starts what is new, stops what is gone, restarts exactly what changed. With `whole` it is
    /// another directory than before and is taken over as a whole, or, when it brings a fault that was not there before, not at all.
    /// Otherwise a change that cannot be read leaves just that service as it was.
    pub fn reconcile(&mut self, now: Instant, found: Vec<Found>, whole: bool, acts: &mut Acts) -> Outcome {
        let diff = self.differences(&found);
        let mut outcome = Outcome::default();
        if whole {
            let faults = self.new_faults(&found);
            if !faults.is_empty() {
                outcome.sentences.extend(self.reject(&faults, diff, acts));
                return outcome;
            }
        }
        outcome.accepted = true;
        let diff = Rc::new(diff);
        self.begin(now, &diff, acts);
        let mut known = ByName::of(self);
        for entry in found {
            match known.take(self, &entry.name) {
                Some(id) => self.compare(now, id, entry, acts, &mut outcome),
                None => self.add(now, entry, acts, &mut outcome.sentences),
            }
        }
        for id in known.left() {
            if let Some(service) = self.get_mut(id) {
                service.removed = true;
                outcome.left.push((id, service.place.as_deref().map(str::to_owned)));
                self.overrides_dirty = true;
            }
        }
        self.link();
        self.judge(now, acts, &mut outcome.sentences);
        if !diff.is_empty() {
            self.await_rest();
        }
        self.dirty.extend(0..self.services.len());
        self.settle_all(now, acts);
        outcome
    }

    /// What is wrong with each service of a directory, a sentence each; for a supervisor without services.
    pub fn check(&mut self, found: Vec<Found>) -> Vec<String> {
        let (now, mut acts, mut sentences) = (Instant::from_nanos(0), Acts::new(), Vec::new());
        for entry in found {
            self.add(now, entry, &mut acts, &mut sentences);
        }
        self.link();
        let broken = |service: &Service| Some(format!("{}: {}", service.name, service.fault()?));
        sentences.extend(self.iter().filter_map(|(_, service)| broken(service)));
        sentences
    }

    fn add(&mut self, now: Instant, entry: Found, acts: &mut Acts, sentences: &mut Vec<String>) {
        sentences.extend(entry.remarks.iter().map(|remark| format!("{}: {remark}", entry.name)));
        let id = self.services.iter().position(Option::is_none).unwrap_or(self.services.len());
        let remembered = self.remembered.iter().position(|one| one.name == entry.name);
        let chosen =
            remembered.map(|at| self.remembered.swap_remove(at)).filter(|one| one.fingerprint == entry.fingerprint);
        let mut service = Service::new(now, entry);
        service.chosen = chosen.map(|one| one.started);
        self.overrides_dirty |= remembered.is_some();
        let service = Some(service);
        match self.services.get_mut(id) {
            Some(slot) => *slot = service,
            None => self.services.push(service),
        }
        self.touch(id);
        self.tell(id, What::Added, acts);
    }

    fn compare(&mut self, now: Instant, id: usize, entry: Found, acts: &mut Acts, outcome: &mut Outcome) {
        let Some(service) = self.get_mut(id) else { return };
        let back = std::mem::take(&mut service.removed);
        if service.fingerprint == entry.fingerprint && !back {
            service.place = entry.place.map(String::into_boxed_str);
            if let (true, Ok(definition)) = (service.undefined, entry.definition) {
                (service.definition, service.undefined) = (definition, false);
            }
            return;
        }
        let remarks = entry.remarks.iter().map(|remark| format!("{}: {remark}", entry.name));
        outcome.sentences.extend(remarks);
        match entry.definition {
            Err(_) if service.has_refused(entry.fingerprint) => {}
            Err(sentence) => {
                let was_unreadable = service.troubles.set(|faults| {
                    faults.refused = Some(entry.fingerprint);
                    faults.unreadable.as_mut().map(|unreadable| unreadable.clone_from(&sentence)).is_some()
                });
                if !was_unreadable {
                    service.reason = format!("its directory changed, but {sentence}; it stays as it was").into();
                    outcome.sentences.push(format!("{}: {}", service.name, service.reason));
                }
            }
            Ok(definition) => {
                service.fingerprint = entry.fingerprint;
                service.troubles.set(|faults| (faults.refused, faults.unreadable) = (None, None));
                let undone = service.chosen.take().is_some();
                let place = entry.place.map(String::into_boxed_str);
                outcome.left.push((id, std::mem::replace(&mut service.place, place).map(String::from)));
                self.overrides_dirty |= undone;
                self.change(now, id, definition, acts);
            }
        }
    }

    /// Does what the service's `on-change` says.
    fn change(&mut self, now: Instant, id: usize, definition: Rc<Definition>, acts: &mut Acts) {
        let Some(service) = self.get_mut(id) else { return };
        let runs = service.pid.is_some() && service.life.is_active() && !definition.policy.oneshot;
        match definition.on_change {
            OnChange::Keep if runs => {
                service.next = Some(definition);
                service.reason = "changed; that counts when it starts again".into();
                self.tell(id, What::Changed, acts);
            }
            OnChange::NextBoot if runs => {
                service.outdated = true;
                service.reason = "changed; that counts from the next boot".into();
                self.tell(id, What::Changed, acts);
            }
            OnChange::Reload if runs && service.life.is_up() => {
                service.definition = definition;
                self.tell(id, What::Changed, acts);
                acts.push_back(Act::Reload(id));
            }
            OnChange::Restart | OnChange::Reload | OnChange::Keep | OnChange::NextBoot => {
                if service.life.is_active() {
                    service.next = Some(definition);
                } else {
                    (service.definition, service.outdated) = (definition, false);
                }
                self.tell(id, What::Changed, acts);
                self.step(now, id, Input::Restart, acts);
            }
        }
    }

    /// Resolves names to numbers, in both directions.
    pub(crate) fn link(&mut self) {
        let links = Links::of(self);
        let listed = self.listed(&links.after);
        let circles = circles(&links.after);
        let tell = |id: usize| {
            let circle = circles.iter().find(|circle| circle.contains(&id))?;
            let name = |&id: &usize| self.get(id).map_or_else(String::new, |service| String::from(&*service.name));
            Some(tell_circle(&circle.iter().map(name).collect::<Vec<String>>()))
        };
        let told: Vec<Option<String>> = (0..links.after.len()).map(tell).collect();
        let Links { after, before, missing } = links;
        let slots = self.services.iter_mut().zip(after).zip(before).zip(missing).zip(told).enumerate();
        for (id, ((((slot, after), before), missing), circle)) in slots {
            let Some(service) = slot else { continue };
            (service.after, service.before) = (numbers(&after), numbers(&before));
            service.unlisted = listed.as_ref().is_some_and(|listed| !listed.contains(&id));
            let fault = service.troubles.get().and_then(|faults| faults.unreadable.clone());
            let fault = fault.or_else(|| missing.as_deref().map(missing_sentence)).or(circle);
            if fault.is_none() && service.fault().is_none() {
                continue;
            }
            if let Some(fault) = &fault {
                service.reason = fault.as_str().into();
            }
            service.troubles.set(|faults| faults.fault = fault);
        }
    }

    /// What the bundle of all that is to be started leads to; `None` where there is no such bundle: everything is.
    fn listed(&self, after: &[Vec<usize>]) -> Option<BTreeSet<usize>> {
        let is_bundle = |id: &usize| self.get(*id).is_some_and(|one| !one.removed && one.newest().is_bundle);
        let named = |name: &str| self.find(name).filter(is_bundle);
        let root = match self.only_boot {
            true => match named(BOOT) {
                Some(root) => root,
                None => return Some(BTreeSet::new()),
            },
            false => ROOTS.iter().find_map(|name| named(name))?,
        };
        let mut listed = BTreeSet::from([root]);
        let mut ahead = vec![root];
        while let Some(id) = ahead.pop() {
            let new = after.get(id).into_iter().flatten().filter(|&&other| listed.insert(other));
            ahead.extend(new);
        }
        Some(listed)
    }

    /// Tells of those that cannot run, and lets those run that could not before.
    fn judge(&mut self, now: Instant, acts: &mut Acts, sentences: &mut Vec<String>) {
        for id in 0..self.services.len() {
            let Some(service) = self.get_mut(id) else { continue };
            if service.troubles.get().is_none_or(|faults| faults.fault == faults.told) {
                continue;
            }
            service.troubles.set(|faults| faults.told.clone_from(&faults.fault));
            match service.fault() {
                Some(_) if !service.life.is_active() => self.tell(id, What::Broken, acts),
                Some(fault) => sentences.push(format!("{}: {fault}; it stays as it was", service.name)),
                None => {
                    service.reason = Box::default();
                    if !service.life.is_active() {
                        self.step(now, id, Input::Restart, acts);
                    }
                }
            }
        }
    }
}

/// What depends on what, by numbers.
struct Links {
    after: Vec<Vec<usize>>,
    before: Vec<Vec<usize>>,
    /// The first name each depends on that there is no service of.
    missing: Vec<Option<String>>,
}

impl Links {
    fn of(supervisor: &Supervisor) -> Self {
        let known = ByName::of(supervisor);
        let count = supervisor.services.len();
        let (mut after, mut missing) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut before = vec![Vec::new(); count];
        for (id, slot) in supervisor.services.iter().enumerate() {
            let (mut others, mut lacks) = (Vec::new(), None);
            for name in slot.as_ref().map_or(&[][..], |service| &service.newest().after) {
                let other = known.find(supervisor, name);
                match other.filter(|&other| supervisor.get(other).is_some_and(|one| !one.removed)) {
                    Some(other) => others.push(other),
                    None => lacks = lacks.or_else(|| Some(name.clone())),
                }
            }
            for &other in &others {
                if let Some(list) = before.get_mut(other) {
                    list.push(id);
                }
            }
            after.push(others);
            missing.push(lacks);
        }
        Self { after, before, missing }
    }
}

fn numbers(ids: &[usize]) -> Box<[u32]> {
    ids.iter().filter_map(|&id| u32::try_from(id).ok()).collect()
}
