//! Generations: what differs between the services as they are and the directory as read, whether that may be taken over as a whole, and when
//! everything that differed has come to rest.

use crate::by_name::ByName;
use crate::graph::{circles, tell_circle};
use crate::service::{Found, Service};
use crate::supervisor::{Act, Acts, Supervisor};
use init_control::{ServiceState, What};
use reactor::Instant;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// What differs, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Not there before.
    pub added: Vec<String>,
    /// Another content than before.
    pub changed: Vec<String>,
    /// Not there any more.
    pub removed: Vec<String>,
    /// How many are what they were.
    pub kept: usize,
}

impl Diff {
    /// True when nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// What is told of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// [`What::GenerationBegun`], [`What::GenerationDone`] or [`What::GenerationRejected`].
    pub what: What,
    /// Counts the generations taken over, from 1; a rejected one has the number it would have had.
    pub number: u64,
    /// What differs from the one before.
    pub diff: Rc<Diff>,
    /// From the reading of the directory to the rest of all that differs (done only).
    pub took: Option<Duration>,
    /// Why it was rejected, or what of it does not run; empty when there is nothing to say.
    pub reason: String,
}

/// The generation that is being taken over, or was last.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    number: u64,
    begun: Instant,
    diff: Rc<Diff>,
    /// Services that differ and have not been seen at rest.
    pending: Vec<u32>,
    open: bool,
    /// Why the last one was rejected; cleared when one is taken over.
    rejected: String,
}

impl Supervisor {
    /// How many generations were taken over.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generations.number
    }

    /// Goes on counting from there.
    pub const fn resume_generation(&mut self, number: u64) {
        self.generations.number = number;
    }

    /// What differs in the directory as read.
    pub(crate) fn differences(&self, found: &[Found]) -> Diff {
        let mut diff = Diff::default();
        let mut known: BTreeMap<&str, &Service> =
            self.iter().filter(|(_, one)| !one.removed).map(|(_, one)| (&*one.name, one)).collect();
        for entry in found {
            match known.remove(entry.name.as_str()) {
                None => diff.added.push(entry.name.clone()),
                Some(service) if service.fingerprint == entry.fingerprint => diff.kept += 1,
                Some(service) if service.has_refused(entry.fingerprint) => diff.kept += 1,
                Some(_) => diff.changed.push(entry.name.clone()),
            }
        }
        diff.removed.extend(known.into_keys().map(str::to_owned));
        diff
    }

    /// What is wrong in the directory as read and was not before, a sentence for each service.
    pub(crate) fn new_faults(&self, found: &[Found]) -> Vec<String> {
        let known: BTreeMap<&str, &Service> = self.iter().map(|(_, one)| (&*one.name, one)).collect();
        let is_new = |name: &str, fault: &String| {
            known.get(name).is_none_or(|service| service.removed || service.fault() != Some(fault))
        };
        let faults = faults_of(found).into_iter().filter(|(name, fault)| is_new(name, fault));
        faults.map(|(name, fault)| format!("{name}: {fault}")).collect()
    }

    /// Notes that the whole directory cannot be taken over; tells it once.
    pub(crate) fn reject(&mut self, faults: &[String], diff: Diff, acts: &mut Acts) -> Option<String> {
        let reason = faults.join("; ");
        if self.generations.rejected == reason {
            return None;
        }
        self.generations.rejected.clone_from(&reason);
        let number = self.generations.number + 1;
        acts.push_back(Act::Report(Box::new(Report {
            what: What::GenerationRejected,
            number,
            diff: Rc::new(diff),
            took: None,
            reason: reason.clone(),
        })));
        Some(format!("generation {number} is rejected, services stay as they are: {reason}"))
    }

    /// Notes that what differs is being taken over.
    pub(crate) fn begin(&mut self, now: Instant, diff: &Rc<Diff>, acts: &mut Acts) {
        self.generations.rejected = String::new();
        if diff.is_empty() {
            return;
        }
        let generations = &mut self.generations;
        generations.number += 1;
        (generations.begun, generations.open) = (now, true);
        generations.diff = Rc::clone(diff);
        let what = What::GenerationBegun;
        let (number, reason) = (generations.number, String::new());
        let report = Report { what, number, diff: Rc::clone(diff), took: None, reason };
        acts.push_back(Act::Report(Box::new(report)));
    }

    /// Waits from now on for the services that differ.
    pub(crate) fn await_rest(&mut self) {
        let known = ByName::of(self);
        let Diff { added, changed, removed, .. } = &*self.generations.diff;
        let pending = added.iter().chain(changed).chain(removed).filter_map(|name| known.find(self, name));
        self.generations.pending = pending.filter_map(|id| u32::try_from(id).ok()).collect();
    }

    /// Tells that the generation is done once everything that differed is at rest.
    pub(crate) fn tell_when_done(&mut self, now: Instant, acts: &mut Acts) {
        if !self.generations.open {
            return;
        }
        while let Some(&id) = self.generations.pending.last() {
            if usize::try_from(id).is_ok_and(|id| !self.is_at_rest(id)) {
                return;
            }
            self.generations.pending.pop();
        }
        self.generations.open = false;
        self.generations.pending = Vec::new();
        let diff = std::mem::take(&mut self.generations.diff);
        let known = ByName::of(self);
        let fails = |name: &&str| known.find(self, name).is_some_and(|id| self.fails(id));
        let failed: Vec<&str> = diff.added.iter().chain(&diff.changed).map(String::as_str).filter(fails).collect();
        let reason = if failed.is_empty() { String::new() } else { format!("does not run: {}", failed.join(", ")) };
        let (number, took) = (self.generations.number, Some(now.since(self.generations.begun)));
        acts.push_back(Act::Report(Box::new(Report { what: What::GenerationDone, number, diff, took, reason })));
    }

    /// True when nothing is under way in the service; one that waits is at rest when nothing is under way anywhere.
    fn is_at_rest(&self, id: usize) -> bool {
        use ServiceState as S;
        let is_calm = |service: &Service| match service.life.state() {
            S::Down | S::Ready | S::Done | S::Backoff | S::Broken | S::Waiting => true,
            S::Starting | S::Stopping | S::Killing | S::Finishing | S::Undoing => service.lingers(),
        };
        let Some(service) = self.get(id) else { return true };
        match service.life.state() {
            S::Waiting if service.fault().is_none() => self.iter().all(|(_, other)| is_calm(other)),
            S::Down | S::Waiting | S::Starting | S::Ready | S::Done | S::Backoff | S::Stopping => is_calm(service),
            S::Killing | S::Finishing | S::Undoing | S::Broken => is_calm(service),
        }
    }

    fn fails(&self, id: usize) -> bool {
        let state = self.get(id).map(Service::shown_state);
        matches!(state, Some(ServiceState::Broken | ServiceState::Backoff))
    }
}

/// What is wrong with each service of a directory, looked at for itself: files, dependencies, circles.
fn faults_of(found: &[Found]) -> BTreeMap<&str, String> {
    let numbers: BTreeMap<&str, usize> = found.iter().enumerate().map(|(id, one)| (one.name.as_str(), id)).collect();
    let mut faults = BTreeMap::new();
    let mut after = Vec::with_capacity(found.len());
    for entry in found {
        let names = entry.definition.as_ref().map_or(&[][..], |definition| &definition.after);
        after.push(names.iter().filter_map(|name| numbers.get(name.as_str()).copied()).collect());
        let missing = names.iter().find(|name| !numbers.contains_key(name.as_str()));
        let missing = missing.map(|name| missing_sentence(name));
        if let Some(fault) = entry.definition.as_ref().err().cloned().or(missing) {
            faults.insert(entry.name.as_str(), fault);
        }
    }
    for circle in circles(&after) {
        let members = || circle.iter().filter_map(|&id| found.get(id));
        let names: Vec<String> = members().map(|one| one.name.clone()).collect();
        for entry in members() {
            faults.entry(&entry.name).or_insert_with(|| tell_circle(&names));
        }
    }
    faults
}

/// The sentence about a dependency on what does not exist.
pub(crate) fn missing_sentence(name: &str) -> String {
    format!("dependencies.d/{name}: there is no such service")
}
