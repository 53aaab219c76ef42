//! Plays `golden/*.trace`: the recipe as documents. The follower's patterns are `hardware.usb.*`, `process.*.*` and `init.>`.
#![expect(clippy::unwrap_used, reason = "a test")]

use follow::{Effect, Follower, Input, Instant};
use serde_json::{Value, json};

#[test]
fn traces() {
    testkit::golden::directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"), || {
        let mut follower = None;
        move |now, input| {
            let now = Instant::from_nanos(u64::try_from(now.as_nanos()).unwrap());
            if let Some(patterns) = input["follow"].as_array() {
                let patterns: Vec<String> =
                    patterns.iter().map(|pattern| pattern.as_str().unwrap().to_owned()).collect();
                let domain = follow::domain(&patterns[0]).unwrap().to_owned();
                follower = Some(Follower::new(&domain, patterns));
                return Vec::new();
            }
            let mut out = Vec::new();
            step(follower.as_mut().unwrap(), now, input, &mut out);
            out.iter().map(|effect| shown(now, effect)).collect()
        }
    });
}

fn step(follower: &mut Follower, now: Instant, input: &Value, out: &mut Vec<Effect>) {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let (word, value) = input.as_object().unwrap().iter().next().unwrap();
    match word.as_str() {
        "connected" => follower.step(now, Input::Connected, out),
        "disconnected" => follower.step(now, Input::Disconnected, out),
        "deadline" => follower.step(now, Input::Deadline, out),
        "refused" => follower.step(now, Input::Refused(number(&value[0]), value[1].as_str().unwrap()), out),
        "listed" => follower.step(now, Input::Listed(number(&value[0]), value[1].to_string().as_bytes()), out),
        subject => follower.step(now, Input::Message { subject, payload: value.to_string().as_bytes() }, out),
    }
}

fn shown(now: Instant, effect: &Effect) -> Value {
    match effect {
        Effect::Ask(number) => json!({ "ask": number }),
        Effect::Arm(None) => json!("disarm"),
        Effect::Arm(Some(at)) => json!({ "arm_ms": u64::try_from(at.since(now).as_millis()).unwrap() }),
        Effect::Note(note) => json!({ "note": format!("{note:?}") }),
        Effect::Show { subject, payload } => json!({ subject: serde_json::from_slice::<Value>(payload).unwrap() }),
    }
}
