//! Pipelines as s6-rc has them: who writes to whom, told by both sides, and a bundle for all of them.

use crate::lifecycle::Policy;
use crate::service::{Definition, Found};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Checks that both sides of each pipe say the same, and adds the bundles that `pipeline-name` asks for.
pub(super) fn join(all: &mut Vec<Found>) {
    let faults = one_sided(all);
    let mut first: Option<String> = None;
    for found in all.iter_mut().filter(|one| one.definition.as_ref().is_ok_and(|one| one.rare().is_log)) {
        match &first {
            None => first = Some(found.name.clone()),
            Some(first) => {
                found.definition = Err(format!("type: {first} is of type log already, and there can be only one"))
            }
        }
    }
    for (found, fault) in all.iter_mut().zip(faults) {
        if let Some(fault) = fault {
            found.definition = Err(fault);
        }
    }
    let bundles = all.iter().filter_map(|first| bundle(first, all));
    let bundles: Vec<Found> = bundles.filter(|bundle| all.iter().all(|one| one.name != bundle.name)).collect();
    all.extend(bundles);
}

/// What is wrong with the pipes of each service, seen from both ends.
fn one_sided(all: &[Found]) -> Vec<Option<String>> {
    let services: BTreeMap<&str, &Definition> =
        all.iter().filter_map(|one| Some((one.name.as_str(), &**one.definition.as_ref().ok()?))).collect();
    let check = |one: &Found| {
        let rare = one.definition.as_ref().ok()?.rare();
        for producer in &rare.producers {
            let named = services.get(producer.as_str()).and_then(|other| other.rare().logger.as_deref());
            if named != Some(one.name.as_str()) {
                return Some(format!("consumer-for: {producer} does not say producer-for {}", one.name));
            }
        }
        let consumer = rare.logger.as_ref().filter(|consumer| **consumer != format!("{}/log", one.name))?;
        let knows = services.get(consumer.as_str()).is_some_and(|other| other.rare().producers.contains(&one.name));
        (!knows).then(|| format!("producer-for: {consumer} does not say consumer-for {}", one.name))
    };
    all.iter().map(check).collect()
}

/// The bundle of the pipeline that begins here, when it has a name.
fn bundle(first: &Found, all: &[Found]) -> Option<Found> {
    let definition = first.definition.as_ref().ok()?;
    let name = definition.rare().pipeline.clone().filter(|_| definition.rare().producers.is_empty())?;
    let mut members = vec![first.name.clone()];
    let mut next = definition.rare().logger.clone();
    while let Some(consumer) = next.filter(|name| !members.contains(name)) {
        let found = all.iter().find(|one| one.name == consumer);
        next = found.and_then(|one| one.definition.as_ref().ok()?.rare().logger.clone());
        members.push(consumer);
    }
    let policy = Policy { oneshot: true, ..Policy::default() };
    let definition =
        Rc::new(Definition { policy, after: members, runs_nothing: true, is_bundle: true, ..Definition::default() });
    let fingerprint = first.fingerprint;
    Some(Found { name, place: first.place.clone(), fingerprint, definition: Ok(definition), remarks: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, logger: Option<&str>, producers: &[&str], pipeline: Option<&str>) -> Found {
        let mut definition = Definition::default();
        let rare = definition.rare_mut();
        rare.logger = logger.map(str::to_owned);
        rare.producers = producers.iter().map(|&name| name.to_owned()).collect();
        rare.pipeline = pipeline.map(str::to_owned);
        Found {
            name: name.to_owned(),
            place: None,
            fingerprint: 1,
            definition: Ok(Rc::new(definition)),
            remarks: Vec::new(),
        }
    }

    #[test]
    fn a_pipeline_becomes_a_bundle_of_its_members() {
        let mut all = vec![
            service("a", Some("b"), &[], Some("whole")),
            service("b", Some("c"), &["a"], None),
            service("c", None, &["b"], None),
        ];
        join(&mut all);
        let bundle = all[3].definition.as_ref().unwrap();
        assert_eq!((all[3].name.as_str(), bundle.is_bundle), ("whole", true));
        assert_eq!(bundle.after, ["a", "b", "c"]);
        assert!(all.iter().all(|one| one.definition.is_ok()));
    }

    #[test]
    fn both_sides_must_say_the_same() {
        let mut all = vec![service("a", Some("b"), &[], None), service("b", None, &["c"], None)];
        join(&mut all);
        let why: Vec<&str> = all.iter().filter_map(|one| one.definition.as_ref().err()).map(String::as_str).collect();
        assert_eq!(why, ["producer-for: b does not say consumer-for a", "consumer-for: c does not say producer-for b"]);
    }
}
