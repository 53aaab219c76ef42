//! Plays `golden/*.trace`: the machine's behaviour as documents.

use daemon::{Effects, Instant, Machine as _};
use natsinit::machine::{Input, Machine};
use natsinit::trust::Trust;

#[test]
fn traces() {
    testkit::golden::directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"), || {
        let mut machine = Machine::new(Trust::Accounts, true);
        move |now, input| {
            let input: Input = serde_json::from_value(input.clone()).unwrap();
            let mut effects = Effects::with_limit(Machine::EFFECTS_MAX);
            let now = Instant::from_nanos(u64::try_from(now.as_nanos()).unwrap());
            machine.step(now, input, &mut effects);
            assert_eq!(effects.take_lost(), 0);
            std::iter::from_fn(|| effects.pop()).map(|effect| serde_json::to_value(effect).unwrap()).collect()
        }
    });
}
