//! The records that lunix-init leaves to the program that takes its place: to bytes and back, and what makes no sense is refused.

use init_control::{Ended, ServiceState};
use lunix_init::lifecycle::Cause;
use lunix_init::shutdown::{Goal, Phase};
use lunix_init::survival::copies::{self, Pair, VERSION};
use lunix_init::survival::record::{
    Descriptors, HELD, HeldRecord, Life, LinkRecord, NAME_MAX, SERVICE, ServiceRecord, WHOLE, WholeRecord,
};
use reactor::Instant;
use std::time::Duration;

fn full(name: &str) -> ServiceRecord<'_> {
    let life = Life {
        state: ServiceState::Stopping,
        since: Instant::from_nanos(u64::MAX),
        deadline: Some(Instant::from_nanos(7)),
        born: Instant::from_nanos(1 << 40),
        wanted: true,
        crashed: true,
        doomed: true,
        hung: true,
        left: Some((Ended::Signal(9), Cause::AsTold)),
        crashes: u32::MAX,
        restarts: 12,
    };
    ServiceRecord {
        name: name.into(),
        life,
        pid: Some(i32::MAX),
        started_ds: 99,
        last_pid: Some(2),
        heir: Some(3),
        reloader: Some(4),
        ended: Some(Ended::Code(255)),
        chosen: Some(true),
        once: true,
        reloads: true,
        reload_again: true,
        outdated: true,
        removed: true,
        is_read_here: true,
        is_read_elsewhere: true,
        watchdog: Some(Duration::from_millis(1500)),
        fingerprint: u64::MAX,
        descriptors: Descriptors { output: Some((3, 4)), input: Some((5, 6)), notification: Some(7), home: Some(8) },
    }
}

fn bare(name: &str) -> ServiceRecord<'_> {
    let zero = Instant::from_nanos(0);
    ServiceRecord {
        name: name.into(),
        life: Life {
            state: ServiceState::Down,
            since: zero,
            deadline: None,
            born: zero,
            wanted: false,
            crashed: false,
            doomed: false,
            hung: false,
            left: None,
            crashes: 0,
            restarts: 0,
        },
        pid: None,
        started_ds: 0,
        last_pid: None,
        heir: None,
        reloader: None,
        ended: None,
        chosen: None,
        once: false,
        reloads: false,
        reload_again: false,
        outdated: false,
        removed: false,
        is_read_here: false,
        is_read_elsewhere: false,
        watchdog: None,
        fingerprint: 0,
        descriptors: Descriptors::default(),
    }
}

fn sealed(kind: u8, content: &[u8; copies::CONTENT_BYTES]) -> Vec<u8> {
    let mut pair = copies::seal(1, kind, content).to_vec();
    pair.resize(copies::PAIR_BYTES, 0);
    pair
}

fn content(pair: &[u8], expected: u8) -> Option<&[u8]> {
    match copies::choose(pair) {
        Pair::Good { kind, content, .. } => {
            assert_eq!(kind, expected);
            Some(content)
        }
        Pair::Unused | Pair::Bad => None,
    }
}

#[test]
fn services_come_back_as_they_were() {
    let longest = "n".repeat(NAME_MAX);
    let mut others = Vec::new();
    for cause in [Cause::ByItself, Cause::AsTold, Cause::Script] {
        let mut one = bare("left");
        one.life.left = Some((Ended::Code(7), cause));
        others.push(one);
    }
    for ended in [Ended::Code(0), Ended::Signal(9), Ended::Signal(64)] {
        others.push(ServiceRecord { ended: Some(ended), ..bare("a b/log") });
    }
    for chosen in [None, Some(true), Some(false)] {
        others.push(ServiceRecord { chosen, ..full("ö") });
    }
    for state in "down waiting starting ready done backoff stopping killing finishing undoing broken".split(' ') {
        let mut one = bare(state);
        one.life.state = ServiceState::from_word(state).unwrap();
        others.push(one);
    }
    for one in [full("web@eth0/log"), full(&longest), bare("x")].into_iter().chain(others) {
        let pair = sealed(SERVICE, &one.encode().unwrap());
        assert_eq!(ServiceRecord::decode(content(&pair, SERVICE).unwrap()), Some(one));
    }
}

#[test]
fn one_service_takes_at_most_256_bytes() {
    const { assert!(copies::COPY_BYTES <= 256) };
    assert_eq!(full(&"n".repeat(NAME_MAX + 1)).encode(), None);
    assert_eq!(full(&"n".repeat(1000)).encode(), None);
}

#[test]
fn the_whole_and_what_is_held_come_back_as_they_were() {
    let link = LinkRecord { id: 77, socket: 12, has_output: true };
    let mut whole = WholeRecord {
        groups: Some(12),
        phase: Phase::Killing,
        goal: Goal::Reboot,
        end_deadline: Some(Instant::from_nanos(5)),
        next_event: 1,
        next_line: u64::MAX,
        generation: 3,
        fingerprints: 4,
        limits: Some((1024, u64::MAX)),
        drain_at: Some(Instant::from_nanos(6)),
        listener: Some(3),
        notify: Some(4),
        folder: Some(5),
        link: Some(link),
    };
    assert_eq!(WholeRecord::decode(&whole.encode()).as_ref(), Some(&whole));
    (whole.limits, whole.link, whole.drain_at, whole.end_deadline) = (None, None, None, None);
    (whole.listener, whole.notify, whole.folder, whole.phase) = (None, None, None, Phase::Running);
    let pair = sealed(WHOLE, &whole.encode());
    assert_eq!(WholeRecord::decode(content(&pair, WHOLE).unwrap()), Some(whole));
    for listens in [None, Some(0), Some(0o666)] {
        let held = HeldRecord { id: u32::MAX, fd: 9, listens, name: "client".into() };
        let pair = sealed(HELD, &held.encode().unwrap());
        assert_eq!(HeldRecord::decode(content(&pair, HELD).unwrap()), Some(held));
    }
}

#[test]
fn every_flipped_bit_of_a_single_copy_is_noticed() {
    let whole = sealed(SERVICE, &full("sshd").encode().unwrap());
    for bit in 0..copies::COPY_BYTES * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(copies::choose(&flipped), Pair::Bad, "bit {bit}");
    }
}

/// What an older lunix-init wrote ends earlier; what a newer one of the same version wrote goes on.
#[test]
fn fields_that_are_not_there_are_zero_and_more_of_them_do_no_harm() {
    let mut content = full("sshd").encode().unwrap();
    let used = content.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    assert_eq!(ServiceRecord::decode(&content[..used]), Some(full("sshd")));
    content[copies::CONTENT_BYTES - 1] = 1;
    assert_eq!(ServiceRecord::decode(&content), Some(full("sshd")));
    assert_eq!(VERSION, 1, "records of version 1 are kept in this test");
}

#[test]
fn what_makes_no_sense_is_refused_not_guessed() {
    let good = full("sshd").encode().unwrap();
    for (at, value) in [(0, 0), (0, 12), (0, 255), (3, 3)] {
        let mut bad = good;
        bad[at] = value;
        assert_eq!(ServiceRecord::decode(&bad), None, "{at} {value}");
    }
    assert_eq!(ServiceRecord::decode(&[0; copies::CONTENT_BYTES]), None);
    assert_eq!(ServiceRecord::decode(&[]), None);
    assert_eq!(WholeRecord::decode(&[]), None);
    assert_eq!(HeldRecord::decode(&[]), None);
    // Any bytes at all: some answer, no panic.
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut bytes = [0_u8; copies::CONTENT_BYTES];
        for byte in &mut bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
        let _ = (ServiceRecord::decode(&bytes), WholeRecord::decode(&bytes), HeldRecord::decode(&bytes));
    }
}
