//! What starts by itself, and after what: `[Install]`, `After=`, `Requires=` and their like.

use super::draft::Draft;
use super::name::Name;
use super::unit::{Level, Remark, Unit};
use std::collections::BTreeMap;

/// Services that are there, by name: whether each starts by itself.
pub(crate) type Known = BTreeMap<String, bool>;

const WANTS: [&str; 3] = ["WantedBy", "RequiredBy", "UpheldBy"];
const PULLS: [&str; 4] = ["Requires", "Wants", "BindsTo", "Requisite"];

/// Writes `down` or `instances/`.
pub(crate) fn install(draft: &mut Draft<'_>, units: &[Unit], sockets: &[&Unit]) {
    let unit = draft.unit;
    if unit.name.is_template() {
        let default = unit.last("Install", "DefaultInstance");
        if let Some(entry) = default.filter(|entry| !entry.value.contains('/')) {
            draft.tree.small(&format!("instances/{}", entry.value), "");
        } else {
            draft.say(Level::Note, format!("a template: each file in {}/instances/ makes a service", draft.tree.name));
        }
        return;
    }
    let is_wanted = |unit: &Unit| WANTS.iter().any(|key| !unit.list("Install", key).is_empty());
    let own = unit.name.full();
    let pulls = |other: &Unit| PULLS.iter().any(|key| other.words("Unit", key).iter().any(|(_, word)| *word == own));
    if is_wanted(unit) || sockets.iter().any(|socket| is_wanted(socket)) || units.iter().any(pulls) {
        return;
    }
    if draft.is_oneshot() {
        return draft.say(
            Level::Lost,
            "nothing in [Install] wants it, but a oneshot is always started: leave it out, or use a bundle",
        );
    }
    draft.say(Level::Note, "nothing in [Install] wants it, so it has the file `down`; `lunix service start` starts it");
    draft.tree.small("down", "");
}

/// Writes `dependencies.d/` of all services.
pub(crate) fn depend(drafts: &mut [Draft<'_>], known: &Known, units: &[Unit]) {
    let mut edges: Vec<(String, String)> = Vec::new();
    for draft in &mut *drafts {
        let own = draft.tree.name.clone();
        for other in others(draft, "After", known) {
            edges.push((own.clone(), other));
        }
        // What comes after each instance of a template is not known.
        let is_template = draft.unit.name.is_template();
        for other in others(draft, "Before", known).into_iter().filter(|_| !is_template) {
            edges.push((other, own.clone()));
        }
        pulls(draft, known, units);
    }
    for draft in drafts {
        for (from, to) in &edges {
            if *from == draft.tree.name && from != to {
                draft.tree.small(&format!("dependencies.d/{to}"), "");
            }
        }
    }
}

/// The services of a list that are there and start by themselves; what is said of the rest.
fn others(draft: &mut Draft<'_>, key: &'static str, known: &Known) -> Vec<String> {
    let unit = draft.unit;
    let (mut found, mut missing) = (Vec::new(), BTreeMap::<u32, (Remark, Vec<String>)>::new());
    for (entry, word) in unit.words("Unit", key) {
        let Some(name) = draft.plain(entry, &word).map(|word| Name::parse(&word)) else { continue };
        let (stem, is_service) = (name.stem(), name.suffix == "service" || name.suffix == "socket");
        match known.get(&stem).filter(|_| is_service) {
            Some(true) => found.push(stem),
            Some(false) => draft.note(entry, format!("{stem} does not start by itself, so nothing waits for it")),
            // What comes before the end of the machine, or what everything comes after.
            None if !is_service && key == "Before" => {}
            None => {
                let new = || (Remark::new(entry, Level::Note, ""), Vec::new());
                missing.entry(entry.line).or_insert_with(new).1.push(name.full());
            }
        }
    }
    for (mut remark, names) in missing.into_values() {
        remark.text = format!("nothing waits for what is not here: {}", names.join(" "));
        draft.remarks.push(remark);
    }
    found
}

/// Says what is asked for and is not there, or is not done.
fn pulls(draft: &mut Draft<'_>, known: &Known, units: &[Unit]) {
    let unit = draft.unit;
    for key in ["Requires", "BindsTo", "Requisite", "PartOf"] {
        for (entry, word) in unit.words("Unit", key) {
            let name = Name::parse(&word);
            let is_here = match name.suffix.as_str() {
                "service" => known.contains_key(&name.stem()),
                "socket" => units.iter().any(|unit| unit.name == name),
                // Targets, mounts and devices: nothing to be here.
                _ => true,
            };
            if !is_here && key != "PartOf" {
                draft.lost(entry, format!("{} is not here: convert it, too", name.full()));
            } else if name.suffix == "service" && key != "Requires" {
                draft.lost(entry, "services are not tied together while they run");
            }
        }
    }
}
