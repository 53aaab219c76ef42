//! Bringing the supervised services in line with the directory as it is now.

use crate::generation::missing_sentence;
use crate::graph::{circles, tell_circle};
use crate::lifecycle::Input;
use crate::service::{Definition, Found, OnChange, Service};
use crate::supervisor::{Act, Acts, Supervisor};
use init_control::What;
use reactor::Instant;
use std::collections::{BTreeMap, BTreeSet};

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
        self.begin(now, &diff, acts);
        let mut known: BTreeMap<String, usize> = self.iter().map(|(id, service)| (service.name.clone(), id)).collect();
        for entry in found {
            match known.remove(&entry.name) {
                Some(id) => self.compare(now, id, entry, acts, &mut outcome),
                None => self.add(now, entry, acts, &mut outcome.sentences),
            }
        }
        for id in known.into_values() {
            if let Some(service) = self.get_mut(id) {
                service.removed = true;
                outcome.left.push((id, service.place.clone()));
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
        let broken = |service: &Service| Some(format!("{}: {}", service.name, service.fault.as_ref()?));
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
            service.place = entry.place;
            if let (true, Ok(definition)) = (service.undefined, entry.definition) {
                (service.definition, service.undefined) = (definition, false);
            }
            return;
        }
        let remarks = entry.remarks.iter().map(|remark| format!("{}: {remark}", entry.name));
        outcome.sentences.extend(remarks);
        match entry.definition {
            Err(_) if service.refused == Some(entry.fingerprint) => {}
            Err(sentence) => {
                service.refused = Some(entry.fingerprint);
                if service.unreadable.is_some() {
                    service.unreadable = Some(sentence);
                } else {
                    service.reason = format!("its directory changed, but {sentence}; it stays as it was");
                    outcome.sentences.push(format!("{}: {}", service.name, service.reason));
                }
            }
            Ok(definition) => {
                (service.fingerprint, service.refused) = (entry.fingerprint, None);
                service.unreadable = None;
                let undone = service.chosen.take().is_some();
                outcome.left.push((id, std::mem::replace(&mut service.place, entry.place)));
                self.overrides_dirty |= undone;
                self.change(now, id, definition, acts);
            }
        }
    }

    /// Does what the service's `on-change` says.
    fn change(&mut self, now: Instant, id: usize, definition: Definition, acts: &mut Acts) {
        let Some(service) = self.get_mut(id) else { return };
        let runs = service.pid.is_some() && service.life.is_active() && !definition.policy.oneshot;
        match definition.on_change {
            OnChange::Keep if runs => {
                service.next = Some(Box::new(definition));
                "changed; that counts when it starts again".clone_into(&mut service.reason);
                self.tell(id, What::Changed, acts);
            }
            OnChange::NextBoot if runs => {
                service.outdated = true;
                "changed; that counts from the next boot".clone_into(&mut service.reason);
                self.tell(id, What::Changed, acts);
            }
            OnChange::Reload if runs && service.life.is_up() => {
                service.definition = definition;
                self.tell(id, What::Changed, acts);
                acts.push_back(Act::Reload(id));
            }
            OnChange::Restart | OnChange::Reload | OnChange::Keep | OnChange::NextBoot => {
                if service.life.is_active() {
                    service.next = Some(Box::new(definition));
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
        let numbers: BTreeMap<&str, usize> = self
            .iter()
            .filter(|(_, service)| !service.removed)
            .map(|(id, service)| (service.name.as_str(), id))
            .collect();
        let mut after: Vec<Vec<usize>> = Vec::with_capacity(self.services.len());
        let mut missing: Vec<Option<String>> = Vec::with_capacity(self.services.len());
        for slot in &self.services {
            let names = slot.as_ref().map_or(&[][..], |service| &service.newest().after);
            after.push(names.iter().filter_map(|name| numbers.get(name.as_str()).copied()).collect());
            missing.push(names.iter().find(|name| !numbers.contains_key(name.as_str())).cloned());
        }
        let listed = self.listed(&after);
        let circles = circles(&after);
        let mut before = vec![Vec::new(); after.len()];
        for (id, others) in after.iter().enumerate() {
            for &other in others {
                if let Some(list) = before.get_mut(other) {
                    list.push(id);
                }
            }
        }
        let names: Vec<String> = self
            .services
            .iter()
            .map(|slot| slot.as_ref().map_or_else(String::new, |service| service.name.clone()))
            .collect();
        let slots = self.services.iter_mut().zip(after).zip(before).zip(missing).enumerate();
        for (id, (((slot, after), before), missing)) in slots {
            let Some(service) = slot else { continue };
            (service.after, service.before) = (after, before);
            service.unlisted = listed.as_ref().is_some_and(|listed| !listed.contains(&id));
            let missing = missing.map(|name| missing_sentence(&name));
            let circle = circles.iter().find(|circle| circle.contains(&id)).map(|circle| tell_circle(circle, &names));
            service.fault = service.unreadable.clone().or(missing).or(circle);
            if let Some(fault) = &service.fault {
                service.reason.clone_from(fault);
            }
        }
    }

    /// What the bundle of all that is to be started leads to; `None` where there is no such bundle: everything is.
    fn listed(&self, after: &[Vec<usize>]) -> Option<BTreeSet<usize>> {
        let is_bundle = |id: &usize| self.get(*id).is_some_and(|one| !one.removed && one.newest().is_bundle);
        let root = ROOTS.iter().find_map(|name| self.find(name).filter(is_bundle))?;
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
            if service.fault == service.told_fault {
                continue;
            }
            service.told_fault.clone_from(&service.fault);
            match &service.fault {
                Some(_) if !service.life.is_active() => self.tell(id, What::Broken, acts),
                Some(fault) => sentences.push(format!("{}: {fault}; it stays as it was", service.name)),
                None => {
                    service.reason.clear();
                    if !service.life.is_active() {
                        self.step(now, id, Input::Restart, acts);
                    }
                }
            }
        }
    }
}
