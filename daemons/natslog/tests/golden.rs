//! Plays `golden/*.trace`: the machine's behaviour as documents. Of a new line its subject and payload are shown, too.
#![expect(clippy::unwrap_used, reason = "a test")]

use daemon::{Effects, Instant, Machine as _};
use natslog::config::Config;
use natslog::machine::{Effect, Input, Machine};
use natslog::shown;
use serde_json::{Value, json};

/// A ring of 32 KiB; 2 lines a second, 3 at once; our own process is 77.
fn machine() -> Machine {
    let config = Config { ring_bytes: 32_768, lines_per_s: 2, burst_lines: 3, ..Config::default() };
    Machine::new(config.settings(77))
}

#[test]
fn traces() {
    testkit::golden::directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"), || {
        let mut machine = machine();
        move |now, input| {
            let input: Input<'static> = serde_json::from_value(input.clone()).unwrap();
            let mut effects = Effects::with_limit(machine.effects_max());
            let now = Instant::from_nanos(u64::try_from(now.as_nanos()).unwrap());
            machine.step(now, input, &mut effects);
            assert_eq!(effects.take_lost(), 0);
            std::iter::from_fn(|| effects.pop()).map(|effect| document(&machine, &effect)).collect()
        }
    });
}

fn document(machine: &Machine, effect: &Effect) -> Value {
    let Effect::Stored { seq } = effect else { return serde_json::to_value(effect).unwrap() };
    let record = machine.record(*seq).unwrap();
    json!({"stored": {"seq": seq, "subject": shown::subject(&record), "line": shown::line(&record)}})
}
