//! What is there, as far as the list and the events since tell.

use crate::fields::Fields;
use std::collections::BTreeMap;

/// How things appear and vanish: the last token of the subject.
const VERBS: [(&str, &str); 3] = [("add", "remove"), ("connected", "disconnected"), ("up", "down")];

/// The same for what runs. In a domain that has states too (`init.service.sshd.ready`) these are two states among others.
const RUNS: (&str, &str) = ("started", "exited");

/// Most things that are remembered; what is above is passed on all the same.
const THINGS_MAX: usize = 65_536;

/// One thing: the subject it was announced under and its fields.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) subject: String,
    pub(crate) fields: Fields,
}

/// The things by their key: for what appears and vanishes, subject and fields; for what changes its state, the subject without the
/// state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Present {
    things: BTreeMap<String, Thing>,
    has_states: bool,
}

impl Present {
    /// Takes note of an event.
    pub(crate) fn happened(&mut self, thing: Thing) {
        self.look_for_states(&thing.subject, false);
        let Some(announced) = self.appeared(&thing.subject) else { return self.insert(thing) };
        let gone = |(_, known): &(&String, &Thing)| known.subject == announced && known.fields.is_within(&thing.fields);
        if let Some(key) = self.things.iter().find(gone).map(|(key, _)| key.clone()) {
            self.things.remove(&key);
        }
    }

    /// Puts a list in place of what was known; returns what vanished meanwhile, as its vanishing, and then what is new.
    pub(crate) fn replace(&mut self, items: Vec<Thing>) -> Vec<Thing> {
        items.iter().for_each(|item| self.look_for_states(&item.subject, true));
        let before = Self { things: std::mem::take(&mut self.things), has_states: self.has_states };
        let mut changes = Vec::new();
        for item in items {
            if !before.has(&item) {
                changes.push(item.clone());
            }
            self.insert(item);
        }
        let gone = before.things.iter().filter(|(key, _)| !self.things.contains_key(*key));
        let gone = gone.filter_map(|(_, thing)| {
            Some(Thing { subject: self.vanished(&thing.subject)?, fields: thing.fields.clone() })
        });
        gone.chain(changes).collect()
    }

    fn has(&self, item: &Thing) -> bool {
        let known = self.things.get(&self.key(item));
        known.is_some_and(|known| known.subject == item.subject && known.fields.agrees_with(&item.fields))
    }

    fn insert(&mut self, thing: Thing) {
        let key = self.key(&thing);
        if self.things.len() < THINGS_MAX || self.things.contains_key(&key) {
            self.things.insert(key, thing);
        }
    }

    /// Learns from a subject whether the domain has states. Only a domain with states lists what has ended.
    fn look_for_states(&mut self, subject: &str, listed: bool) {
        let verb = verb(subject);
        let known = VERBS.iter().any(|(appear, vanish)| verb == *appear || verb == *vanish) || verb == RUNS.0;
        if !(self.has_states || known || verb == RUNS.1 && !listed) {
            self.has_states = true;
            let things = std::mem::take(&mut self.things);
            things.into_values().for_each(|thing| self.insert(thing));
        }
    }

    fn key(&self, thing: &Thing) -> String {
        if self.vanished(&thing.subject).is_some() {
            return format!("{} {}", thing.subject, thing.fields.key());
        }
        thing.subject.rsplit_once('.').map_or(&*thing.subject, |(stem, _)| stem).to_owned()
    }

    fn vanished(&self, subject: &str) -> Option<String> {
        vanished(subject).filter(|_| !self.has_states || verb(subject) != RUNS.0)
    }

    fn appeared(&self, subject: &str) -> Option<String> {
        appeared(subject).filter(|_| !self.has_states || verb(subject) != RUNS.1)
    }
}

/// The subject under which the thing vanishes; `None` when its last token is no verb of appearing.
pub(crate) fn vanished(subject: &str) -> Option<String> {
    turned(subject, |(appear, vanish)| (appear == verb(subject)).then_some(vanish))
}

/// The subject under which the thing that vanishes had appeared.
pub(crate) fn appeared(subject: &str) -> Option<String> {
    turned(subject, |(appear, vanish)| (vanish == verb(subject)).then_some(appear))
}

fn turned(subject: &str, other: impl Fn((&'static str, &'static str)) -> Option<&'static str>) -> Option<String> {
    let (stem, _) = subject.rsplit_once('.')?;
    let verb = VERBS.into_iter().chain([RUNS]).find_map(other)?;
    Some(format!("{stem}.{verb}"))
}

fn verb(subject: &str) -> &str {
    subject.rsplit('.').next().unwrap_or(subject)
}
