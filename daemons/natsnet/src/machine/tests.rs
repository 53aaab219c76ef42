//! What no trace shows.

use super::*;
use daemon::Machine as _;

const NOW: Instant = Instant::from_nanos(1);

fn link(index: u32) -> Input {
    let name = format!("v{index}");
    Input::Link(LinkFacts { index, name, enabled: true, up: true, kind: None, mac: None, mtu: None, master: None })
}

fn subjects(machine: &mut Machine, input: Input) -> Vec<String> {
    let mut effects = Effects::with_limit(machine.effects_max());
    machine.step(NOW, input, &mut effects);
    let told = std::iter::from_fn(|| effects.pop());
    told.map(|effect| if let Effect::Publish(news) = effect { news.subject } else { format!("{effect:?}") }).collect()
}

#[test]
fn what_has_no_room_is_counted_and_does_not_disturb_the_rest() {
    let mut machine = Machine::new(Duration::ZERO, 2);
    for index in 1..=2 {
        assert_eq!(subjects(&mut machine, link(index)).len(), 2);
    }
    assert_eq!(subjects(&mut machine, link(3)), ["NoRoom { lost: 1 }"]);
    assert_eq!(subjects(&mut machine, Input::LinkGone { index: 3 }), [""; 0]);
    assert_eq!(subjects(&mut machine, Input::LinkGone { index: 1 }).len(), 3);
    assert_eq!(subjects(&mut machine, link(3)), ["network.link.v3.add", "network.link.v3.up"]);
}

#[test]
fn the_list_has_everything_that_was_announced_and_can_be_asked_for_one_kind() {
    let mut machine = Machine::new(Duration::ZERO, 8);
    subjects(&mut machine, link(1));
    let of = |kind| machine.things(kind).into_iter().map(|(subject, _)| subject).collect::<Vec<_>>();
    assert_eq!(of(None), ["network.link.v1.add", "network.link.v1.up", "network.offline"]);
    assert_eq!(of(Some("offline")), ["network.offline"]);
    assert_eq!(of(Some("wifi")), [""; 0]);
}
