use super::*;
use crate::local::{Facts, Origin, Outcome};

const PASSWD: &str = "root:x:0:0::/:\nnatsdev:x:102:102::/:\nalice:x:1000:1000::/:\n";
const GROUP: &str = "session:x:50:alice\nadm:x:4:\nalice:x:1000:\n";

/// Reads a block `local` on the third line of a file, with the names above.
fn read(name: &str, block: &str) -> Result<Policy, String> {
    let directory = std::env::temp_dir().join(format!("lunix-bus-local-{name}-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    for (file, text) in [("passwd", PASSWD), ("group", GROUP), ("login.defs", "UID_MIN 500\nUID_MAX 5000\n")] {
        fs::write(directory.join(file), text).unwrap();
    }
    let path = |file: &str| directory.join(file).to_string_lossy().into_owned();
    let text = format!(
        "\n\nlocal {{ passwd_file: {:?}, group_file: {:?}, login_defs_file: {:?}\n{block}\n}}",
        path("passwd"),
        path("group"),
        path("login.defs")
    );
    let map = nats_conf::parse("bus.conf", &text, &mut crate::config::file::Files).unwrap();
    let is_account = |name: &str| ["SYSTEM", "USER", "NOBODY"].contains(&name);
    let policy = policy(map.get("local").unwrap(), &is_account).map_err(|error| error.to_string());
    fs::remove_dir_all(&directory).unwrap();
    policy
}

#[test]
fn a_block_with_everything() {
    let policy = read(
        "whole",
        "rules: [
           { uid: 0, account: SYSTEM }
           { user: [natsdev], account: SYSTEM, permissions: { publish: \"hardware.>\" } }
           { all_groups: [session, adm], template: USER }
           { group: session, uid: \"1000-1999\", template: USER, permissions: { publish: { deny: log } } }
           { gid: [4, 7], uid: [1, \"5-6\"], refuse: true }
         ]
         anonymous: { account: NOBODY, permissions: { publish: { deny: \">\" } } }
         tcp_uids: [\"1000-1999\", 3000]",
    );
    let policy = policy.unwrap();
    assert_eq!(policy.tcp_uids, [1000..=1999, 3000..=3000]);
    let unix = |uid, groups: &[u32]| Facts { uid: Some(uid), groups: groups.to_vec(), ..Facts::new(Origin::Unix) };
    let decide = |facts: &Facts| match policy.decide(facts) {
        Outcome::Known(grant, uid) => format!("{} {}", grant.account_of(uid), grant.permissions.is_some()),
        Outcome::Anonymous(grant) => format!("anonymous {} {}", grant.account, grant.permissions.is_some()),
        Outcome::Refused => "refused".into(),
    };
    for (facts, expected) in [
        (unix(0, &[]), "SYSTEM false"),
        (unix(102, &[]), "SYSTEM true"),
        (unix(1000, &[50]), "USER-1000 true"),
        (unix(1000, &[50, 4]), "USER-1000 false"),
        (unix(2000, &[50]), "anonymous NOBODY true"),
        (unix(5, &[7]), "refused"),
        (unix(5, &[8]), "anonymous NOBODY true"),
        (Facts { uid: Some(1000), ..Facts::new(Origin::Loopback) }, "USER-1000 true"),
        (Facts { uid: Some(102), ..Facts::new(Origin::Loopback) }, "anonymous NOBODY true"),
    ] {
        assert_eq!(decide(&facts), expected, "{facts:?}");
    }
    assert!(policy.makes_account("USER-1000") && !policy.makes_account("SYSTEM-0") && !policy.makes_account("USER"));
}

#[test]
fn what_is_not_said() {
    let policy = read("defaults", "").unwrap();
    assert_eq!((policy.tcp_uids.as_slice(), policy.tcp), (&[500..=5000][..], true));
    assert_eq!((policy.rules.len(), policy.anonymous), (0, None));
    assert!(!read("off", "tcp: off").unwrap().tcp);
}

#[test]
fn errors_say_where() {
    let table = [
        ("rules: [{ user: bob, account: SYSTEM }]", "bus.conf:4:17: there is no user \"bob\""),
        ("rules: [\n{ group: wheel, account: SYSTEM }]", "bus.conf:5:10: there is no group \"wheel\""),
        ("rules: [{ all_groups: [adm, wheel], template: USER }]", "there is no group \"wheel\""),
        ("rules: [{ uid: 0, account: ELSE }]", "bus.conf:4:9: there is no account \"ELSE\""),
        ("rules: [{ uid: 0, account: SYSTEM, template: USER }]", "one of account, template and refuse is expected"),
        ("rules: [{ uid: 0 }]", "one of account, template and refuse is expected"),
        ("rules: [{ uid: 9-8, account: SYSTEM }]", "a number or a range of numbers is expected"),
        ("rules: [{ uid: x, account: SYSTEM }]", "a number or a range of numbers is expected"),
        ("rules: [{ pid: 1, account: SYSTEM }]", "unknown field \"pid\"; known are user, uid"),
        ("rules: { uid: 0, account: SYSTEM }", "an array of rules is expected, not a map"),
        ("anonymous: { template: USER }", "unknown field \"template\"; known are account, permissions, refuse"),
        ("tcp_uids: \"0-9\"", "bus.conf:4:11: user 0 is never known over TCP"),
        ("people: 1", "unknown field \"people\"; known are rules"),
        ("tcp: maybe", "true or false is expected"),
    ];
    for (number, (block, expected)) in table.into_iter().enumerate() {
        let error = read(&format!("bad{number}"), block).unwrap_err();
        assert!(error.contains(expected), "{block}: {error}");
    }
}
