//! Accounts that share streams and services.

use super::*;
use crate::broker::{AccountSettings, Export, ExportKind, Import, ResponseType, Sharing, check_imports};

fn export(subject: &str, kind: ExportKind) -> Export {
    Export { subject: subject.as_bytes().into(), kind, accounts: Vec::new(), account_token: None }
}

fn account(name: &str, exports: Vec<Export>, imports: Vec<Import>) -> AccountSettings {
    AccountSettings { name: name.into(), sharing: Sharing { exports, imports }.into() }
}

/// A exports, B and C import.
fn sharing() -> Settings {
    let many = ExportKind::Service { responses: ResponseType::Stream, threshold: Duration::from_secs(5) };
    let exports = vec![
        export("s.>", ExportKind::Stream),
        export("y.*", ExportKind::service()),
        export("many", many),
        Export { accounts: vec!["C".into()], ..export("only.c", ExportKind::service()) },
    ];
    let a = account("A", exports, Vec::new());
    let imports = vec![
        Import::stream("A", "s.>", Some("imp.s.>")).unwrap(),
        Import::service("A", "y.q", Some("q"), false).unwrap(),
        Import::service("A", "many", None, false).unwrap(),
    ];
    let b = account("B", vec![export("q", ExportKind::service())], imports);
    let imports = vec![
        Import::service("B", "q", Some("qq"), false).unwrap(),
        Import::service("A", "only.c", None, false).unwrap(),
    ];
    let c = account("C", Vec::new(), imports);
    let accounts = vec![a, b, c];
    for place in 0..accounts.len() {
        assert_eq!(check_imports(&accounts, place), Ok(()));
    }
    let members = users(&[("a", "p", "A"), ("b", "p", "B"), ("c", "p", "C")]);
    Settings { accounts, max_control_line: 4096, max_pending: 1 << 20, ..members }
}

fn desk() -> (Desk, [u32; 3]) {
    let mut desk = Desk::new(sharing());
    let clients = ["a", "b", "c"].map(|name| {
        let slot = desk.client(tcp());
        let connect = format!(
            "CONNECT {{\"verbose\":false,\"user\":\"{name}\",\"pass\":\"p\",\"headers\":true,\"no_responders\":true}}\r\n"
        );
        desk.say(slot, connect.as_bytes());
        slot
    });
    (desk, clients)
}

fn reply_in(text: &str) -> String {
    text.split([' ', '\r']).rfind(|word| word.starts_with("_R_.")).unwrap().to_owned()
}

/// Nothing is held, subscribed or owed once everybody is gone.
fn is_left_even(mut desk: Desk, clients: impl IntoIterator<Item = u32>) {
    for slot in clients {
        desk.broker.remove(desk.now, slot);
    }
    assert_eq!((desk.broker.subscriptions(), desk.broker.held(), desk.broker.replies.len()), (0, 0, 0));
}

#[test]
fn who_asks_is_told_and_the_answer_comes_back_once() {
    let (mut desk, [a, b, c]) = desk();
    desk.say(a, b"SUB y.* 1\r\n");
    desk.say(b, b"SUB in 1\r\n");
    desk.say(c, b"SUB in 1\r\nPUB qq in 2\r\nhi\r\n");
    let asked = desk.read(a);
    let reply = reply_in(&asked);
    let header = "NATS/1.0\r\nNats-Request-Info: {\"acc\":\"C\",\"svc\":\"B\"}\r\n\r\n";
    assert_eq!(asked, format!("HMSG y.q 1 {reply} {0} {1}\r\n{header}hi\r\n", header.len(), header.len() + 2));
    assert_eq!(desk.broker.replies.len(), 2, "one for each account on the way");
    // Nobody else can answer, and nobody twice.
    desk.say(b, format!("PUB {reply} 1\r\n!\r\n").as_bytes());
    desk.say(c, format!("PUB {reply} 1\r\n!\r\n").as_bytes());
    assert_eq!(desk.read(c), "");
    desk.say(a, format!("PUB {reply} 2\r\nyo\r\nPUB {reply} 2\r\nyo\r\n").as_bytes());
    assert_eq!([desk.read(b), desk.read(c)], ["", "MSG in 1 2\r\nyo\r\n"]);
    assert_eq!(desk.broker.replies.len(), 0);
    is_left_even(desk, [a, b, c]);
}

#[test]
fn nothing_is_owed_when_nobody_serves() {
    let (mut desk, [a, b, c]) = desk();
    desk.say(c, b"SUB in 1\r\nPUB qq in 0\r\n\r\nPUB only.c in 0\r\n\r\n");
    let nobody = |subject: &str| {
        let len = 32 + subject.len();
        format!("HMSG in 1 {len} {len}\r\nNATS/1.0 503\r\nNats-Subject: {subject}\r\n\r\n\r\n")
    };
    assert_eq!(desk.read(c), nobody("qq") + &nobody("only.c"));
    assert_eq!(desk.broker.replies.len(), 0);
    is_left_even(desk, [a, b, c]);
}

#[test]
fn what_is_owed_is_forgotten_in_time_and_with_the_requester() {
    let (mut desk, [a, b, c]) = desk();
    desk.say(a, b"SUB y.* 1\r\nSUB many 2\r\n");
    desk.say(b, b"SUB in 1\r\nPUB many in 0\r\n\r\n");
    desk.say(c, b"PUB qq in 0\r\n\r\n");
    assert_eq!(desk.broker.replies.len(), 3);
    let reply = reply_in(desk.read(a).lines().next().unwrap());
    for _ in 0..3 {
        desk.wait(Duration::from_secs(4));
        desk.say(a, format!("PUB {reply} 1\r\n1\r\n").as_bytes());
        assert_eq!(desk.read(b).replace("PING\r\n", ""), "MSG in 1 1\r\n1\r\n", "each message gives the next its time");
    }
    desk.wait(Duration::from_millis(5250));
    assert_eq!(desk.broker.replies.len(), 2);
    desk.broker.remove(desk.now, c);
    assert_eq!((desk.broker.replies.len(), desk.broker.replies.due), (0, None));
    is_left_even(desk, [a, b]);
}

#[test]
fn what_one_client_is_owed_has_a_limit() {
    let (mut desk, [a, b, c]) = desk();
    desk.say(a, b"SUB y.* 1\r\n");
    for _ in 0..20_000 {
        desk.say(b, b"PUB q in 0\r\n\r\n");
        desk.read(a);
    }
    assert_eq!(desk.broker.replies.len(), 16_384);
    assert!(desk.broker.held() > 16_384 * 128, "it is charged");
    is_left_even(desk, [a, b, c]);
}

#[test]
fn imports_come_and_go_with_the_configuration() {
    let (mut desk, [a, b, c]) = desk();
    desk.say(a, b"SUB y.* 1\r\n");
    desk.say(b, b"SUB imp.s.* 1\r\nSUB in 2\r\n");
    let heard = |desk: &mut Desk| {
        desk.say(a, b"PUB s.x 1\r\n1\r\n");
        desk.say(b, b"PUB q 1\r\n2\r\n");
        (desk.read(b), desk.read(a).contains("MSG y.q 1"))
    };
    let (stream, nothing) = ("MSG imp.s.x 1 1\r\n1\r\n".to_owned(), String::new());
    assert_eq!(heard(&mut desk), (stream.clone(), true));
    let mut without = sharing();
    without.accounts[1] = AccountSettings::alone("B");
    desk.broker.reload(without);
    assert_eq!(heard(&mut desk), (nothing.clone(), false));
    desk.broker.reload(sharing());
    assert_eq!(heard(&mut desk), (stream.clone(), true));
    let mut unexported = sharing();
    unexported.accounts[0] = AccountSettings::alone("A");
    desk.broker.reload(unexported);
    assert_eq!(heard(&mut desk), (nothing, false), "what is not exported any more stays silent");
    desk.broker.reload(sharing());
    assert_eq!(heard(&mut desk), (stream, true));
    is_left_even(desk, [a, b, c]);
}

#[test]
fn an_account_that_goes_takes_what_is_owed_with_it() {
    let (mut desk, [a, b, c]) = desk();
    desk.say(a, b"SUB y.* 1\r\n");
    desk.say(c, b"SUB in 1\r\nPUB qq in 0\r\n\r\n");
    desk.broker.remove(desk.now, b);
    let reply = reply_in(&desk.read(a));
    let mut fewer = sharing();
    fewer.accounts.remove(1);
    desk.broker.reload(fewer);
    desk.say(a, format!("PUB {reply} 0\r\n\r\n").as_bytes());
    assert_eq!((desk.read(c).as_str(), desk.broker.replies.len()), ("", 0));
    is_left_even(desk, [a, c]);
}

#[test]
fn a_request_that_goes_round_in_circles_ends() {
    let service = |to: &str| vec![Import::service(to, "x", None, false).unwrap()];
    let accounts = vec![
        account("A", vec![export("x", ExportKind::service())], service("B")),
        account("B", vec![export("x", ExportKind::service())], service("A")),
    ];
    assert!(check_imports(&accounts, 0).is_err());
    let mut desk = Desk::new(Settings { accounts, ..users(&[("a", "p", "A"), ("b", "p", "B")]) });
    let [a, b] = ["a", "b"].map(|name| {
        let slot = desk.client(tcp());
        desk.say(slot, &login(name));
        slot
    });
    desk.say(b, b"SUB x 1\r\n");
    desk.say(a, b"PUB x in 1\r\n1\r\n");
    assert_eq!(desk.read(b).matches("MSG x 1").count(), 8);
    is_left_even(desk, [a, b]);
}

#[test]
fn after_any_random_sharing_the_accounts_are_even() {
    let seed = 0x5ba2_ed0f_acc0_u64;
    println!("seed {seed:#x}");
    let mut random = testkit::rng::Rng::from_seed(seed);
    let mut below = move |limit: usize| random.below(limit);
    let says: [&[u8]; 16] = [
        b"SUB > 1\r\n",
        b"SUB imp.s.* g 2\r\n",
        b"SUB s.x g 3\r\n",
        b"SUB y.* 4\r\n",
        b"UNSUB 1\r\n",
        b"UNSUB 2 2\r\n",
        b"UNSUB 3\r\n",
        b"PUB s.x 1\r\n1\r\n",
        b"PUB imp.s.x in 1\r\n1\r\n",
        b"PUB q in 1\r\n1\r\n",
        b"PUB many in 0\r\n\r\n",
        b"HPUB qq in 12 13\r\nNATS/1.0\r\n\r\n1\r\n",
        b"PUB qq 0\r\n\r\n",
        b"PUB only.c in 0\r\n\r\n",
        b"SUB in 5\r\n",
        b"UNSUB 5\r\n",
    ];
    let mut desk = Desk::new(sharing());
    let mut clients: Vec<u32> = Vec::new();
    for turn in 0..20_000 {
        if clients.len() < 6 {
            let slot = desk.client(tcp());
            desk.say(slot, &login(["a", "b", "c"][below(3)]));
            clients.push(slot);
        }
        let place = below(clients.len());
        let slot = clients[place];
        desk.say(slot, says[below(says.len())]);
        let heard = desk.read(slot);
        if below(2) == 0 && heard.contains(" _R_.") {
            desk.say(slot, format!("PUB {} 1\r\n1\r\n", reply_in(&heard)).as_bytes());
        }
        if below(50) == 0 {
            desk.broker.remove(desk.now, slot);
            clients.swap_remove(place);
        }
        if turn % 1000 == 999 {
            let mut other = sharing();
            other.accounts[below(3)] = AccountSettings::alone(["A", "B", "C"][below(3)]);
            let before = desk.broker.subscriptions();
            desk.broker.reload(other);
            desk.broker.reload(sharing());
            assert_eq!(desk.broker.subscriptions(), before);
        }
        desk.wait(Duration::from_millis(1));
        desk.broker.take_notes();
    }
    is_left_even(desk, clients);
}
