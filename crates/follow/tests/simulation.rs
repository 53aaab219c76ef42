//! A daemon, a follower, and a bus between them that loses messages, breaks, and delivers late; the daemon starts anew now and then.
//! Whatever happens: nothing is shown twice, and in the end what was shown is what is there.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use follow::{Effect, Follower, Input, Instant};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use testkit::rng::Rng;

/// What travels.
enum Letter {
    Event(String, Vec<u8>),
    List(u32, Vec<u8>),
}

struct World {
    follower: Follower,
    now: Instant,
    deadline: Option<Instant>,
    connected: bool,
    /// Questions on their way to the daemon, and what is on its way back.
    questions: VecDeque<u32>,
    letters: VecDeque<Letter>,
    epoch: u32,
    seq: u64,
    things: BTreeSet<u64>,
    /// What the shown lines add up to.
    shown: BTreeSet<u64>,
}

impl World {
    fn new() -> Self {
        Self {
            follower: Follower::new("demo", vec!["demo.thing.*".into()]),
            now: Instant::from_nanos(0),
            deadline: None,
            connected: false,
            questions: VecDeque::new(),
            letters: VecDeque::new(),
            epoch: 1,
            seq: 0,
            things: BTreeSet::new(),
            shown: BTreeSet::new(),
        }
    }

    fn step(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.follower.step(self.now, input, &mut out);
        for effect in out {
            match effect {
                Effect::Ask(number) if self.connected => self.questions.push_back(number),
                Effect::Ask(_) | Effect::Note(_) => {}
                Effect::Arm(at) => self.deadline = at,
                Effect::Show { subject, payload } => self.take(&subject, &payload),
            }
        }
    }

    /// One shown line: it must fit to what was shown before.
    fn take(&mut self, subject: &str, payload: &[u8]) {
        let thing = serde_json::from_slice::<Value>(payload).unwrap()["thing"].as_u64().unwrap();
        let fits = match subject {
            "demo.thing.add" => self.shown.insert(thing),
            _ => self.shown.remove(&thing),
        };
        assert!(fits, "{subject} {thing} came twice");
    }

    /// Something appears or vanishes.
    fn change(&mut self, thing: u64, lost: bool) {
        self.seq += 1;
        let verb = if self.things.remove(&thing) { "remove" } else { "add" };
        if verb == "add" {
            self.things.insert(thing);
        }
        let event = json!({"epoch": self.epoch.to_string(), "seq": self.seq, "time": "t", "thing": thing});
        if self.connected && !lost {
            self.letters.push_back(Letter::Event(format!("demo.thing.{verb}"), event.to_string().into_bytes()));
        }
    }

    fn answer(&mut self) {
        let Some(number) = self.questions.pop_front() else { return };
        let items: Vec<Value> =
            self.things.iter().map(|thing| json!({"subject": "demo.thing.add", "thing": thing})).collect();
        let list = json!({"epoch": self.epoch.to_string(), "seq": self.seq, "items": items});
        self.letters.push_back(Letter::List(number, list.to_string().into_bytes()));
    }

    fn deliver(&mut self) {
        match self.letters.pop_front() {
            Some(Letter::Event(subject, payload)) => {
                self.step(Input::Message { subject: &subject, payload: &payload });
            }
            Some(Letter::List(number, list)) => self.step(Input::Listed(number, &list)),
            None => {}
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        if self.deadline.is_some_and(|at| at <= self.now) {
            self.deadline = None;
            self.step(Input::Deadline);
        }
    }

    fn connect(&mut self, connected: bool) {
        if self.connected != connected {
            self.connected = connected;
            self.questions.clear();
            self.letters.clear();
            self.step(if connected { Input::Connected } else { Input::Disconnected });
        }
    }

    /// Nothing is lost any more, and one last thing happens.
    fn settle(&mut self) {
        self.connect(true);
        self.change(1_000, false);
        for _ in 0..100 {
            self.answer();
            while !self.letters.is_empty() {
                self.deliver();
            }
            self.pass(Duration::from_secs(1));
        }
    }
}

#[test]
fn in_the_end_everything_was_shown_once() {
    let mut rng = Rng::printed("simulation");
    for _ in 0..300 {
        let mut world = World::new();
        for _ in 0..200 {
            match rng.below(12) {
                0..=3 => {
                    let (thing, lost) = (rng.below(8) as u64, rng.below(5) == 0);
                    world.change(thing, lost);
                }
                4..=7 => world.deliver(),
                8 => world.answer(),
                9 => world.pass(Duration::from_millis(400)),
                10 => world.connect(rng.below(3) > 0),
                _ if rng.below(4) == 0 => (world.epoch, world.seq) = (world.epoch + 1, 0),
                _ => drop(world.questions.pop_front()),
            }
        }
        world.settle();
        assert_eq!(world.shown, world.things);
    }
}
