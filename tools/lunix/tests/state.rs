//! `sub --state` against a daemon that this test plays.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Bed, soon};
use serde_json::{Value, json};
use testkit::bus::Bus;
use testkit::process::Process;

/// A daemon of the domain `demo` with things that have a name.
struct Demo {
    bus: Bus,
    epoch: &'static str,
    seq: u64,
    things: Vec<&'static str>,
}

impl Demo {
    fn new(bed: &Bed) -> Self {
        let mut bus = bed.client();
        bus.subscribe("demo.list").unwrap();
        Self { bus, epoch: "e", seq: 0, things: Vec::new() }
    }

    /// Waits for a question and answers it.
    fn answer(&mut self) {
        let question = self.bus.next_where(soon(), "a question", |message| message.subject == "demo.list").unwrap();
        let items: Vec<Value> =
            self.things.iter().map(|name| json!({"subject": "demo.thing.add", "name": name})).collect();
        let list = json!({"epoch": self.epoch, "seq": self.seq, "items": items}).to_string();
        self.bus.publish(&question.reply, list.as_bytes()).unwrap();
    }

    /// Changes the world; tells unless the message is `lost`.
    fn change(&mut self, verb: &str, name: &'static str, lost: bool) {
        self.seq += 1;
        self.things.retain(|known| *known != name);
        if verb == "add" {
            self.things.push(name);
        }
        if !lost {
            let event = json!({"epoch": self.epoch, "seq": self.seq, "time": "t", "name": name}).to_string();
            self.bus.publish(&format!("demo.thing.{verb}"), event.as_bytes()).unwrap();
        }
    }
}

/// The next line as subject and name.
fn next(sub: &mut Process) -> String {
    let line = sub.line(soon(), "demo.").unwrap();
    let (subject, payload) = line.split_once(' ').unwrap();
    let payload: Value = serde_json::from_str(payload).unwrap();
    format!("{} {}", subject.rsplit('.').next().unwrap(), payload["name"].as_str().unwrap())
}

#[test]
fn nothing_is_missed_and_nothing_comes_twice() {
    let Some(mut bed) = Bed::start("nothing_is_missed_and_nothing_comes_twice") else { return };
    let mut demo = Demo::new(&bed);
    demo.change("add", "old", true);
    let mut sub = bed.spawn(&["sub", "--state", "demo.thing.*"]);
    demo.answer();
    assert_eq!(next(&mut sub), "add old");
    demo.change("add", "new", false);
    assert_eq!(next(&mut sub), "add new");

    // A message is lost: the next one shows the hole, and the list fills it.
    demo.change("remove", "old", true);
    demo.change("add", "third", false);
    demo.answer();
    assert_eq!([next(&mut sub), next(&mut sub)], ["remove old", "add third"]);

    // The bus was away, and something happened meanwhile.
    bed.down();
    sub.line(soon(), "is away").unwrap();
    let (seq, things) = (demo.seq, demo.things);
    bed.up();
    demo = Demo { seq, things, ..Demo::new(&bed) };
    demo.change("remove", "new", true);
    demo.change("add", "fourth", true);
    demo.answer();
    assert_eq!([next(&mut sub), next(&mut sub)], ["remove new", "add fourth"]);

    // The daemon starts anew and counts anew; the first that is heard of it is an event.
    (demo.epoch, demo.seq) = ("f", 0);
    demo.change("add", "fifth", false);
    demo.answer();
    assert_eq!(next(&mut sub), "add fifth");
    let all: Vec<String> = sub.printed().lines().filter(|line| line.starts_with("demo.")).map(str::to_owned).collect();
    assert_eq!(all.len(), 7, "{all:?}");
}

#[test]
fn a_daemon_that_comes_later_is_waited_for() {
    let Some(bed) = Bed::start("a_daemon_that_comes_later_is_waited_for") else { return };
    let mut sub = bed.spawn(&["sub", "--state", "demo.thing.add", "--get", "name", "--count", "1"]);
    sub.line(soon(), "nobody answers demo.list: waiting for it").unwrap();
    let mut demo = Demo::new(&bed);
    demo.things.push("there");
    demo.answer();
    sub.line(soon(), "there").unwrap();
    assert!(sub.exit(soon()).unwrap().success());
}
