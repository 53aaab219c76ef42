//! What is there, as far as the list and the events since tell.

use crate::fields::Fields;
use std::collections::BTreeMap;

/// How things appear and vanish: the last token of the subject.
const VERBS: [(&str, &str); 4] =
    [("add", "remove"), ("started", "exited"), ("connected", "disconnected"), ("up", "down")];

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
pub(crate) struct Present(BTreeMap<String, Thing>);

impl Present {
    /// Takes note of an event.
    pub(crate) fn happened(&mut self, thing: Thing) {
        if let Some(announced) = appeared(&thing.subject) {
            let gone =
                |(_, known): &(&String, &Thing)| known.subject == announced && known.fields.is_within(&thing.fields);
            if let Some(key) = self.0.iter().find(gone).map(|(key, _)| key.clone()) {
                self.0.remove(&key);
            }
        } else {
            self.insert(thing);
        }
    }

    /// Puts a list in place of what was known; returns what vanished meanwhile, as its vanishing, and then what is new.
    pub(crate) fn replace(&mut self, items: Vec<Thing>) -> Vec<Thing> {
        let before = std::mem::take(self);
        let mut changes = Vec::new();
        for item in items {
            if !before.has(&item) {
                changes.push(item.clone());
            }
            self.insert(item);
        }
        let gone = before.0.iter().filter(|(key, _)| !self.0.contains_key(*key));
        let gone = gone
            .filter_map(|(_, thing)| Some(Thing { subject: vanished(&thing.subject)?, fields: thing.fields.clone() }));
        gone.chain(changes).collect()
    }

    fn has(&self, item: &Thing) -> bool {
        let known = self.0.get(&key(item));
        known.is_some_and(|known| known.subject == item.subject && known.fields.agrees_with(&item.fields))
    }

    fn insert(&mut self, thing: Thing) {
        let key = key(&thing);
        if self.0.len() < THINGS_MAX || self.0.contains_key(&key) {
            self.0.insert(key, thing);
        }
    }
}

/// The subject under which the thing vanishes; `None` when its last token is no verb of appearing.
pub(crate) fn vanished(subject: &str) -> Option<String> {
    turned(subject, |verb| VERBS.iter().find(|(appear, _)| *appear == verb).map(|(_, vanish)| *vanish))
}

/// The subject under which the thing that vanishes had appeared.
pub(crate) fn appeared(subject: &str) -> Option<String> {
    turned(subject, |verb| VERBS.iter().find(|(_, vanish)| *vanish == verb).map(|(appear, _)| *appear))
}

fn turned(subject: &str, other: impl Fn(&str) -> Option<&'static str>) -> Option<String> {
    let (stem, verb) = subject.rsplit_once('.')?;
    other(verb).map(|verb| format!("{stem}.{verb}"))
}

fn key(thing: &Thing) -> String {
    if vanished(&thing.subject).is_some() {
        return format!("{} {}", thing.subject, thing.fields.key());
    }
    thing.subject.rsplit_once('.').map_or(&*thing.subject, |(stem, _)| stem).to_owned()
}
