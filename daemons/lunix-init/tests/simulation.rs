//! All services together, on made-up time: directories change, processes die, the operator changes his mind, in any order. What must hold
//! holds at every step; a failing seed is printed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "a test")]

use init_control::{Ended, ServiceState as S, What};
use lunix_init::generation::Report;
use lunix_init::lifecycle::{CLEAR_LIMIT, Policy, Script};
use lunix_init::service::{Definition, Found, OnChange};
use lunix_init::supervisor::{Act, Acts, Order, Supervisor};
use reactor::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }
}

/// The world outside: which processes run.
#[derive(Default)]
struct World {
    supervisor: Supervisor,
    acts: Acts,
    running: BTreeMap<usize, i32>,
    /// What services' processes left behind: whether it was killed, and since when it has been there.
    remains: BTreeMap<usize, (bool, Duration)>,
    told: BTreeMap<usize, bool>,
    next_pid: i32,
    now: Duration,
    ending: bool,
    /// The number of the last generation begun, and of the last one done.
    begun: u64,
    done: u64,
}

impl World {
    fn now(&self) -> Instant {
        Instant::from_nanos(0) + self.now
    }

    /// Numbers go up by one, and what is done was begun.
    fn report(&mut self, report: &Report) {
        match report.what {
            What::GenerationBegun => {
                assert_eq!(report.number, self.begun + 1);
                self.begun = report.number;
            }
            What::GenerationDone => {
                assert!(report.number == self.begun && report.number > self.done && !report.diff.is_empty());
                self.done = report.number;
            }
            _ => assert_eq!((report.what, report.number), (What::GenerationRejected, self.begun + 1)),
        }
    }

    fn settle(&mut self, random: &mut Random) {
        while let Some(act) = self.acts.pop_front() {
            let now = self.now();
            match act {
                Act::Run(id, script) => {
                    assert!(!self.running.contains_key(&id), "a second process of {id}");
                    let left = self.remains.remove(&id);
                    let abandoned = left.is_none_or(|(killed, since)| killed && self.now - since >= CLEAR_LIMIT);
                    assert!(abandoned, "{id} starts beside what it left behind");
                    if script == Script::Main {
                        assert!(!self.ending, "{id} starts in the end");
                    }
                    if random.one_in(8) {
                        self.supervisor.not_spawned(now, id, random.one_in(2), "no luck", &mut self.acts);
                    } else {
                        self.next_pid += 1;
                        self.running.insert(id, self.next_pid);
                        self.supervisor.spawned(now, id, self.next_pid, &mut self.acts);
                    }
                }
                Act::Terminate(id, _) | Act::Kill(id) => {
                    assert!(self.running.contains_key(&id), "nobody to signal in {id}");
                    self.told.insert(id, true);
                }
                Act::Clear(id) => self.remains.get_mut(&id).unwrap().0 = true,
                Act::Tell(news) => assert_ne!(news.what, What::Shutdown),
                Act::Report(report) => self.report(&report),
                Act::Reload(id) => {
                    assert!(self.supervisor.get(id).is_some(), "{id} reloads and is gone");
                    self.supervisor.reloaded(id, String::new(), &mut self.acts);
                }
                Act::Forget(id) => {
                    assert!(!self.running.contains_key(&id), "{id} is forgotten while it runs");
                    self.supervisor.release(id);
                }
            }
        }
        for (id, pid) in &self.running {
            let service = self.supervisor.get(*id).unwrap();
            assert_eq!(service.pid, Some(*pid));
            assert!(service.life.is_active(), "{} runs, and is {}", service.name, service.life.state());
        }
        for (id, service) in self.supervisor.iter() {
            assert!(
                service.pid.is_none() || self.running.contains_key(&id),
                "{} has a process that is gone",
                service.name
            );
            let runs_main = matches!(service.life.state(), S::Ready) && !service.definition.policy.oneshot;
            assert!(!runs_main || self.running.contains_key(&id), "{} is ready without a process", service.name);
        }
    }

    fn exit(&mut self, id: usize, how: Ended, random: &mut Random) {
        self.running.remove(&id);
        self.told.remove(&id);
        let service = self.supervisor.get(id).unwrap();
        if random.one_in(3) && service.life.clears(&service.definition.policy, how) {
            self.remains.insert(id, (false, self.now));
            self.supervisor.left_behind(self.now(), id, how, &mut self.acts);
        } else {
            self.supervisor.exited(self.now(), id, how, &mut self.acts);
        }
        self.settle(random);
    }

    /// What was killed goes, or (in the kernel) stays longer than anybody waits.
    fn bury_remains(&mut self, random: &mut Random) {
        let killed: Vec<usize> = self.remains.iter().filter(|(_, left)| left.0).map(|(id, _)| *id).collect();
        for id in killed {
            self.remains.remove(&id);
            self.supervisor.emptied(self.now(), id, &mut self.acts);
            self.settle(random);
        }
    }
}

fn directory(random: &mut Random) -> Vec<Found> {
    let mut all = Vec::new();
    for number in 0..8 {
        if random.one_in(4) {
            continue;
        }
        // Mostly downwards, sometimes a circle or a service that is not there.
        let others =
            (0..random.below(3)).map(|_| if random.one_in(12) { random.below(9) } else { random.below(number + 1) });
        let after: Vec<String> = others.filter(|&other| other != number).map(|other| format!("s{other}")).collect();
        let policy = Policy {
            oneshot: random.one_in(4),
            announces: random.one_in(3),
            has_end_script: random.one_in(3),
            timeout_kill: Some(Duration::from_millis(50)),
            timeout_end: Some(Duration::from_millis(50)),
            timeout_up: None,
            watchdog: None,
            keeps_children: random.one_in(3),
            permanent: Box::new([78]),
        };
        let policy = Policy { announces: policy.announces && !policy.oneshot, ..policy };
        let definition = Definition {
            policy,
            after,
            starts_down: random.one_in(6),
            on_change: [OnChange::Restart, OnChange::Reload, OnChange::Keep, OnChange::NextBoot][random.below(4)],
            ..Definition::default()
        };
        let definition = if random.one_in(10) { Err("unreadable".to_owned()) } else { Ok(definition.into()) };
        let fingerprint = u64::try_from(random.below(3)).unwrap();
        all.push(Found { name: format!("s{number}"), place: None, fingerprint, definition, remarks: Vec::new() });
    }
    all
}

fn run(seed: u64) {
    let mut random = Random(seed);
    let mut world = World::default();
    for _ in 0..120 {
        world.now += Duration::from_millis(u64::try_from(random.below(60)).unwrap());
        let now = world.now();
        match random.below(12) {
            0 => {
                let found = directory(&mut random);
                let before: Vec<_> = world.running.clone().into_iter().collect();
                let whole = random.one_in(2);
                let outcome = world.supervisor.reconcile(now, found, whole, &mut world.acts);
                assert!(outcome.accepted || world.acts.iter().all(|act| matches!(act, Act::Report(_))));
                assert_eq!(before, world.running.clone().into_iter().collect::<Vec<_>>());
            }
            1 | 2 => {
                let id = random.below(8);
                let order = [Order::Start, Order::Stop, Order::Restart, Order::Once, Order::Reload][random.below(5)];
                let _ = world.supervisor.order(now, id, order, &mut world.acts);
            }
            3 | 4 => {
                let id = random.below(8);
                world.supervisor.announced(now, id, &mut world.acts);
            }
            5 | 6 => {
                let ids: Vec<usize> = world.running.keys().copied().collect();
                if let Some(&id) = ids.get(random.below(ids.len().max(1))) {
                    let how = [Ended::Code(0), Ended::Code(1), Ended::Code(78), Ended::Code(125), Ended::Signal(9)];
                    world.exit(id, how[random.below(5)], &mut random);
                }
            }
            7 | 8 => world.bury_remains(&mut random),
            _ => world.supervisor.tick(now, &mut world.acts),
        }
        world.settle(&mut random);
    }
    the_end(&mut world, &mut random);
}

/// Whatever came before: told to end, everything ends, and what depends on others ends first.
fn the_end(world: &mut World, random: &mut Random) {
    world.ending = true;
    world.supervisor.end(world.now(), &mut world.acts);
    world.settle(random);
    for _ in 0..200 {
        if world.supervisor.is_quiet() {
            break;
        }
        world.now += Duration::from_millis(60);
        if random.one_in(2) {
            world.bury_remains(random);
        }
        world.supervisor.tick(world.now(), &mut world.acts);
        world.settle(random);
        let told: Vec<usize> = world.told.keys().copied().collect();
        let scripts = |id: &usize| {
            world.supervisor.get(*id).is_some_and(|one| matches!(one.life.state(), S::Finishing | S::Undoing))
        };
        let ids: Vec<usize> = world.running.keys().copied().filter(|id| told.contains(id) || scripts(id)).collect();
        for id in ids {
            world.exit(id, Ended::Code(0), random);
        }
    }
    let left: Vec<String> =
        world.supervisor.iter().map(|(_, one)| format!("{} {}", one.name, one.life.state())).collect();
    assert!(world.supervisor.is_quiet() && world.running.is_empty(), "{left:?}");
}

#[test]
fn whatever_happens_no_process_is_doubled_or_forgotten_and_everything_ends() {
    for seed in 0..3000 {
        let outcome = std::panic::catch_unwind(|| run(seed));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}
