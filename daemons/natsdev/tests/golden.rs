//! Plays every trace in `tests/golden`: recorded in a virtual machine (`natsdev --record`), shortened to what the scenario is about.
//! A first input `{"saved": [...]}` starts the machine as one that was restarted with these things.
#![expect(clippy::unwrap_used, reason = "a test")]

use daemon::{Effects, Instant, Machine as _};
use interfaces::hardware::Thing;
use natsdev::machine::{Effect, Input, Machine, Ownership, Rule, Rules};
use serde_json::{Value, json};
use std::time::Duration;

fn rules() -> Rules {
    let row = |subsystem: &str, name: &str, gid, mode| Rule {
        subsystem: subsystem.into(),
        name: name.into(),
        ownership: Ownership { uid: 0, gid, mode },
    };
    // The built-in table's groups are not those of the machine the test runs on.
    Rules::new(
        vec![row("block", "*", 6, 0o660), row("input", "input/*", 105, 0o660), row("usb", "*", 0, 0o664)],
        |_| None,
    )
}

fn machine() -> impl FnMut(Duration, &Value) -> Vec<Value> {
    let mut machine = Machine::new(rules(), 64, None);
    let mut effects = Effects::with_limit(machine.effects_max());
    move |now, input| {
        if let Some(saved) = input.get("saved") {
            let text = saved.to_string();
            let things: Vec<Thing<'_>> = serde_json::from_str(&text).unwrap();
            machine = Machine::new(rules(), 64, Some(things.into_iter().map(Thing::into_owned).collect()));
            return Vec::new();
        }
        let now = Instant::from_nanos(u64::try_from(now.as_nanos()).unwrap());
        let listed = |machine: &Machine| json!(machine.things().map(|thing| thing.devpath()).collect::<Vec<_>>());
        machine.step(now, serde_json::from_value::<Input>(input.clone()).unwrap(), &mut effects);
        let mut all = Vec::new();
        while let Some(effect) = effects.pop() {
            let list = matches!(effect, Effect::List { .. });
            all.push(serde_json::to_value(effect).unwrap());
            // What the adapter would answer, by path.
            all.extend(list.then(|| json!({"listed": listed(&machine)})));
        }
        assert_eq!(effects.take_lost(), 0);
        all
    }
}

#[test]
fn traces_hold() {
    testkit::golden::directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"), machine);
}
