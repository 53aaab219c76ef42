//! What the server itself answers and tells on the bus: the same questions to nats-server and to us. The reference takes part where
//! `NATS_SERVER` names its binary.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Client, Server, directory, ours, reference};
use serde_json::Value;
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const CONFIGURATION: &str = r#"accounts {
  S { users: [{user: sys, password: p}] }
  B { users: [
    {user: b, password: p, permissions: {publish: {allow: [">"], deny: ["x"]}, subscribe: "_INBOX.>", allow_responses: {max: 2, expires: "1m"}}}
    {user: c, password: p}] }
}
system_account: S"#;

struct Desk {
    server: Server,
}

impl Desk {
    fn new(command: Command) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let directory = directory(&format!("system-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let path = directory.join("bus.conf");
        std::fs::write(&path, CONFIGURATION).unwrap();
        let server = Server::start(command, &["-c", path.to_str().unwrap()]);
        std::fs::remove_dir_all(&directory).unwrap();
        Self { server }
    }

    fn client(&self, user: &str) -> Client<TcpStream> {
        let mut client = self.server.client();
        client.expect("\r\n");
        let connect = format!(
            "CONNECT {{\"verbose\":false,\"headers\":true,\"no_responders\":true,\"name\":\"n\",\"user\":\"{user}\",\"pass\":\"p\"}}\r\n"
        );
        client.say(connect.as_bytes());
        client.say(b"SUB _INBOX.* 1\r\nPING\r\n");
        hear(&mut client, |text| text.contains("PONG\r\n"));
        client
    }
}

fn hear(client: &mut Client<TcpStream>, enough: impl Fn(&str) -> bool) -> String {
    let (bytes, ended) = client.read_until(|seen| enough(&String::from_utf8_lossy(seen)));
    let text = String::from_utf8(bytes).unwrap();
    assert!(!ended, "connection ended after {text:?}");
    text
}

/// The payload of the first message to a subject that begins so, once it is there.
fn message(text: &str, subject: &str) -> Option<Value> {
    let (_, rest) = text.split_once(&format!("MSG {subject}"))?;
    let (line, body) = rest.split_once("\r\n")?;
    let len: usize = line.rsplit(' ').next()?.parse().ok()?;
    serde_json::from_str(body.get(..len)?).ok()
}

/// The answer to a question; `None`: nobody answers such questions.
fn ask(client: &mut Client<TcpStream>, subject: &str, options: &str) -> Option<Value> {
    client.say(format!("PUB $SYS.REQ.{subject} _INBOX.q {}\r\n{options}\r\n", options.len()).as_bytes());
    let nobody = |text: &str| text.contains("NATS/1.0 503\r\n") && text.contains("\r\n\r\n\r\n");
    let text = hear(client, |text| message(text, "_INBOX.q").is_some() || nobody(text));
    message(&text, "_INBOX.q")
}

fn both(check: impl Fn(&Desk)) {
    if let Some(command) = reference() {
        check(&Desk::new(command));
    }
    check(&Desk::new(ours()));
}

/// The values at these places of a document.
fn values(answer: &Value, places: &[&str]) -> Vec<String> {
    places.iter().map(|place| answer.pointer(place).unwrap_or(&Value::Null).to_string()).collect()
}

#[test]
fn everybody_is_told_who_they_are() {
    both(|desk| {
        let answer = ask(&mut desk.client("b"), "USER.INFO", "").unwrap();
        let permissions = serde_json::json!({
            "publish": {"allow": [">"], "deny": ["x"]}, "subscribe": {"allow": ["_INBOX.>"]},
            "responses": {"max": 2, "ttl": 60_000_000_000_u64}
        });
        assert_eq!(answer["data"]["permissions"], permissions);
        let answer = ask(&mut desk.client("c"), "USER.INFO", "").unwrap();
        assert_eq!(answer["data"], serde_json::json!({"user": "c", "account": "B", "account_name": "B"}));
        assert_eq!(values(&answer, &["/server/ver", "/server/host"]), ["\"2.15.1\"", "\"127.0.0.1\""]);
    });
}

#[test]
fn the_system_account_reads_the_pages_of_monitoring() {
    both(|desk| {
        let (mut client, _other) = (desk.client("sys"), desk.client("c"));
        let ping = ask(&mut client, "SERVER.PING", "").unwrap();
        assert_eq!(
            values(&ping, &["/statsz/connections", "/statsz/active_accounts", "/statsz/slow_consumers"]),
            ["2", "2", "0"]
        );
        let id = ping["server"]["id"].as_str().unwrap().to_owned();
        for server in ["PING", &id] {
            let page = |name: &str| format!("SERVER.{server}.{name}");
            let answer = ask(&mut client, &page("VARZ"), "").unwrap();
            assert_eq!(answer["data"]["server_id"].as_str(), Some(id.as_str()));
            let answer = ask(&mut client, &page("HEALTHZ"), "").unwrap();
            assert_eq!(answer["data"]["status"].as_str(), Some("ok"));
            let answer = ask(&mut client, &page("CONNZ"), "{\"auth\":true,\"limit\":1,\"sort\":\"cid\"}").unwrap();
            let places =
                ["/data/total", "/data/num_connections", "/data/connections/0/account", "/data/connections/0/name"];
            assert_eq!(values(&answer, &places), ["2", "1", "\"S\"", "\"n\""]);
            let answer = ask(&mut client, &page("ACCOUNTZ"), "{\"account\":\"B\"}").unwrap();
            let places = [
                "/data/system_account",
                "/data/account_detail/account_name",
                "/data/account_detail/client_connections",
            ];
            assert_eq!(values(&answer, &places), ["\"S\"", "\"B\"", "1"]);
            let answer =
                ask(&mut client, &page("SUBSZ"), "{\"subscriptions\":true,\"account\":\"B\",\"test\":\"_INBOX.x\"}")
                    .unwrap();
            assert_eq!(values(&answer, &["/data/total", "/data/subscriptions_list/0/subject"]), ["1", "\"_INBOX.*\""]);
        }
        let answer = ask(&mut client, "ACCOUNT.B.CONNZ", "").unwrap();
        assert_eq!(values(&answer, &["/data/total"]), ["1"]);
        let answer = ask(&mut client, "ACCOUNT.B.INFO", "").unwrap();
        assert_eq!(values(&answer, &["/data/account_name"]), ["\"B\""]);
        let answer = ask(&mut client, "SERVER.PING.CONNZ", "{\"cid\":").unwrap();
        assert_eq!(values(&answer, &["/error/code"]), ["400"]);
        assert_eq!(ask(&mut client, "SERVER.PING.NONSENSE", ""), None);
        // Another server is meant.
        client.say(b"PUB $SYS.REQ.SERVER.PING _INBOX.q 25\r\n{\"server_name\":\"another\"}\r\n");
        let answer = ask(&mut client, "SERVER.PING.IDZ", "").unwrap();
        assert_eq!(answer["id"].as_str(), Some(id.as_str()));
    });
}

#[test]
fn other_accounts_read_of_their_own_connections_alone() {
    both(|desk| {
        let (mut client, _other) = (desk.client("c"), desk.client("sys"));
        for subject in ["ACCOUNT.PING.CONNZ", "SERVER.PING.CONNZ"] {
            let answer = ask(&mut client, subject, "{\"acc\":\"S\",\"auth\":true}").unwrap();
            assert_ne!(answer["data"]["connections"][0]["account"].as_str(), Some("S"), "{answer}");
            let answer = ask(&mut client, subject, "{\"auth\":true}").unwrap();
            assert_eq!(values(&answer, &["/data/total", "/data/connections/0/account"]), ["1", "\"B\""]);
        }
        for subject in ["SERVER.PING", "SERVER.PING.VARZ", "ACCOUNT.S.CONNZ"] {
            assert_eq!(ask(&mut client, subject, ""), None);
        }
    });
}

#[test]
fn the_system_account_hears_who_comes_and_goes() {
    both(|desk| {
        let mut client = desk.client("sys");
        client.say(b"SUB $SYS.ACCOUNT.*.CONNECT 2\r\nSUB $SYS.ACCOUNT.B.DISCONNECT 3\r\nSUB $SYS.SERVER.*.CLIENT.AUTH.ERR 4\r\nPING\r\n");
        hear(&mut client, |text| text.contains("PONG\r\n"));
        let other = desk.client("c");
        drop(other);
        let subjects = ["$SYS.ACCOUNT.B.CONNECT", "$SYS.ACCOUNT.B.DISCONNECT"];
        let text = hear(&mut client, |text| subjects.iter().all(|subject| message(text, subject).is_some()));
        let [come, gone] = subjects.map(|subject| message(&text, subject).unwrap());
        let places =
            ["/type", "/client/acc", "/client/user", "/client/name", "/client/host", "/client/kind", "/reason"];
        let of = |kind: &str| format!("\"io.nats.server.advisory.v1.client_{kind}\"");
        let who = ["\"B\"", "\"c\"", "\"n\"", "\"127.0.0.1\"", "\"Client\""].map(str::to_owned);
        assert_eq!(values(&come, &places), [&[of("connect")][..], &who, &["null".to_owned()]].concat());
        assert_eq!(values(&gone, &places), [&[of("disconnect")][..], &who, &["\"Client Closed\"".to_owned()]].concat());
        let mut refused = desk.server.client();
        refused.say(b"CONNECT {\"user\":\"c\",\"pass\":\"wrong\"}\r\n");
        refused.rest();
        let text = hear(&mut client, |text| message(text, "$SYS.SERVER.").is_some());
        let places = ["/reason", "/client/host"];
        assert_eq!(
            values(&message(&text, "$SYS.SERVER.").unwrap(), &places),
            ["\"Authentication Failure\"", "\"127.0.0.1\""]
        );
    });
}
