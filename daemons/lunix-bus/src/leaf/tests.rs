//! The life of a remote in made-up time: each line is a moment, what happens, and what is to be done.

use super::{Act, Greeting, Input, Line, Machine, Remote, Rights, Url};
use crate::broker::Reason;
use crate::config::{HandshakeFirst, Tls};
use reactor::Instant;
use std::rc::Rc;
use std::time::Duration;

const HUB: &str = r#"{"server_id":"N","server_name":"hub","client_id":7,"leafnode_urls":["10.0.0.1:7422"],"nonce":"n0",
    "headers":true,"info_on_connect":true,"compression":"s2_auto"}"#;
const ANSWER: &str = r#"{"client_id":7,"leafnode_urls":["10.0.0.1:7422"],"connect_info":true,"remote_account":"A"}"#;

struct Life {
    machine: Machine,
    now: Instant,
}

impl Life {
    fn new(urls: &[&str], change: impl FnOnce(&mut Remote)) -> Self {
        let urls = urls.iter().map(|url| url.parse::<Url>().unwrap()).collect();
        let mut remote = Remote { no_randomize: true, ..Remote::new(urls, "$G") };
        change(&mut remote);
        Self { machine: Machine::new(Rc::new(remote), 7), now: Instant::from_nanos(1_000_000_000) }
    }

    fn step(&mut self, input: Input<'_>) -> Vec<Act> {
        let mut acts = Vec::new();
        self.machine.step(self.now, input, &mut acts);
        acts
    }

    fn info(&mut self, json: &str) -> Vec<Act> {
        let greeting = Greeting::parse(json.as_bytes()).unwrap();
        self.step(Input::Info(&greeting))
    }

    /// Lets time pass up to the deadline; returns how long that took, and what is to be done.
    fn deadline(&mut self) -> (Duration, Vec<Act>) {
        let due = self.machine.next_deadline().unwrap();
        let waited = due - self.now;
        self.now = due;
        (waited, self.step(Input::Tick))
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        assert_eq!(self.step(Input::Tick), [], "nothing is due");
    }

    /// Up to the moment when messages cross.
    fn join(&mut self) {
        assert!(matches!(self.step(Input::Start).as_slice(), [Act::Dial(_)]));
        self.join_dialled();
    }

    fn join_dialled(&mut self) {
        assert_eq!(self.step(Input::Connected), []);
        assert_eq!(self.info(HUB), [Act::Introduce { nonce: "n0".into(), headers: true }]);
        assert_eq!(self.info(ANSWER), [Act::Join(rights(ANSWER))]);
        assert!(self.machine.is_joined());
        assert_eq!((self.machine.hub(), self.machine.next_deadline()), (Some("hub"), None));
    }
}

fn rights(json: &str) -> Rights {
    Rights::new(&Remote::new(Vec::new(), "$G"), &Greeting::parse(json.as_bytes()).unwrap())
}

fn dial(address: &str) -> Act {
    Act::Dial(address.parse().unwrap())
}

fn trouble(text: &str) -> Act {
    Act::Say(Line::Trouble(text.into()))
}

#[test]
fn a_numeric_address_is_dialled_at_once_and_the_link_joined() {
    let mut life = Life::new(&["nats-leaf://10.0.0.1:7422"], |_| {});
    assert_eq!(life.step(Input::Start), [dial("10.0.0.1:7422")]);
    life.join_dialled();
}

#[test]
fn a_name_is_resolved_first() {
    let mut life = Life::new(&["nats-leaf://hub.example"], |_| {});
    assert_eq!(life.step(Input::Start), [Act::Resolve { host: "hub.example".into(), port: 7422 }]);
    assert_eq!(life.step(Input::Resolved(&["10.0.0.9:7422".parse().unwrap()])), [dial("10.0.0.9:7422")]);
    life.join_dialled();
}

#[test]
fn what_takes_too_long_is_given_up() {
    let why = |acts: Vec<Act>| match acts.as_slice() {
        [Act::Abandon, Act::Say(Line::NoConnection { attempt: 1, why, .. })] => why.clone(),
        other => format!("{other:?}"),
    };
    let mut life = Life::new(&["hub.example"], |_| {});
    life.step(Input::Start);
    let (waited, acts) = life.deadline();
    assert_eq!((waited.as_secs(), why(acts).as_str()), (5, "the name is not resolved in time"));
    let mut life = Life::new(&["10.0.0.1"], |_| {});
    life.step(Input::Start);
    let (waited, acts) = life.deadline();
    assert_eq!((waited.as_secs(), why(acts).as_str()), (1, "i/o timeout"));
    assert_eq!(life.step(Input::Connected), [], "a connection that was given up is nobody's");

    let mut life = Life::new(&["10.0.0.1"], |remote| remote.first_info_timeout = Duration::from_secs(3));
    life.step(Input::Start);
    life.step(Input::Connected);
    let (waited, acts) = life.deadline();
    assert_eq!(waited.as_secs(), 3);
    assert_eq!(acts, [trouble("the hub does not say who it is"), Act::Close(Reason::Stale)]);

    let mut life = Life::new(&["10.0.0.1"], |_| {});
    life.step(Input::Start);
    life.step(Input::Connected);
    life.info(HUB);
    let (waited, acts) = life.deadline();
    assert_eq!(waited.as_secs(), 2);
    let text = "Stale Leaf Node Connection - Closing";
    assert_eq!(acts, [Act::Complain(text.into()), Act::Close(Reason::Stale)]);
}

#[test]
fn urls_are_tried_in_turn_with_a_pause_that_differs() {
    let mut life = Life::new(&["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"], |_| {});
    assert_eq!(life.step(Input::Start), [dial("10.0.0.1:1")]);
    let mut pauses = Vec::new();
    for next in ["10.0.0.2:2", "10.0.0.3:3", "10.0.0.1:1", "10.0.0.2:2"] {
        let told = life.step(Input::Failed("connection refused"));
        // While there never was a link, only the first failure is told.
        assert_eq!(told.len(), usize::from(pauses.is_empty()));
        let (pause, acts) = life.deadline();
        assert_eq!(acts, [dial(next)]);
        assert!((1000..2000).contains(&pause.as_millis()), "{pause:?}");
        pauses.push(pause);
    }
    pauses.dedup();
    assert!(pauses.len() > 1);
}

#[test]
fn without_no_randomize_every_order_comes_up() {
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 1..50 {
        let urls = ["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"].map(|url| url.parse().unwrap()).to_vec();
        let mut machine =
            Machine::new(Rc::new(Remote::new(urls, "$G")), u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let mut acts = Vec::new();
        machine.step(Instant::from_nanos(1), Input::Start, &mut acts);
        firsts.insert(format!("{acts:?}"));
    }
    assert_eq!(firsts.len(), 3);
}

#[test]
fn tls_begins_after_the_info_or_before_it() {
    let required = HUB.replace("\"headers\"", "\"tls_required\":true,\"headers\"");
    let mut life = Life::new(&["hub.example"], |_| {});
    life.step(Input::Start);
    life.step(Input::Resolved(&["10.0.0.9:7422".parse().unwrap()]));
    life.step(Input::Connected);
    assert_eq!(life.info(&required), [Act::Secure("hub.example".into())]);
    assert_eq!(life.step(Input::Secured), [Act::Introduce { nonce: "n0".into(), headers: true }]);
    assert_eq!(life.info(ANSWER), [Act::Join(rights(ANSWER))]);

    let mut life = Life::new(&["tls://10.0.0.1", "hub.example"], |remote| {
        remote.tls = Some(Tls { first: HandshakeFirst::Yes, ..Tls::default() });
    });
    life.step(Input::Start);
    // The certificate is for a name, and only the second address has one.
    assert_eq!(life.step(Input::Connected), [Act::Secure("hub.example".into())]);
    assert_eq!(life.step(Input::Secured), []);
    assert_eq!(life.info(&required), [Act::Introduce { nonce: "n0".into(), headers: true }]);

    let mut life = Life::new(&["10.0.0.1"], |remote| remote.tls = Some(Tls::default()));
    life.step(Input::Start);
    life.step(Input::Connected);
    assert_eq!(life.info(HUB), [Act::Secure("10.0.0.1".into())]);
    let (waited, acts) = life.deadline();
    assert_eq!(waited.as_secs(), 2);
    assert_eq!(acts, [trouble("TLS leafnode handshake error: timeout"), Act::Close(Reason::TlsHandshake)]);
    life.step(Input::Closed);
    assert_eq!(life.deadline().1, [dial("10.0.0.1:7422")]);
    life.step(Input::Connected);
    life.info(HUB);
    let told = life.step(Input::Failed("unknown issuer"));
    assert_eq!(told, [trouble("TLS leafnode handshake error: unknown issuer"), Act::Close(Reason::TlsHandshake)]);
}

#[test]
fn a_port_that_is_not_for_leaf_nodes_is_told() {
    let mut life = Life::new(&["10.0.0.1"], |_| {});
    life.step(Input::Start);
    life.step(Input::Connected);
    let acts = life.info(r#"{"server_id":"N","client_id":5}"#);
    assert_eq!(acts, [trouble("attempted to connect to wrong port"), Act::Close(Reason::WrongPort)]);
}

#[test]
fn a_hub_that_answers_no_connect_is_joined_at_once() {
    let mut life = Life::new(&["10.0.0.1"], |_| {});
    life.step(Input::Start);
    life.step(Input::Connected);
    let old = HUB.replace(",\"info_on_connect\":true", "").replace("\"info_on_connect\":true,", "");
    let acts = life.info(&old.replace("\"info_on_connect\": true", ""));
    assert!(matches!(acts.as_slice(), [Act::Introduce { .. }, Act::Join(_)]), "{acts:?}");
}

#[test]
fn the_hubs_addresses_come_first_and_its_permissions_hold() {
    let mut life = Life::new(&["user:pass@10.0.0.1:7422"], |_| {});
    life.join();
    let news = r#"{"leafnode_urls":["10.0.0.1:7422","10.0.0.2:7422","junk:x"],"import":{"allow":["a"]}}"#;
    assert_eq!(life.info(news), [Act::Limit(rights(news))]);
    life.wait(60);
    life.step(Input::Closed);
    let (pause, acts) = life.deadline();
    assert_eq!((pause.as_secs(), acts), (1, vec![dial("10.0.0.2:7422")]));
    // What the first address proves is good for those that the hub tells.
    assert!(life.machine.secret().is_some());
    life.step(Input::Failed("refused"));
    assert_eq!(life.deadline().1, [dial("10.0.0.1:7422")]);
}

#[test]
fn a_loop_waits_for_half_a_minute() {
    let mut life = Life::new(&["10.0.0.1"], |_| {});
    life.join();
    let text = "Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s";
    let acts = life.step(Input::Loop);
    assert_eq!(acts, [Act::Complain(text.into()), trouble(text), Act::Close(Reason::Protocol)]);
    assert_eq!(life.step(Input::Loop), [], "once is enough");
    life.step(Input::Closed);
    assert_eq!(life.deadline(), (Duration::from_secs(30), vec![dial("10.0.0.1:7422")]));
}

#[test]
fn what_the_hub_complains_of_decides_when_to_try_again() {
    for (text, closes, seconds) in [
        ("Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s", true, 30),
        ("remote leafnode has same cluster name", true, 30),
        ("Permissions Violation for Subscription to \"x\"", false, 30),
        ("connection rejected since minimum version required is \"2.99.0\"", false, 1),
        ("Authorization Violation", false, 1),
        ("Duplicate Remote LeafNode Connection", false, 1),
        ("maximum subscriptions exceeded", false, 1),
    ] {
        let mut life = Life::new(&["10.0.0.1"], |_| {});
        life.join();
        let acts = life.step(Input::Complaint(text));
        assert!(matches!(acts.first(), Some(Act::Say(Line::Trouble(_)))), "{acts:?}");
        assert_eq!((acts.len() == 2, life.machine.is_joined()), (closes, !closes), "{text}");
        life.step(Input::Closed);
        assert_eq!(life.deadline().0.as_secs(), seconds, "{text}");
    }
}

#[test]
fn links_that_do_not_last_are_tried_later_and_later() {
    let mut life = Life::new(&["10.0.0.1"], |_| {});
    life.step(Input::Start);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        life.step(Input::Connected);
        life.info(HUB);
        life.step(Input::Complaint("Authorization Violation"));
        life.step(Input::Closed);
        pauses.push(life.deadline().0.as_millis());
    }
    let least = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    assert!(pauses.iter().zip(least).all(|(&pause, least)| (least..least + 1000).contains(&pause)), "{pauses:?}");
    life.join_dialled();
    life.wait(10);
    life.step(Input::Closed);
    assert_eq!(life.deadline().0.as_secs(), 1, "a good link begins anew");
}
