//! Conversations: what was said, what was answered; whole and cut at every byte.

mod accounts;

use super::*;
use std::net::SocketAddr;
use std::time::Duration;

const START: Instant = Instant::from_nanos(1_000_000_000);

fn settings() -> Settings {
    Settings {
        server_id: "N1".into(),
        server_name: "test".into(),
        max_payload: 64,
        max_control_line: 64,
        max_pending: 4096,
        ..Settings::default()
    }
}

fn tcp() -> Peer {
    Peer::Tcp(SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// A broker whose clients' output is read by the test.
struct Desk {
    broker: Broker,
    now: Instant,
}

impl Desk {
    fn new(settings: Settings) -> Self {
        Self { broker: Broker::new(settings, 7), now: START }
    }

    /// A client whose INFO is read already.
    fn client(&mut self, peer: Peer) -> u32 {
        let slot = self.broker.accept(self.now, peer).unwrap();
        let info = self.read(slot);
        assert!(
            info.starts_with("INFO {\"server_id\":\"N1\",\"server_name\":\"test\",\"version\":\"2.15.1\",\"proto\":1,"),
            "{info}"
        );
        slot
    }

    fn say(&mut self, slot: u32, text: &[u8]) {
        let mut rest = text;
        while let Progress::Paused(used) = self.broker.receive(self.now, slot, rest) {
            rest = &rest[used..];
            self.broker.take_dirty(&mut Vec::new());
        }
    }

    /// All that waits for the client; `<end>` when its connection is to end.
    fn read(&mut self, slot: u32) -> String {
        let text: Vec<u8> = self.broker.pieces(slot).flatten().copied().collect();
        self.broker.sent(self.now, slot, text.len());
        let end = if self.broker.is_ending(slot) { "<end>" } else { "" };
        String::from_utf8(text).unwrap() + end
    }

    fn wait(&mut self, span: Duration) {
        self.now = self.now + span;
        self.broker.tick(self.now);
    }
}

/// One client says `said`; the answer must be `answered`, however it was cut.
fn conversation(settings: &Settings, peer: Peer, said: &str, answered: &str) {
    for cut in 0..=said.len() {
        let mut desk = Desk::new(settings.clone());
        let slot = desk.client(peer);
        desk.say(slot, &said.as_bytes()[..cut]);
        desk.say(slot, &said.as_bytes()[cut..]);
        assert_eq!(desk.read(slot), answered, "{said:?} cut at {cut}");
    }
    let mut desk = Desk::new(settings.clone());
    let slot = desk.client(peer);
    for byte in said.as_bytes().chunks(1) {
        desk.say(slot, byte);
    }
    assert_eq!(desk.read(slot), answered, "{said:?} byte by byte");
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn one_client_alone() {
    let quiet = "CONNECT {\"verbose\":false}\r\n";
    let with_headers = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n";
    let table = [
        (String::new(), "PING\r\n", "PONG\r\n"),
        (String::new(), "CONNECT {}\r\nPING\r\n", "+OK\r\nPONG\r\n"),
        (String::new(), "SUB a 1\r\nPUB a 2\r\nhi\r\n", "+OK\r\n+OK\r\nMSG a 1 2\r\nhi\r\n"),
        (String::new(), "UNSUB 9\r\n+OK\r\nINFO {}\r\npong\r\n", "+OK\r\n"),
        (
            quiet.into(),
            "SUB a 1\r\nSUB a 1\r\nSUB a 2\r\nPUB a r 1\r\nx\r\n",
            "MSG a 1 r 1\r\nx\r\nMSG a 2 r 1\r\nx\r\n",
        ),
        (
            quiet.into(),
            "SUB a 1\r\nUNSUB 1 2\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\n",
            "MSG a 1 0\r\n\r\nMSG a 1 0\r\n\r\n",
        ),
        (
            quiet.into(),
            "SUB a 1\r\nUNSUB 1 1\r\nUNSUB 1 2\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\n",
            "MSG a 1 0\r\n\r\nMSG a 1 0\r\n\r\n",
        ),
        (quiet.into(), "SUB a 1\r\nPUB a 0\r\n\r\nUNSUB 1 1\r\nPUB a 0\r\n\r\n", "MSG a 1 0\r\n\r\n"),
        (
            quiet.into(),
            "SUB a. 1\r\nSUB a.>.b 1\r\nPING\r\n",
            "-ERR 'Invalid Subject'\r\n-ERR 'Invalid Subject'\r\nPONG\r\n",
        ),
        (
            quiet.into(),
            "SUB a.> 1\r\nPUB a.* 0\r\n\r\nPUB a..b 0\r\n\r\n",
            "-ERR 'Invalid Publish Subject'\r\nMSG a.* 1 0\r\n\r\n-ERR 'Invalid Publish Subject'\r\n",
        ),
        (quiet.into(), "HPUB a 1 2\r\nhp\r\n", "<end>"),
        (quiet.into(), "PUB a 65\r\n", "-ERR 'Maximum Payload Violation'\r\n<end>"),
        (quiet.into(), "PUB a 2\r\nhiXX", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
        (quiet.into(), "GET / HTTP/1.1\r\n", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
        (quiet.into(), "PUB a\r\n", "<end>"),
        (quiet.into(), "-ERR 'x'\r\n", "<end>"),
        (quiet.into(), "INFO x\r\n", "<end>"),
        (
            with_headers.into(),
            "SUB a 1\r\nHPUB a 2 3\r\nhhp\r\nHPUB a 0 1\r\np\r\n",
            "HMSG a 1 2 3\r\nhhp\r\nMSG a 1 1\r\np\r\n",
        ),
        (
            with_headers.into(),
            "SUB r 1\r\nPUB x r 0\r\n\r\n",
            "HMSG r 1 33 33\r\nNATS/1.0 503\r\nNats-Subject: x\r\n\r\n\r\n",
        ),
        (with_headers.into(), "SUB r q 1\r\nPUB x r 0\r\n\r\nPING\r\n", "PONG\r\n"),
        (String::new(), "CONNECT {bad\r\n", "<end>"),
        (String::new(), "CONNECT {\"protocol\":2}\r\n", "-ERR 'invalid client protocol'\r\n<end>"),
        (
            String::new(),
            "CONNECT {\"no_responders\":true}\r\n",
            "-ERR 'no responders requires headers support'\r\n<end>",
        ),
        (
            "CONNECT {\"verbose\":false,\"echo\":false}\r\n".into(),
            "SUB a 1\r\nSUB a q 2\r\nPUB a 0\r\n\r\nPING\r\n",
            "PONG\r\n",
        ),
    ];
    for (before, said, answered) in table {
        conversation(&settings(), tcp(), &(before + said), answered);
    }
    let long = format!("SUB {}", "a".repeat(65));
    conversation(&settings(), tcp(), &long, "-ERR 'maximum control line exceeded'\r\n<end>");
    let few = Settings { max_subscriptions: 1, ..settings() };
    conversation(&few, tcp(), "SUB a 1\r\nSUB b 2\r\n", "+OK\r\n-ERR 'maximum subscriptions exceeded'\r\n");
}

#[test]
fn the_second_info_comes_after_the_first_pong_of_a_client_that_can_read_it() {
    let mut desk = Desk::new(settings());
    let slot = desk.client(tcp());
    desk.say(slot, b"CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\nPING\r\n");
    let text = desk.read(slot);
    assert!(
        text.starts_with("PONG\r\nINFO {")
            && text.ends_with(",\"connect_info\":true,\"remote_account\":\"$G\"} \r\nPONG\r\n"),
        "{text}"
    );
}

#[test]
fn headers_are_stripped_for_those_who_do_not_want_them() {
    let mut desk = Desk::new(settings());
    let (old, new) = (desk.client(tcp()), desk.client(tcp()));
    desk.say(old, b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\n");
    desk.say(new, b"CONNECT {\"verbose\":false,\"headers\":true}\r\nHPUB a 2 5\r\nhhabc\r\n");
    assert_eq!(desk.read(old), "MSG a 1 3\r\nabc\r\n");
}

#[test]
fn a_queue_group_gets_one_copy_and_the_choice_is_fair() {
    let mut desk = Desk::new(settings());
    let (one, two, publisher) = (desk.client(tcp()), desk.client(tcp()), desk.client(tcp()));
    desk.say(one, b"CONNECT {\"verbose\":false}\r\nSUB a q 1\r\n");
    desk.say(two, b"CONNECT {\"verbose\":false}\r\nSUB > q 1\r\n");
    let mut counts = [0, 0];
    for _ in 0..100 {
        desk.say(publisher, b"PUB a 0\r\n\r\n");
        let got = [desk.read(one), desk.read(two)];
        assert_eq!(got.concat(), "MSG a 1 0\r\n\r\n");
        counts[usize::from(got[0].is_empty())] += 1;
    }
    assert!(counts[0] >= 25 && counts[1] >= 25, "{counts:?}");
    desk.say(one, b"CONNECT {\"echo\":false}\r\n");
    for _ in 0..20 {
        desk.say(one, b"PUB a 0\r\n\r\n");
        assert_eq!(desk.read(two), "MSG a 1 0\r\n\r\n");
    }
}

#[test]
fn credentials_are_asked_over_tcp_and_the_kernel_vouches_for_unix_peers() {
    let password = Credentials::Password { user: "a".into(), password: "secret".into() };
    let closed = Settings { credentials: password, ..settings() };
    let violation = "-ERR 'Authorization Violation'\r\n<end>";
    for said in [
        "PING\r\n",
        "PUBX",
        "CONNECT {}\r\n",
        "CONNECT {\"user\":\"a\",\"pass\":\"secre\"}\r\n",
        "CONNECT {\"protocol\":9}\r\n",
    ] {
        conversation(&closed, tcp(), said, violation);
    }
    conversation(&closed, tcp(), "CONNECT {\"user\":\"a\",\"pass\":\"secret\"}\r\nPING\r\n", "+OK\r\nPONG\r\n");
    conversation(&closed, tcp(), "CONNEXT", "-ERR 'Unknown Protocol Operation'\r\n<end>");
    conversation(
        &closed,
        tcp(),
        "CONNECT {\"user\":\"a\",\"pass\":\"secret\"}\r\nCONNECT {\"user\":\"a\",\"pass\":\"x\"}\r\n",
        &format!("+OK\r\n{violation}"),
    );
    conversation(&closed, Peer::Unix { uid: 1000 }, "PING\r\n", "PONG\r\n");
    let token = Settings { credentials: Credentials::Token("t".into()), ..settings() };
    conversation(&token, tcp(), "CONNECT {\"auth_token\":\"t\"}\r\n", "+OK\r\n");
    conversation(&token, tcp(), "CONNECT {\"auth_token\":\"tt\"}\r\n", violation);
    let mut desk = Desk::new(token);
    let slot = desk.client(tcp());
    desk.wait(Duration::from_millis(1900));
    assert_eq!(desk.read(slot), "");
    desk.wait(Duration::from_millis(200));
    assert_eq!(desk.read(slot), "-ERR 'Authentication Timeout'\r\n<end>");
}

#[test]
fn new_credentials_cut_those_who_came_with_the_old_ones() {
    let mut desk = Desk::new(Settings { credentials: Credentials::Token("old".into()), ..settings() });
    let (remote, local) = (desk.client(tcp()), desk.client(Peer::Unix { uid: 0 }));
    desk.say(remote, b"CONNECT {\"verbose\":false,\"auth_token\":\"old\"}\r\n");
    desk.broker.reload(Settings { credentials: Credentials::Token("new".into()), ..settings() });
    assert_eq!(desk.read(remote), "-ERR 'Authorization Violation'\r\n<end>");
    assert_eq!(desk.read(local), "");
}

#[test]
fn silent_tcp_clients_are_pinged_and_given_up_and_unix_ones_left_alone() {
    let mut desk = Desk::new(settings());
    let (remote, local) = (desk.client(tcp()), desk.client(Peer::Unix { uid: 0 }));
    assert_eq!(desk.broker.next_deadline(), Some(START + Duration::from_secs(2) + Duration::from_millis(200)));
    desk.wait(Duration::from_millis(2400));
    assert_eq!(desk.read(remote), "PING\r\n");
    desk.say(remote, b"PONG\r\n");
    desk.wait(Duration::from_secs(121));
    assert_eq!(desk.read(remote), "", "it said something since");
    for expected in ["PING\r\n", "PING\r\n", "-ERR 'Stale Connection'\r\n<end>"] {
        desk.wait(Duration::from_secs(121));
        assert_eq!(desk.read(remote), expected);
    }
    assert_eq!(desk.read(local), "");
}

#[test]
fn a_client_that_does_not_read_is_cut_without_a_word_and_its_publisher_waits_before() {
    let mut desk = Desk::new(settings());
    let (slow, publisher) = (desk.client(tcp()), desk.client(tcp()));
    desk.say(slow, b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\n");
    desk.say(publisher, b"CONNECT {\"verbose\":false}\r\n");
    let message = [b"PUB a 64\r\n".as_slice(), &[b'x'; 64], b"\r\n"].concat();
    let mut sent = 0;
    while !desk.broker.is_stalled(publisher) {
        desk.say(publisher, &message);
        sent += 1;
        assert!(sent < 100);
    }
    assert!(desk.broker.pending(slow) > 3072 && desk.broker.pending(slow) < 4096);
    let waiting = desk.broker.pending(slow);
    desk.broker.sent(desk.now, slow, waiting);
    let mut resumed = Vec::new();
    desk.broker.take_resumed(&mut resumed);
    assert_eq!((resumed, desk.broker.is_stalled(publisher)), (vec![publisher], false), "draining wakes the publisher");
    while !desk.broker.is_ending(slow) {
        desk.say(publisher, &message);
    }
    assert!(desk.broker.is_stalled(publisher));
    assert_eq!((desk.broker.pending(slow), desk.broker.slow_consumers()), (0, 1));
    desk.broker.remove(desk.now, slow);
    assert!(!desk.broker.is_stalled(publisher), "the receiver's death wakes the publisher");
    assert_eq!((desk.broker.held(), desk.broker.subscriptions()), (budget::CLIENT_SIZE, 0));
}

#[test]
fn a_stalled_publisher_goes_on_after_a_while_and_a_blocked_receiver_is_given_up() {
    let mut desk = Desk::new(settings());
    let (slow, publisher) = (desk.client(tcp()), desk.client(tcp()));
    desk.say(slow, b"SUB a 1\r\n");
    while !desk.broker.is_stalled(publisher) {
        desk.say(publisher, b"PUB a 0\r\n\r\n");
        let waiting = desk.broker.pending(publisher);
        desk.broker.sent(desk.now, publisher, waiting);
    }
    desk.broker.blocked(desk.now, slow);
    desk.wait(Duration::from_millis(11));
    assert!(!desk.broker.is_stalled(publisher));
    desk.wait(Duration::from_secs(10));
    assert!(desk.broker.is_ending(slow) && desk.broker.pending(slow) == 0);
    assert_eq!(desk.broker.slow_consumers(), 1);
}

#[test]
fn the_ceiling_for_all_cuts_the_largest_holder() {
    let mut desk = Desk::new(Settings { max_memory: 6000, ..settings() });
    let (hog, other) = (desk.client(tcp()), desk.client(tcp()));
    desk.say(hog, b"CONNECT {\"verbose\":false}\r\n");
    for sid in 0..20 {
        desk.say(hog, format!("SUB a.{sid} {sid}\r\n").as_bytes());
    }
    assert!(desk.broker.is_ending(hog) && !desk.broker.is_ending(other));
    desk.broker.remove(desk.now, hog);
    desk.say(other, b"PING\r\n");
    assert_eq!((desk.read(other).as_str(), desk.broker.held()), ("PONG\r\n", budget::CLIENT_SIZE));
}

#[test]
fn a_user_over_its_budget_loses_what_holds_most_and_the_others_lose_nothing() {
    let mut desk = Desk::new(Settings { max_memory: 60_000, max_memory_per_user: 10_000, ..settings() });
    let (small, hog) = (desk.client(Peer::Unix { uid: 1000 }), desk.client(Peer::Unix { uid: 1000 }));
    let other = desk.client(Peer::Unix { uid: 1001 });
    desk.say(other, b"SUB a 1\r\nSUB b 1\r\n");
    for sid in 0..40 {
        desk.say(hog, format!("CONNECT {{\"verbose\":false}}\r\nSUB a.{sid} {sid}\r\n").as_bytes());
        desk.read(other);
    }
    assert!(!desk.broker.is_ending(hog), "a second CONNECT begins anew");
    for sid in 0..40 {
        desk.say(hog, format!("SUB a.{sid} {sid}\r\n").as_bytes());
    }
    assert!(desk.broker.is_ending(hog) && !desk.broker.is_ending(small) && !desk.broker.is_ending(other));
    desk.broker.remove(desk.now, hog);
    desk.say(small, b"PING\r\n");
    assert_eq!(desk.read(small), "PONG\r\n");
}

#[test]
fn a_large_payload_is_held_once_for_all_who_wait_for_it() {
    let mut desk = Desk::new(Settings { max_payload: 1 << 20, max_pending: 64 << 20, ..settings() });
    let publisher = desk.client(tcp());
    desk.say(publisher, b"CONNECT {\"verbose\":false}\r\n");
    let receivers: Vec<u32> = (0..10).map(|_| desk.client(tcp())).collect();
    for &receiver in &receivers {
        desk.say(receiver, b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\n");
    }
    let before = desk.broker.held();
    let payload = "x".repeat(100_000);
    desk.say(publisher, format!("PUB a 0100000\r\n{payload}\r\n").as_bytes());
    assert!(desk.broker.held() - before < 100_000 + 10 * 1024 + 100, "{}", desk.broker.held());
    for &receiver in &receivers {
        assert_eq!(desk.read(receiver), format!("MSG a 1 0100000\r\n{payload}\r\n"));
    }
    assert_eq!(desk.broker.held(), before);
}

#[test]
fn after_a_burst_of_subscriptions_their_places_are_given_back_and_the_others_work() {
    let mut desk = Desk::new(settings());
    let (early, burst, late) = (desk.client(tcp()), desk.client(tcp()), desk.client(tcp()));
    for client in [early, burst, late] {
        desk.say(client, b"CONNECT {\"verbose\":false}\r\n");
    }
    desk.say(early, b"SUB a.* early-with-a-long-name\r\nSUB gone 2\r\nSUB b.> q 3\r\nUNSUB 3 2\r\n");
    for sid in 0..20_000 {
        desk.say(burst, format!("SUB a.{sid} {sid}\r\n").as_bytes());
    }
    desk.say(late, b"SUB b.> q 1\r\nUNSUB 1 1\r\nSUB a.1 2\r\nPUB b.x 1\r\n1\r\n");
    let once = desk.read(early) + &desk.read(late);
    assert!(once == "MSG b.x 3 1\r\n1\r\n" || once == "MSG b.x 1 1\r\n1\r\n", "{once}");
    let before = desk.broker.subscriptions.places();
    for sid in 0..20_000 {
        desk.say(burst, format!("UNSUB {sid}\r\n").as_bytes());
    }
    desk.say(early, b"UNSUB 2\r\n");
    assert!(before > 20_000 && desk.broker.subscriptions.places() < 150, "{}", desk.broker.subscriptions.places());
    assert!(desk.broker.subscriptions() <= 4);
    desk.say(burst, b"PUB a.1 2\r\nhi\r\nPUB b.y 1\r\n2\r\nPUB b.z 1\r\n3\r\nPUB gone 1\r\n4\r\n");
    let (early_heard, late_heard) = (desk.read(early), desk.read(late));
    assert!(early_heard.starts_with("MSG a.1 early-with-a-long-name 2\r\nhi\r\n"), "{early_heard}");
    assert!(late_heard.contains("MSG a.1 2 2\r\nhi\r\n"), "{late_heard}");
    let grouped = (once + &early_heard + &late_heard).matches("MSG b.").count();
    assert_eq!(grouped, 3, "{early_heard}{late_heard}");
}

#[test]
fn one_client_too_many_is_told_and_the_others_are_served() {
    let mut desk = Desk::new(Settings { max_connections: 1, ..settings() });
    let first = desk.client(tcp());
    let second = desk.broker.accept(desk.now, tcp()).unwrap();
    let text = desk.read(second);
    assert!(text.starts_with("INFO {") && text.ends_with("-ERR 'maximum connections exceeded'\r\n<end>"), "{text}");
    desk.broker.remove(desk.now, second);
    desk.say(first, b"PING\r\n");
    assert_eq!(desk.read(first), "PONG\r\n");
}

#[test]
fn a_large_fan_out_pauses_so_that_it_can_be_written() {
    let mut desk = Desk::new(Settings { max_payload: 1 << 20, max_pending: 64 << 20, ..settings() });
    let (receiver, publisher) = (desk.client(tcp()), desk.client(tcp()));
    desk.say(receiver, b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nSUB a 2\r\nSUB a 3\r\n");
    desk.say(publisher, b"CONNECT {\"verbose\":false}\r\n");
    let message = [b"PUB a 500000\r\n".as_slice(), &vec![b'x'; 500_000], b"\r\n"].concat();
    let twice = [message.as_slice(), &message].concat();
    let mut dirty = Vec::new();
    assert_eq!(desk.broker.receive(desk.now, publisher, &twice), Progress::Paused(message.len()));
    desk.broker.take_dirty(&mut dirty);
    assert_eq!(dirty, [receiver, publisher]);
    desk.say(publisher, &twice[message.len()..]);
    assert_eq!(desk.read(receiver).len(), 6 * (500_000 + "MSG a 1 500000\r\n\r\n".len()));
}

#[test]
fn after_any_random_traffic_the_accounts_are_even() {
    let seed = 0x0dd_ba11_5eed_u64;
    println!("seed {seed:#x}");
    let mut random = testkit::rng::Rng::from_seed(seed);
    let mut below = move |limit: usize| random.below(limit);
    let says: [&[u8]; 16] = [
        b"CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n",
        b"CONNECT {\"echo\":false}\r\n",
        b"SUB a 1\r\n",
        b"SUB > 2\r\n",
        b"SUB a.* q 3\r\n",
        b"SUB a.b q a-rather-long-sid-of-a-subscription\r\n",
        b"UNSUB 1\r\n",
        b"UNSUB 2 3\r\n",
        b"UNSUB a-rather-long-sid-of-a-subscription 1\r\n",
        b"PUB a r 5\r\nhello\r\n",
        b"PUB a.b 60\r\n012345678901234567890123456789012345678901234567890123456789\r\n",
        b"HPUB a.c 2 4\r\nhhpp\r\n",
        b"PING\r\n",
        b"PUB a..b 0\r\n\r\n",
        b"PUB a 3\r\nbad!\r\n",
        b"PONG\r\n",
    ];
    let mut desk = Desk::new(Settings { max_memory: 60_000, ..settings() });
    let witness = desk.client(Peer::Unix { uid: 0 });
    let mut rest: std::collections::BTreeMap<u32, Vec<u8>> = std::collections::BTreeMap::new();
    let mut list = Vec::new();
    for _ in 0..40_000 {
        if rest.len() < 8 {
            let slot = desk.broker.accept(desk.now, tcp()).unwrap();
            assert!(rest.insert(slot, Vec::new()).is_none());
        }
        let slot = *rest.keys().nth(below(rest.len())).unwrap();
        let unsaid = rest.get_mut(&slot).unwrap();
        unsaid.extend_from_slice(says[below(says.len())]);
        let cut = below(unsaid.len() + 1);
        let said: Vec<u8> = unsaid.drain(..cut).collect();
        desk.say(slot, &said);
        if below(3) == 0 {
            let some = desk.broker.pending(slot).min(below(500));
            desk.broker.sent(desk.now, slot, some);
        }
        desk.now = desk.now + Duration::from_millis(10);
        desk.broker.tick(desk.now);
        desk.broker.take_dirty(&mut list);
        desk.broker.take_ending(&mut list);
        for slot in &list {
            rest.remove(slot);
            desk.broker.remove(desk.now, *slot);
        }
        desk.broker.take_notes();
        assert!(desk.broker.held() <= 60_000);
    }
    for slot in rest.into_keys() {
        desk.broker.remove(desk.now, slot);
    }
    desk.read(witness);
    assert_eq!((desk.broker.clients(), desk.broker.subscriptions(), desk.broker.held()), (1, 0, budget::CLIENT_SIZE));
}

#[test]
fn a_client_that_cannot_read_headers_is_not_sent_a_bare_status() {
    let mut desk = Desk::new(settings());
    let (old, responder) = (desk.client(tcp()), desk.client(tcp()));
    desk.say(old, b"CONNECT {\"verbose\":false}\r\nSUB r 1\r\n");
    desk.say(responder, b"CONNECT {\"verbose\":false,\"headers\":true}\r\nHPUB r 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
    assert_eq!(desk.read(old), "");
    // With a payload it is an answer like any other.
    desk.say(responder, b"HPUB r 16 17\r\nNATS/1.0 503\r\n\r\nx\r\n");
    assert_eq!(desk.read(old), "MSG r 1 1\r\nx\r\n");
}

fn users(list: &[(&str, &str, &str)]) -> Settings {
    let user = |&(name, password, account): &(&str, &str, &str)| User {
        by_certificate: false,
        name: name.into(),
        password: password.into(),
        by_key: false,
        kinds: ConnectionKinds::default(),
        account: account.into(),
        permissions: None,
    };
    let accounts = list.iter().map(|&(_, _, account)| AccountSettings::alone(account)).collect();
    Settings { credentials: Credentials::Users(list.iter().map(user).collect()), accounts, ..settings() }
}

fn login(name: &str) -> Vec<u8> {
    format!("CONNECT {{\"verbose\":false,\"user\":\"{name}\",\"pass\":\"p\"}}\r\n").into_bytes()
}

#[test]
fn accounts_share_no_subjects() {
    let mut desk = Desk::new(users(&[("a", "p", "A"), ("a2", "p", "A"), ("b", "p", "B")]));
    let [first, second, other] = ["a", "a2", "b"].map(|name| {
        let slot = desk.client(tcp());
        desk.say(slot, &login(name));
        desk.say(slot, b"SUB x.* 1\r\n");
        slot
    });
    desk.say(first, b"PUB x.y 1\r\n1\r\n");
    desk.say(other, b"PUB x.y 1\r\n2\r\n");
    desk.say(second, b"PUB x.y 1\r\n3\r\n");
    let both = "MSG x.y 1 1\r\n1\r\nMSG x.y 1 1\r\n3\r\n";
    assert_eq!([first, second, other].map(|slot| desk.read(slot)), [both, both, "MSG x.y 1 1\r\n2\r\n"]);
    desk.broker.remove(desk.now, first);
    desk.say(second, b"PING\r\n");
    desk.broker.reload(users(&[("b", "p", "B")]));
    assert_eq!(desk.read(second), "PONG\r\n<end>");
    assert_eq!(desk.read(other), "");
}

#[test]
fn a_client_waits_for_the_answer_about_its_password() {
    let text = [&login("h")[..], b"SUB x 1\r\nPUB x 2\r\nhi\r\nPI", b"NG\r\n"].concat();
    for cut in 0..=text.len() {
        for yes in [true, false] {
            let mut desk = Desk::new(users(&[("h", "$2a$04$x", "A")]));
            let slot = desk.client(tcp());
            let (before, after) = text.split_at(cut);
            desk.say(slot, before);
            let asked = desk.broker.take_question();
            assert_eq!(asked.is_some(), desk.broker.is_stalled(slot), "{cut}");
            assert_eq!(desk.read(slot), "", "{cut}");
            if let Some((ticket, _)) = asked {
                desk.broker.answer(desk.now, ticket, yes);
            }
            desk.say(slot, after);
            if let Some((ticket, _)) = desk.broker.take_question() {
                desk.broker.answer(desk.now, ticket, yes);
            }
            let expected = if yes { "MSG x 1 2\r\nhi\r\nPONG\r\n" } else { "-ERR 'Authorization Violation'\r\n<end>" };
            assert_eq!(desk.read(slot), expected, "{cut}");
            assert!(!desk.broker.is_stalled(slot));
        }
    }
    let mut desk = Desk::new(users(&[("h", "$2a$04$x", "A")]));
    let slot = desk.client(tcp());
    desk.say(slot, &login("h"));
    let (ticket, _) = desk.broker.take_question().unwrap();
    desk.wait(Duration::from_secs(3));
    assert_eq!(desk.read(slot), "-ERR 'Authentication Timeout'\r\n<end>");
    desk.broker.answer(desk.now, ticket, true);
    desk.broker.remove(desk.now, slot);
    let slot = desk.client(tcp());
    desk.broker.answer(desk.now, ticket, true);
    desk.say(slot, b"PING\r\n");
    assert_eq!(desk.read(slot), "-ERR 'Authorization Violation'\r\n<end>");
}
