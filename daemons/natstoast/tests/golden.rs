//! Plays `golden/*.trace`: the machine's behaviour as documents. Payloads are texts in the traces.

use daemon::{Effects, Instant, Machine as _};
use natstoast::machine::{Input, Machine};

#[test]
fn traces() {
    testkit::golden::directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"), || {
        let mut machine = Machine::default();
        move |_now, input| {
            let input: Input = serde_json::from_value(input.clone()).unwrap();
            let mut effects = Effects::with_limit(8);
            machine.step(Instant::from_nanos(0), input, &mut effects);
            assert_eq!(effects.take_lost(), 0);
            std::iter::from_fn(|| effects.pop()).map(|effect| serde_json::to_value(effect).unwrap()).collect()
        }
    });
}
