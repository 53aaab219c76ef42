//! What becomes of a directory that was read, on made-up directories and time: the diff, the whole or nothing, and each `on-change`.
#![expect(clippy::unwrap_used, reason = "a test")]

use init_control::{Ended, What};
use lunix_init::generation::{Diff, Report};
use lunix_init::reconcile::Outcome;
use lunix_init::service::{Definition, Found, OnChange};
use lunix_init::supervisor::{Act, Acts, Order, Supervisor};
use reactor::Instant;
use std::time::Duration;

/// The supervisor and a world in which everything that is started runs.
#[derive(Default)]
struct World {
    supervisor: Supervisor,
    acts: Acts,
    reports: Vec<Report>,
    did: Vec<String>,
    pids: i32,
    millis: u64,
}

impl World {
    fn now(&self) -> Instant {
        Instant::from_nanos(0) + Duration::from_millis(self.millis)
    }

    fn read(&mut self, found: Vec<Found>, whole: bool) -> Outcome {
        self.did.clear();
        let outcome = self.supervisor.reconcile(self.now(), found, whole, &mut self.acts);
        self.settle();
        outcome
    }

    fn settle(&mut self) {
        while let Some(act) = self.acts.pop_front() {
            let name = |id: usize| self.supervisor.get(id).map(|one| one.name.clone()).unwrap_or_default();
            match act {
                Act::Run(id, _) => {
                    self.pids += 1;
                    self.did.push(format!("start {}", name(id)));
                    self.supervisor.spawned(self.now(), id, self.pids, &mut self.acts);
                }
                Act::Terminate(id, _) | Act::Kill(id) | Act::Clear(id) => self.did.push(format!("end {}", name(id))),
                Act::Reload(id) => self.did.push(format!("reload {}", name(id))),
                Act::Report(report) => self.reports.push(*report),
                Act::Forget(id) => {
                    self.did.push(format!("forget {}", name(id)));
                    self.supervisor.release(id);
                }
                Act::Tell(_) => {}
            }
        }
    }

    /// The process of a service ends.
    fn dies(&mut self, name: &str) {
        self.did.clear();
        let id = self.supervisor.find(name).unwrap();
        self.supervisor.exited(self.now(), id, Ended::Signal(15), &mut self.acts);
        self.settle();
    }

    fn last(&self) -> (What, u64, Diff, String) {
        let report = self.reports.last().unwrap();
        (report.what, report.number, (*report.diff).clone(), report.reason.clone())
    }
}

fn found(name: &str, fingerprint: u64, on_change: OnChange) -> Found {
    let definition = Ok(Definition { on_change, ..Definition::default() }.into());
    Found { name: name.to_owned(), place: None, fingerprint, definition, remarks: Vec::new() }
}

fn plain(names: &str) -> Vec<Found> {
    // A name with a digit is that service with the content of that number.
    let one = |word: &str| {
        let (name, content) = word.split_once('=').unwrap_or((word, "0"));
        found(name, content.parse().unwrap(), OnChange::Restart)
    };
    names.split(' ').filter(|word| !word.is_empty()).map(one).collect()
}

fn names(words: &str) -> Vec<String> {
    words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_generation_is_begun_and_done_with_its_diff() {
    let mut world = World::default();
    assert!(world.read(plain("a b c"), true).accepted);
    let first = Diff { added: names("a b c"), ..Diff::default() };
    assert_eq!(world.last(), (What::GenerationDone, 1, first, String::new()));
    assert!(world.read(plain("a b c"), true).accepted);
    assert_eq!((world.reports.len(), world.did.len()), (2, 0), "nothing differs");

    world.read(plain("a b=1 d"), true);
    assert_eq!(world.did, ["end b", "end c", "start d"]);
    let diff = Diff { added: names("d"), changed: names("b"), removed: names("c"), kept: 1 };
    assert_eq!(world.last(), (What::GenerationBegun, 2, diff.clone(), String::new()));
    world.millis += 7;
    world.dies("c");
    assert_eq!(world.did, ["forget c"]);
    world.dies("b");
    assert_eq!(world.did, ["start b"]);
    assert_eq!(world.last(), (What::GenerationDone, 2, diff, String::new()));
    assert_eq!(world.reports.last().unwrap().took, Some(Duration::from_millis(7)));
}

#[test]
fn a_generation_with_a_new_fault_is_rejected_as_a_whole_and_told_once() {
    let mut world = World::default();
    let mut old = plain("a b");
    old.push(Found { definition: Err("run: missing".to_owned()), ..found("sick", 0, OnChange::Restart) });
    world.read(old, false);
    let needs = |name: &str| {
        let definition = Ok(Definition { after: names(name), ..Definition::default() }.into());
        Found { definition, ..found("c", 0, OnChange::Restart) }
    };
    let mut bad = plain("a=1");
    bad.push(needs("nothing"));
    let outcome = world.read(bad.clone(), true);
    let why = "c: dependencies.d/nothing: there is no such service";
    assert!(
        !outcome.accepted
            && outcome.sentences == [format!("generation 2 is rejected, services stay as they are: {why}")]
    );
    let diff = Diff { added: names("c"), changed: names("a"), removed: names("b sick"), kept: 0 };
    assert_eq!(world.last(), (What::GenerationRejected, 2, diff, why.to_owned()));
    assert!(world.did.is_empty());
    let told = world.reports.len();
    assert!(!world.read(bad, true).accepted && world.reports.len() == told, "told once");
    // What was broken before does not stand in the way of the rest.
    let mut good = plain("a=1 b");
    good.push(Found { definition: Err("run: missing".to_owned()), ..found("sick", 1, OnChange::Restart) });
    assert!(world.read(good, true).accepted);
    assert_eq!(world.did, ["end a"]);
}

#[test]
fn each_service_says_what_a_change_does() {
    let mut world = World::default();
    let all = |content| {
        let one = |(name, on_change)| found(name, content, on_change);
        [
            ("keep", OnChange::Keep),
            ("next", OnChange::NextBoot),
            ("reload", OnChange::Reload),
            ("restart", OnChange::Restart),
        ]
        .map(one)
        .to_vec()
    };
    world.read(all(0), true);
    world.read(all(1), true);
    assert_eq!(world.did, ["reload reload", "end restart"]);
    world.dies("restart");
    let next = world.supervisor.find("next").unwrap();
    assert!(world.supervisor.get(next).unwrap().outdated);
    for name in ["keep", "next"] {
        world.dies(name);
        assert_eq!(world.did, [format!("start {name}")]);
    }
    assert!(world.supervisor.get(next).unwrap().outdated, "it is started as it was");
    // Gone: one that stays goes on until it ends.
    world.read(plain("other"), true);
    assert_eq!(world.did, ["end reload", "end restart", "start other"]);
    world.dies("keep");
    assert_eq!(world.did, ["forget keep"]);
    world.supervisor.order(world.now(), next, Order::Stop, &mut world.acts).unwrap();
    world.settle();
    assert_eq!(world.did, ["forget keep", "end next"]);
}
