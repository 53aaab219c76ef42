//! Bringing the supervised services in line with the directory as it is now.

use crate::lifecycle::Input;
use crate::service::{Found, Service};
use crate::supervisor::{Acts, Supervisor};
use init_control::What;
use reactor::Instant;
use std::collections::BTreeMap;

impl Supervisor {
    /// Takes the whole directory as read: starts what is new, stops what is gone, restarts exactly what changed. A change that cannot be
    /// read leaves the service as it was; returns a sentence for each of those, for each new one that cannot run, and for each that can again.
    pub fn reconcile(&mut self, now: Instant, found: Vec<Found>, acts: &mut Acts) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut known: BTreeMap<String, usize> = self.iter().map(|(id, service)| (service.name.clone(), id)).collect();
        for entry in found {
            match known.remove(&entry.name) {
                Some(id) => self.compare(now, id, entry, acts, &mut sentences),
                None => self.add(now, entry, acts, &mut sentences),
            }
        }
        for id in known.into_values() {
            if let Some(service) = self.get_mut(id) {
                service.removed = true;
            }
        }
        self.link();
        self.judge(now, acts, &mut sentences);
        self.dirty.extend(0..self.services.len());
        self.settle_all(now, acts);
        sentences
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
        let service = Some(Service::new(now, entry));
        match self.services.get_mut(id) {
            Some(slot) => *slot = service,
            None => self.services.push(service),
        }
        self.tell(id, What::Added, acts);
    }

    fn compare(&mut self, now: Instant, id: usize, entry: Found, acts: &mut Acts, sentences: &mut Vec<String>) {
        let Some(service) = self.get_mut(id) else { return };
        let back = std::mem::take(&mut service.removed);
        if service.fingerprint == entry.fingerprint && !back {
            return;
        }
        sentences.extend(entry.remarks.iter().map(|remark| format!("{}: {remark}", entry.name)));
        match entry.definition {
            Err(_) if service.refused == Some(entry.fingerprint) => {}
            Err(sentence) => {
                service.refused = Some(entry.fingerprint);
                if service.unreadable.is_some() {
                    service.unreadable = Some(sentence);
                } else {
                    service.reason = format!("its directory changed, but {sentence}; it stays as it was");
                    sentences.push(format!("{}: {}", service.name, service.reason));
                }
            }
            Ok(definition) => {
                (service.fingerprint, service.refused) = (entry.fingerprint, None);
                service.unreadable = None;
                service.chosen = None;
                if service.life.is_active() {
                    service.next = Some(Box::new(definition));
                } else {
                    service.definition = definition;
                }
                self.tell(id, What::Changed, acts);
                self.step(now, id, Input::Restart, acts);
            }
        }
    }

    /// Resolves names to numbers, in both directions.
    fn link(&mut self) {
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
            let missing = missing.map(|name| format!("dependencies.d/{name}: there is no such service"));
            let circle = circles.iter().find(|circle| circle.contains(&id)).map(|circle| tell_circle(circle, &names));
            service.fault = service.unreadable.clone().or(missing).or(circle);
            if let Some(fault) = &service.fault {
                service.reason.clone_from(fault);
            }
        }
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

fn tell_circle(circle: &[usize], names: &[String]) -> String {
    let mut words: Vec<&str> = circle.iter().filter_map(|&id| names.get(id)).map(String::as_str).collect();
    words.extend(words.first().copied());
    format!("dependencies.d: the dependencies run in a circle: {}", words.join(", "))
}

/// The circles of a dependency graph: each as its members, every one after the one that needs it.
fn circles(after: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Unseen,
        OnPath,
        Seen,
    }
    let mut marks = vec![Mark::Unseen; after.len()];
    let mut circles = Vec::new();
    for root in 0..after.len() {
        // (service, how many of its dependencies were walked)
        let mut path: Vec<(usize, usize)> = vec![(root, 0)];
        if marks.get(root) != Some(&Mark::Unseen) {
            continue;
        }
        while let Some((id, walked)) = path.last_mut() {
            let (id, next) = (*id, after.get(*id).and_then(|list| list.get(*walked)).copied());
            *walked += 1;
            let Some(next) = next else {
                path.pop();
                set(&mut marks, id, Mark::Seen);
                continue;
            };
            set(&mut marks, id, Mark::OnPath);
            match marks.get(next) {
                Some(Mark::OnPath) => {
                    circles.push(path.iter().map(|&(id, _)| id).skip_while(|&id| id != next).collect());
                }
                Some(Mark::Unseen) => path.push((next, 0)),
                Some(Mark::Seen) | None => {}
            }
        }
    }
    fn set(marks: &mut [Mark], id: usize, mark: Mark) {
        if let Some(slot) = marks.get_mut(id) {
            *slot = mark;
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::circles;

    #[test]
    fn circles_are_found_and_named() {
        assert_eq!(circles(&[vec![1], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(circles(&[vec![1, 2], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(circles(&[vec![0]]), [[0]]);
        assert_eq!(circles(&[vec![1], vec![2], vec![1], vec![0]]), [[1, 2]]);
        assert_eq!(circles(&[vec![1], vec![0], vec![3], vec![2]]), [[0, 1], [2, 3]]);
    }
}
