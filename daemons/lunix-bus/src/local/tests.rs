use super::*;

const ROOT: u32 = 0;
const DAEMON: u32 = 102;
const ALICE: u32 = 1000;
const BOB: u32 = 1001;
const CAROL: u32 = 1002;

const SESSION: u32 = 50;
const ADM: u32 = 4;

fn grant(account: &str, per_user: bool) -> Option<Grant> {
    Some(Grant { account: account.into(), per_user, permissions: None })
}

fn group(gid: u32, members: &[u32]) -> Group {
    Group { gid, members: members.iter().copied().collect() }
}

fn uids(uids: RangeInclusive<u32>) -> Who {
    Who { uids: Some(vec![uids]), ..Who::default() }
}

/// Alice is in both groups, Bob in the second, Carol in none.
fn policy() -> Policy {
    let (session, adm) = (group(SESSION, &[ALICE]), group(ADM, &[ALICE, BOB]));
    let rules = [
        (uids(ROOT..=ROOT), grant("SYSTEM", false)),
        (uids(DAEMON..=DAEMON), grant("DAEMON", false)),
        (uids(700..=799), None),
        (Who { all_groups: Some(vec![session.clone(), adm.clone()]), ..Who::default() }, grant("BOTH", true)),
        (Who { any_group: Some(vec![session, adm]), ..uids(1..=9999) }, grant("EITHER", true)),
        (uids(1000..=59_999), grant("USER", true)),
    ];
    Policy {
        rules: rules.into_iter().map(|(who, grant)| Rule { who, grant }).collect(),
        anonymous: grant("NOBODY", false),
        websocket: grant("WEB", false),
        ..Policy::default()
    }
}

fn account(policy: &Policy, facts: &Facts) -> String {
    match policy.decide(facts) {
        Outcome::Known(grant, uid) => format!("{} {uid}{}", grant.account, if grant.per_user { " own" } else { "" }),
        Outcome::Anonymous(grant) => format!("anonymous {}", grant.account),
        Outcome::Refused => "refused".into(),
    }
}

#[test]
fn facts_in_identity_out() {
    let table: &[(Origin, Option<u32>, &[u32], &str)] = &[
        // The unix socket: the kernel knows user and groups.
        (Origin::Unix, Some(ROOT), &[0], "SYSTEM 0"),
        (Origin::Unix, Some(DAEMON), &[DAEMON], "DAEMON 102"),
        (Origin::Unix, Some(750), &[], "refused"),
        (Origin::Unix, Some(ALICE), &[ALICE, SESSION, ADM], "BOTH 1000 own"),
        (Origin::Unix, Some(ALICE), &[SESSION, ALICE], "EITHER 1000 own"),
        (Origin::Unix, Some(ALICE), &[ALICE], "USER 1000 own"),
        (Origin::Unix, Some(CAROL), &[CAROL, ADM], "EITHER 1002 own"),
        (Origin::Unix, Some(60_500), &[ADM], "anonymous NOBODY"),
        (Origin::Unix, Some(OVERFLOW_UID), &[0, ADM], "anonymous NOBODY"),
        (Origin::Unix, Some(u32::MAX), &[], "anonymous NOBODY"),
        (Origin::Unix, None, &[], "anonymous NOBODY"),
        // TCP on this machine: the kernel knows the user, the files know the groups; never the system.
        (Origin::Loopback, Some(ROOT), &[], "anonymous NOBODY"),
        (Origin::Loopback, Some(DAEMON), &[], "anonymous NOBODY"),
        (Origin::Loopback, Some(750), &[], "anonymous NOBODY"),
        (Origin::Loopback, Some(999), &[], "anonymous NOBODY"),
        (Origin::Loopback, Some(ALICE), &[], "BOTH 1000 own"),
        (Origin::Loopback, Some(BOB), &[], "EITHER 1001 own"),
        (Origin::Loopback, Some(CAROL), &[], "USER 1002 own"),
        (Origin::Loopback, Some(CAROL), &[SESSION, ADM], "USER 1002 own"),
        (Origin::Loopback, Some(60_001), &[], "anonymous NOBODY"),
        (Origin::Loopback, Some(OVERFLOW_UID), &[], "anonymous NOBODY"),
        (Origin::Loopback, None, &[], "anonymous NOBODY"),
        // A web page, whose browser's user is not meant.
        (Origin::Websocket, Some(ALICE), &[SESSION], "anonymous WEB"),
        (Origin::Websocket, None, &[], "anonymous WEB"),
        // Elsewhere: whatever is claimed.
        (Origin::Elsewhere, Some(ROOT), &[0], "anonymous NOBODY"),
        (Origin::Elsewhere, Some(ALICE), &[SESSION], "anonymous NOBODY"),
        (Origin::Elsewhere, None, &[], "anonymous NOBODY"),
    ];
    let policy = policy();
    for &(origin, uid, groups, expected) in table {
        let (gid, groups) = (groups.first().copied(), groups.iter().skip(1).copied().collect());
        let facts = Facts { uid, gid, groups, ..Facts::new(origin) };
        assert_eq!(account(&policy, &facts), expected, "{facts:?}");
    }
}

#[test]
fn nothing_said_is_refused() {
    let nobody = Policy { anonymous: None, ..policy() };
    for facts in [
        Facts::new(Origin::Elsewhere),
        Facts::new(Origin::Loopback),
        Facts { uid: Some(60_500), ..Facts::new(Origin::Unix) },
    ] {
        assert_eq!(nobody.decide(&facts), Outcome::Refused, "{facts:?}");
    }
    assert_eq!(Policy::default().decide(&Facts { uid: Some(0), ..Facts::new(Origin::Unix) }), Outcome::Refused);
}

#[test]
fn web_pages_are_as_anonymous_as_others_if_nothing_is_said() {
    let silent = Policy { websocket: None, ..policy() };
    assert_eq!(account(&silent, &Facts::new(Origin::Websocket)), "anonymous NOBODY");
}

#[test]
fn tcp_may_be_off_or_wider_but_never_root() {
    let alice = Facts { uid: Some(ALICE), ..Facts::new(Origin::Loopback) };
    assert_eq!(account(&Policy { tcp: false, ..policy() }, &alice), "anonymous NOBODY");
    let wide = Policy { tcp_uids: vec![0..=u32::MAX], ..policy() };
    let of = |uid| account(&wide, &Facts { uid: Some(uid), ..Facts::new(Origin::Loopback) });
    assert_eq!(of(ROOT), "anonymous NOBODY");
    assert_eq!(of(OVERFLOW_UID), "anonymous NOBODY");
    assert_eq!(of(DAEMON), "DAEMON 102");
    let other = Policy { overflow_uid: ALICE, ..policy() };
    assert_eq!(account(&other, &alice), "anonymous NOBODY");
}

#[test]
fn who_is_ordinary() {
    let table = [
        ("", 1000..=60_000),
        ("# UID_MIN 5\nUID_MIN\t\t  500\nSYS_UID_MIN 101\nUID_MAX 29999\n", 500..=29_999),
        ("UID_MIN none\nUID_MAX -1\n", 1000..=60_000),
        ("UID_MIN 0\n", 1000..=60_000),
    ];
    for (text, expected) in table {
        assert_eq!(ordinary_uids(text), expected, "{text:?}");
    }
}
