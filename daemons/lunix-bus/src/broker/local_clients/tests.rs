use super::*;
use crate::broker::{AccountSettings, Clause, Credentials, Permissions, Rule as Clauses, Settings, User};
use crate::local::{Grant, Rule, Who};
use std::net::SocketAddr;

const NOW: Instant = Instant::from_nanos(1_000_000_000);
const HELLO: &str = "CONNECT {\"verbose\":false}\r\n";

fn grant(account: &str, per_user: bool) -> Option<Grant> {
    Some(Grant { account: account.into(), per_user, permissions: None })
}

fn rule(uids: std::ops::RangeInclusive<u32>, grant: Option<Grant>) -> Rule {
    Rule { who: Who { uids: Some(vec![uids]), ..Who::default() }, grant }
}

/// Root and the daemons in SYSTEM, each user alone, user 666 turned away.
fn policy() -> Policy {
    let rules =
        vec![rule(0..=99, grant("SYSTEM", false)), rule(666..=666, None), rule(1000..=1999, grant("USER", true))];
    Policy { rules, anonymous: grant("NOBODY", false), ..Policy::default() }
}

fn settings(policy: Policy) -> Settings {
    Settings {
        accounts: ["SYSTEM", "USER", "NOBODY"].map(AccountSettings::alone).to_vec(),
        local: Some(policy.into()),
        ..Settings::default()
    }
}

fn unix(uid: u32) -> Facts {
    Facts { uid: Some(uid), ..Facts::new(Origin::Unix) }
}

struct Desk(Broker);

impl Desk {
    /// A client who said `said`; its slot, and what it was told, INFO included.
    fn client(&mut self, facts: &Facts, said: &str) -> (u32, String) {
        let peer = match facts.origin {
            Origin::Unix => Peer::Unix { uid: facts.uid.unwrap_or_default() },
            Origin::Loopback | Origin::Websocket | Origin::Elsewhere => {
                Peer::Tcp(SocketAddr::from(([127, 0, 0, 1], 1)))
            }
        };
        let slot = self.0.accept_known(NOW, peer, facts.clone()).unwrap();
        self.0.receive(NOW, slot, said.as_bytes());
        (slot, self.read(slot))
    }

    fn say(&mut self, slot: u32, said: &str) -> String {
        self.0.receive(NOW, slot, said.as_bytes());
        self.read(slot)
    }

    fn read(&mut self, slot: u32) -> String {
        let text: Vec<u8> = self.0.pieces(slot).flatten().copied().collect();
        self.0.sent(NOW, slot, text.len());
        String::from_utf8(text).unwrap() + if self.0.is_ending(slot) { "<end>" } else { "" }
    }

    fn accounts(&self) -> Vec<&str> {
        self.0.accounts.iter().map(|(_, account)| &*account.name).collect()
    }
}

#[test]
fn each_user_has_an_account_that_goes_with_its_last_client() {
    let mut desk = Desk(Broker::new(settings(policy()), 3));
    let subscribe = format!("{HELLO}SUB > 1\r\n");
    let slots = [unix(1000), Facts { origin: Origin::Loopback, ..unix(1000) }, unix(1001), unix(0), unix(7), unix(500)]
        .map(|facts| desk.client(&facts, &subscribe).0);
    assert_eq!(desk.accounts(), ["$G", "SYSTEM", "USER", "NOBODY", "USER-1000", "USER-1001"]);
    for (speaker, hear) in [(0, vec![0, 1]), (1, vec![0, 1]), (2, vec![2]), (3, vec![3, 4]), (5, vec![5])] {
        desk.say(slots[speaker], "PUB toast.in 2\r\nhi\r\n");
        let heard = |desk: &mut Desk| (0..6).filter(|&place| !desk.read(slots[place]).is_empty()).collect::<Vec<_>>();
        // The speaker's own copy was read when it spoke.
        let others: Vec<usize> = hear.into_iter().filter(|&place| place != speaker).collect();
        assert_eq!(heard(&mut desk), others, "{speaker}");
    }
    desk.0.remove(NOW, slots[0]);
    assert!(desk.accounts().contains(&"USER-1000"));
    desk.0.remove(NOW, slots[1]);
    desk.0.remove(NOW, slots[2]);
    assert_eq!(desk.accounts(), ["$G", "SYSTEM", "USER", "NOBODY"]);
}

#[test]
fn who_is_turned_away_must_send_credentials() {
    let user = host();
    let with_user = Settings { credentials: Credentials::Users(vec![user]), ..settings(policy()) };
    let good = "CONNECT {\"verbose\":false,\"user\":\"host\",\"pass\":\"p\"}\r\nPING\r\n";
    let bad = "CONNECT {\"verbose\":false,\"user\":\"host\",\"pass\":\"q\"}\r\nPING\r\n";
    let plain = format!("{HELLO}PING\r\n");
    let nobody = Facts::new(Origin::Elsewhere);
    let refused = "-ERR 'Authorization Violation'\r\n<end>";
    // Facts, what is said, whether INFO asks for credentials, the answer.
    for (facts, said, asks, answer) in [
        (unix(666), &*plain, true, refused),
        (unix(666), "PUB a 0\r\n\r\n", true, refused),
        (unix(666), good, true, "PONG\r\n"),
        (unix(1000), &plain, false, "PONG\r\n"),
        (unix(1000), good, false, "PONG\r\n"),
        (unix(1000), bad, false, refused),
        // Some clients send their password only when they are asked for one.
        (nobody.clone(), &plain, true, "PONG\r\n"),
        (nobody.clone(), good, true, "PONG\r\n"),
        (nobody, bad, true, refused),
    ] {
        let mut desk = Desk(Broker::new(with_user.clone(), 3));
        let (_, text) = desk.client(&facts, said);
        let (info, rest) = text.split_once("\r\n").unwrap();
        assert_eq!((info.contains("\"auth_required\":true"), rest), (asks, answer), "{facts:?} {said}");
    }
    // Without users, what a client calls itself does not matter: it is who it is, or nobody.
    let mut desk = Desk(Broker::new(settings(Policy { anonymous: None, ..policy() }), 3));
    assert!(desk.client(&unix(1000), bad).1.ends_with("PONG\r\n"));
    assert!(desk.client(&Facts::new(Origin::Elsewhere), good).1.ends_with(refused));
    // A connection that the adapter asked nothing about is nobody's.
    let peer = Peer::Unix { uid: 0 };
    let slot = desk.0.accept(NOW, peer).unwrap();
    assert!(desk.say(slot, &plain).ends_with(refused));
}

#[test]
fn credentials_lead_out_of_one_s_account_and_back() {
    let user = host();
    let mut desk = Desk(Broker::new(Settings { credentials: Credentials::Users(vec![user]), ..settings(policy()) }, 3));
    let (system, _) = desk.client(&unix(0), &format!("{HELLO}SUB > 1\r\n"));
    let (alice, _) = desk.client(&unix(1000), &format!("{HELLO}SUB > 1\r\n"));
    desk.say(alice, "CONNECT {\"verbose\":false,\"user\":\"host\",\"pass\":\"p\"}\r\nPUB a 0\r\n\r\n");
    assert_eq!((desk.read(system).as_str(), desk.read(alice).as_str()), ("MSG a 1 0\r\n\r\n", ""));
    assert!(!desk.accounts().contains(&"USER-1000"));
    desk.say(alice, &format!("{HELLO}PUB a 0\r\n\r\n"));
    assert!(desk.read(system).is_empty() && desk.accounts().contains(&"USER-1000"));
}

#[test]
fn new_rules_hold_for_those_who_are_there() {
    let mut desk = Desk(Broker::new(settings(policy()), 3));
    let subscribe = format!("{HELLO}SUB secret 1\r\nSUB open 2\r\n");
    let (alice, _) = desk.client(&unix(1000), &subscribe);
    let (bob, _) = desk.client(&unix(1001), &subscribe);
    let permissions = Permissions {
        subscribe: Clauses { allow: None, deny: vec![Clause::parse("secret", true).unwrap()] },
        ..Permissions::default()
    };
    let limited = Some(Grant { account: "USER".into(), per_user: true, permissions: Some(permissions.into()) });
    let mut rules = vec![rule(1000..=1000, limited), rule(1001..=1001, None)];
    rules.extend(policy().rules);
    desk.0.reload(settings(Policy { rules, ..policy() }));
    assert_eq!(desk.read(alice), "-ERR 'Permissions Violation for Subscription to \"secret\" (sid \"1\")'\r\n");
    assert_eq!(desk.say(alice, "PUB open 0\r\n\r\n"), "MSG open 2 0\r\n\r\n");
    assert_eq!(desk.read(bob), "-ERR 'Authorization Violation'\r\n<end>");
    // Into another account: what was subscribed to is gone.
    desk.0.reload(settings(Policy { rules: vec![rule(1000..=1000, grant("SYSTEM", false))], ..policy() }));
    assert_eq!(desk.say(alice, "PUB open 0\r\n\r\nPING\r\n"), "PONG\r\n");
    assert!(!desk.accounts().contains(&"USER-1000"));
    // Without rules again, unix sockets are open as they were.
    let open = Settings { local: None, ..settings(policy()) };
    desk.0.reload(open);
    assert_eq!(desk.say(alice, "PING\r\n"), "PONG\r\n");
    assert_eq!(desk.0.accounts.name(desk.0.client(alice).unwrap().account.unwrap()), "$G");
}

fn host() -> User {
    User {
        by_certificate: false,
        name: "host".into(),
        password: "p".into(),
        by_key: false,
        kinds: crate::broker::ConnectionKinds::default(),
        permissions: None,
        account: "SYSTEM".into(),
    }
}
