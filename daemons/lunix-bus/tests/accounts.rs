//! Accounts that share streams and services: the same conversations with nats-server and with us. The reference takes part where
//! `NATS_SERVER` names its binary.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Client, Server, directory, ours, reference};
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::process::Command;

const CONFIGURATION: &str = r#"accounts {
  A {
    users: [{user: a, password: p}, {user: a2, password: p}
      {user: answers, password: p, permissions: {subscribe: "y.*", publish: {deny: ">"}, allow_responses: true}}
      {user: mute, password: p, permissions: {subscribe: "y.*", publish: "foo"}}]
    exports: [
      {stream: "s.>"}, {stream: "t.*.*"}, {service: "y.*"}, {service: "v.*.*"}
      {service: "many", response_type: Stream}, {service: "parts", response_type: "chunked"}
      {service: "short", response_type: Stream, response_threshold: "200ms"}
      {service: "own.*", account_token_position: 2}
    ]
  }
  B {
    users: [{user: b, password: p}
      {user: few, password: p, permissions: {subscribe: {allow: ["imp.>"], deny: "imp.s.no"}, publish: "foo"}}]
    imports: [
      {stream: {account: A, subject: "s.>"}, prefix: imp}
      {stream: {account: A, subject: "t.*.*"}, to: "tt.$2.x.$1"}
      {service: {account: A, subject: "y.q"}, to: "local.q"}
      {service: {account: A, subject: "y.r"}, share: true}
      {service: {account: A, subject: "v.*.*"}, to: "vv.$2.$1"}
      {service: {account: A, subject: many}}, {service: {account: A, subject: parts}}, {service: {account: A, subject: short}}
      {service: {account: A, subject: "own.B"}}
    ]
    exports: [{service: "local.q"}, {stream: "imp.>"}]
  }
  C {
    users: [{user: c, password: p}, {user: old, password: p}]
    imports: [
      {service: {account: B, subject: "local.q"}, to: "cc.q"}
      {service: {account: A, subject: "y.*"}, to: "w.*"}
      {stream: {account: B, subject: "imp.>"}}
    ]
  }
}"#;

/// Clients of one server by name, and what the last request is to be answered on.
struct Desk {
    server: Server,
    clients: BTreeMap<&'static str, Client<TcpStream>>,
    heard: BTreeMap<&'static str, String>,
    reply: String,
}

impl Desk {
    fn new(command: Command, configuration: &str, name: &str) -> Self {
        let directory = directory(name);
        let path = directory.join("bus.conf");
        std::fs::write(&path, configuration).unwrap();
        let server = Server::start(command, &["-c", path.to_str().unwrap(), "-m", "-1"]);
        std::fs::remove_dir_all(&directory).unwrap();
        Self { server, clients: BTreeMap::new(), heard: BTreeMap::new(), reply: String::new() }
    }

    /// The client of this name, who is the user of that name; one called `old` reads no headers.
    fn client(&mut self, name: &'static str) -> &mut Client<TcpStream> {
        let server = &self.server;
        self.clients.entry(name).or_insert_with(|| {
            let headers = name != "old";
            let mut client = server.client();
            client.expect("\r\n");
            let connect = format!(
                "CONNECT {{\"verbose\":false,\"pedantic\":false,\"user\":\"{name}\",\"pass\":\"p\",\"name\":\"n\",\
                 \"headers\":{headers},\"no_responders\":{headers}}}\r\nPING\r\n"
            );
            client.say(connect.as_bytes());
            client.expect("PONG\r\n");
            client
        })
    }

    /// `who` says something; `{R}` is the subject of the last request's answer.
    fn say(&mut self, who: &'static str, text: &str) {
        let text = text.replace("{R}", &self.reply).replace('\n', "\r\n");
        self.client(who).say(text.as_bytes());
        self.listen(who);
    }

    /// Adds a message to what `who` says, with header lines if there are any.
    fn publish(&mut self, who: &'static str, to: &str, headers: &str, payload: &str) {
        if headers.is_empty() {
            return self.say(who, &format!("PUB {to} {}\n{payload}\n", payload.len()));
        }
        let block = format!("NATS/1.0\n{headers}\n\n");
        let len = block.len() + block.matches('\n').count();
        self.say(who, &format!("HPUB {to} {len} {}\n{block}{payload}\n", len + payload.len()));
    }

    /// Reads what the server has for `who` up to now.
    fn listen(&mut self, who: &'static str) {
        let client = self.client(who);
        client.say(b"PING\r\n");
        // The server's own PING may come at any time.
        let (bytes, ended) = client.read_until(|seen| seen.windows(6).any(|six| six == b"PONG\r\n"));
        assert!(!ended, "{who}");
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace("PONG\n", "").replace("PING\n", "");
        if let Some(reply) = text.split([' ', '\n']).rfind(|word| word.starts_with("_R_.")) {
            reply.clone_into(&mut self.reply);
        }
        self.heard.entry(who).or_default().push_str(&normal(&text));
    }

    /// What `who` has heard since the last time, `expected`. What differs from run to run is left out.
    fn hears(&mut self, who: &'static str, expected: &str) {
        assert_eq!(self.takes(who), expected, "{who}");
    }

    fn takes(&mut self, who: &'static str) -> String {
        self.listen(who);
        self.heard.remove(who).unwrap_or_default()
    }
}

/// The text without subjects made up for answers, lengths of headers and what `Nats-Request-Info` tells of this very connection.
fn normal(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let words = line.split(' ').map(|word| if word.starts_with("_R_.") { "_R_" } else { word });
        let mut words: Vec<&str> = words.collect();
        if words.first() == Some(&"HMSG") {
            words.truncate(words.len() - 2);
        }
        lines.push(match line.strip_prefix("Nats-Request-Info: ") {
            Some(json) => {
                let mut info: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
                for key in ["rtt", "start", "id", "server"] {
                    if let Some(value) = info.get_mut(key).filter(|_| key != "rtt") {
                        *value = "x".into();
                    }
                }
                info.remove("rtt");
                format!("Nats-Request-Info: {}", serde_json::Value::Object(info))
            }
            None => words.join(" "),
        });
    }
    lines.join("\n")
}

/// Has the conversation with the reference, if it is there, and with us.
fn both(name: &str, conversation: impl Fn(&mut Desk, bool)) {
    if let Some(command) = reference() {
        conversation(&mut Desk::new(command, CONFIGURATION, name), true);
    }
    conversation(&mut Desk::new(ours(), CONFIGURATION, name), false);
}

#[test]
fn a_stream_is_read_under_the_importer_s_own_subjects() {
    both("streams", |desk, _| {
        desk.say("b", "SUB imp.s.* 1\nSUB tt.q.> 2\nSUB tt.no.> 3\n");
        desk.say("few", "SUB imp.> 1\n");
        desk.say("a", "PUB s.one r 1\n1\nPUB s.two.deep 1\n2\nPUB t.r.q 1\n3\nPUB s.no 1\n4\nPUB other 1\n5\n");
        desk.hears("b", "MSG imp.s.one 1 r 1\n1\nMSG tt.q.x.r 2 1\n3\nMSG imp.s.no 1 1\n4\n");
        desk.hears("few", "MSG imp.s.one 1 r 1\n1\nMSG imp.s.two.deep 1 1\n2\n");
        // What is imported is not passed on, and does not flow back.
        desk.say("c", "SUB imp.> 1\n");
        desk.say("a2", "SUB s.> 1\n");
        desk.say("a", "PUB s.x 1\n1\n");
        desk.hears("c", "");
        desk.say("b", "PUB imp.s.y 1\n2\n");
        desk.hears("c", "MSG imp.s.y 1 1\n2\n");
        desk.hears("a2", "MSG s.x 1 1\n1\n");
    });
}

#[test]
fn a_queue_group_reaches_across_accounts() {
    both("queues", |desk, _| {
        desk.say("b", "SUB imp.s.q g 1\n");
        desk.say("a2", "SUB s.q g 1\n");
        desk.say("a", &"PUB s.q 0\n\n".repeat(100));
        let [there, here] = ["b", "a2"].map(|who| desk.takes(who).matches("MSG").count());
        assert_eq!(there + here, 100);
        assert!(there >= 20 && here >= 20, "{there} and {here}");
    });
}

#[test]
fn subscriptions_end_with_their_shadows() {
    both("shadows", |desk, is_reference| {
        desk.say("b", "SUB imp.s.* 1\nUNSUB 1\nSUB imp.s.* 2\nUNSUB 2 2\n");
        desk.say("a", "PUB s.x 1\n1\n");
        desk.hears("b", "MSG imp.s.x 2 1\n1\n");
        desk.say("b", "UNSUB 2\n");
        desk.say("a", "PUB s.x 1\n2\n");
        desk.hears("b", "");
        desk.say("b", "SUB imp.s.* 3\nUNSUB 3 2\n");
        desk.say("a", "PUB s.x 1\n1\nPUB s.x 1\n2\nPUB s.x 1\n3\n");
        // The reference does not count what comes from other accounts, and goes on.
        let third = if is_reference { "MSG imp.s.x 3 1\n3\n" } else { "" };
        desk.hears("b", &format!("MSG imp.s.x 3 1\n1\nMSG imp.s.x 3 1\n2\n{third}"));
    });
}

#[test]
fn a_service_is_asked_and_its_answer_comes_back() {
    both("services", |desk, _| {
        desk.say("a", "SUB y.* 1\nSUB v.> 2\nSUB own.* 3\n");
        desk.say("b", "SUB inbox.* 9\n");
        desk.publish("b", "local.q inbox.1", "", "x");
        desk.hears("a", "HMSG y.q 1 _R_\nNATS/1.0\nNats-Request-Info: {\"acc\":\"B\"}\n\nx\n");
        desk.say("a", "PUB {R} 2\nhi\nPUB {R} 5\ntwice\n");
        desk.hears("b", "MSG inbox.1 9 2\nhi\n");
        let who = "{\"acc\":\"B\",\"client_type\":\"nats\",\"host\":\"127.0.0.1\",\"id\":\"x\",\"kind\":\"Client\",\
                   \"name\":\"n\",\"server\":\"x\",\"start\":\"x\",\"user\":\"b\"}";
        desk.publish("b", "y.r inbox.2", "", "");
        desk.hears("a", &format!("HMSG y.r 1 _R_\nNATS/1.0\nNats-Request-Info: {who}\n\n\n"));
        desk.publish("a", "{R}", "Foo: bar", "hi");
        desk.hears("b", "HMSG inbox.2 9\nNATS/1.0\nFoo: bar\n\nhi\n");
        desk.publish("b", "vv.one.two", "", "");
        desk.hears("a", "HMSG v.two.one 2\nNATS/1.0\nNats-Request-Info: {\"acc\":\"B\"}\n\n\n");
        desk.publish("b", "own.B", "K: v", "");
        desk.hears("a", "HMSG own.B 3\nNATS/1.0\nK: v\nNats-Request-Info: {\"acc\":\"B\"}\n\n\n");
        // A pretended one is taken away.
        desk.publish("b", "own.B", "A: 1\nNats-Request-Info: {\"acc\":\"X\"}\nB: 2", "");
        desk.hears("a", "HMSG own.B 3\nNATS/1.0\nA: 1\nB: 2\nNats-Request-Info: {\"acc\":\"B\"}\n\n\n");
    });
}

#[test]
fn a_request_passes_through_several_accounts() {
    both("chains", |desk, _| {
        desk.say("c", "SUB inbox.* 9\n");
        let nobody = |subject: &str| format!("HMSG inbox.1 9\nNATS/1.0 503\nNats-Subject: {subject}\n\n\n");
        for subject in ["cc.q", "w.x", "nothing"] {
            desk.publish("c", &format!("{subject} inbox.1"), "", "");
            desk.hears("c", &nobody(subject));
        }
        desk.say("a", "SUB y.* 1\n");
        desk.publish("c", "cc.q inbox.1", "", "x");
        desk.hears("a", "HMSG y.q 1 _R_\nNATS/1.0\nNats-Request-Info: {\"acc\":\"C\",\"svc\":\"B\"}\n\nx\n");
        desk.say("a", "PUB {R} 2\nhi\n");
        desk.hears("c", "MSG inbox.1 9 2\nhi\n");
        // An answer may ask for an answer.
        desk.publish("c", "w.z inbox.2", "", "x");
        desk.hears("a", "HMSG y.z 1 _R_\nNATS/1.0\nNats-Request-Info: {\"acc\":\"C\"}\n\nx\n");
        desk.say("a", "SUB back 2\nPUB {R} back 2\nhi\n");
        desk.hears("c", "MSG inbox.2 9 _R_ 2\nhi\n");
        desk.say("c", "PUB {R} 3\nyes\n");
        desk.hears("a", "MSG back 2 3\nyes\n");
        desk.say("c", "PUB {R} 3\nyes\n");
        desk.hears("a", "");
        desk.say("old", "SUB inbox.* 9\nPUB w.y inbox.3 1\nx\n");
        desk.hears("a", "HMSG y.y 1 _R_\nNATS/1.0\nNats-Request-Info: {\"acc\":\"C\"}\n\nx\n");
        desk.publish("a", "{R}", "Foo: bar", "hi");
        desk.hears("old", "MSG inbox.3 9 2\nhi\n");
    });
}

#[test]
fn some_services_answer_more_than_once() {
    both("responses", |desk, _| {
        desk.say("a", "SUB many 1\nSUB parts 2\nSUB short 3\n");
        desk.say("b", "SUB inbox.* 9\n");
        for (sid, service) in [(1, "many"), (2, "parts")] {
            desk.publish("b", &format!("{service} inbox.1"), "", "");
            desk.hears("a", &format!("HMSG {service} {sid} _R_\nNATS/1.0\nNats-Request-Info: {{\"acc\":\"B\"}}\n\n\n"));
            desk.say("a", "PUB {R} 1\n1\nPUB {R} 1\n2\n");
            desk.publish("a", "{R}", "K: v", "");
            desk.say("a", "PUB {R} 0\n\nPUB {R} 1\n3\n");
            let heard =
                "MSG inbox.1 9 1\n1\nMSG inbox.1 9 1\n2\nHMSG inbox.1 9\nNATS/1.0\nK: v\n\n\nMSG inbox.1 9 0\n\n";
            desk.hears("b", heard);
        }
        desk.publish("b", "short inbox.2", "", "");
        desk.hears("a", "HMSG short 3 _R_\nNATS/1.0\nNats-Request-Info: {\"acc\":\"B\"}\n\n\n");
        desk.say("a", "PUB {R} 1\n1\n");
        desk.hears("b", "MSG inbox.2 9 1\n1\n");
        let start = std::time::Instant::now();
        while desk.server.json("/accountz?acc=A")["account_detail"].get("responses").is_some() {
            assert!(start.elapsed() < common::DEADLINE, "the answer never expires");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        desk.say("a", "PUB {R} 1\n2\n");
        desk.hears("b", "");
    });
}

#[test]
fn permissions_hold_on_both_sides() {
    both("permissions", |desk, _| {
        let violation = |what: &str| format!("-ERR 'Permissions Violation for {what}'\n");
        desk.say("few", "PUB local.q foo 0\n\nSUB imp.s.no 1\nSUB > 2\n");
        let refused = ["Publish to \"local.q\"", "Subscription to \"imp.s.no\"", "Subscription to \">\""];
        desk.hears("few", &refused.map(violation).concat());
        desk.say("b", "SUB inbox.* 9\n");
        let asked = "HMSG y.q 1 _R_\nNATS/1.0\nNats-Request-Info: {\"acc\":\"B\"}\n\n\n";
        desk.say("answers", "SUB y.* 1\n");
        desk.publish("b", "local.q inbox.1", "", "");
        desk.hears("answers", asked);
        desk.say("answers", "PUB {R} 2\nhi\nUNSUB 1\n");
        desk.hears("b", "MSG inbox.1 9 2\nhi\n");
        desk.say("mute", "SUB y.* 1\n");
        desk.publish("b", "local.q inbox.1", "", "");
        desk.hears("mute", asked);
        desk.say("mute", "PUB {R} 0\n\n");
        assert!(desk.takes("mute").starts_with("-ERR 'Permissions Violation for Publish to \"_R_."));
        desk.hears("b", "");
    });
}

#[test]
fn imports_come_and_go_with_a_new_configuration() {
    let check = |command: Command| {
        let directory = directory("sharing-reload");
        let path = directory.join("bus.conf");
        let write = |imports: &str| {
            let text = format!(
                "accounts {{\n A {{ users: [{{user: a, password: p}}], exports: [{{stream: \"s.>\"}}, {{service: y}}] }}\n \
                 B {{ users: [{{user: b, password: p}}]\n imports: [{imports}] }}\n}}"
            );
            std::fs::write(&path, text).unwrap();
        };
        write("{stream: {account: A, subject: \"s.>\"}}");
        let server = Server::start(command, &["-c", path.to_str().unwrap()]);
        let (clients, heard) = (BTreeMap::new(), BTreeMap::new());
        let mut desk = Desk { server, clients, heard, reply: String::new() };
        desk.say("a", "SUB y 1\n");
        desk.say("b", "SUB s.* 1\nSUB p.s.* 2\n");
        let mut next = |imports: &str, stream: &str, service: &str| {
            desk.say("a", "PUB s.x 1\n1\n");
            desk.hears("b", stream);
            desk.say("b", "PUB y 1\n2\n");
            desk.hears("a", service);
            write(imports);
            desk.server.signal("HUP");
            desk.server.log_line("Reloaded server configuration");
        };
        let service = "{service: {account: A, subject: y}}";
        next(service, "MSG s.x 1 1\n1\n", "");
        let asked = "HMSG y 1\nNATS/1.0\nNats-Request-Info: {\"acc\":\"B\"}\n\n2\n";
        next("{stream: {account: A, subject: \"s.>\"}, prefix: p}", "", asked);
        next(service, "MSG p.s.x 2 1\n1\n", "");
        std::fs::remove_dir_all(&directory).unwrap();
    };
    if let Some(command) = reference() {
        check(command);
    }
    check(ours());
}

#[test]
fn sharing_that_cannot_be_is_refused_at_its_place() {
    let table = [
        (
            "",
            "{stream: {account: A, subject: x}}",
            "3:14: error adding stream import \"x\": stream import not authorized",
        ),
        (
            "{service: x, accounts: [A]}",
            "{service: {account: A, subject: x}}",
            "3:14: error adding service import \"x\"",
        ),
        ("{stream: \"x.*\"}", "{stream: {account: A, subject: \"x.>\"}}", "stream import not authorized"),
        ("", "{stream: {account: Z, subject: x}}", "3:14: account \"Z\" is not defined"),
        ("{stream: x, accounts: [Z]}", "", "2:14: account \"Z\" is not defined"),
        ("{stream: x, service: y}", "", "2:14: either a stream or a service is expected"),
        (
            "{service: \"x.*\"}",
            "{service: {account: A, subject: \"x.*\"}, to: y}",
            "3:14: subjects do not fit together",
        ),
        ("{stream: x}", "{stream: {account: A, subject: x}, prefix: \"a.*\"}", "3:14: a prefix cannot hold wildcards"),
        ("{service: x, response_type: some}", "", "2:42: unknown response type \"some\""),
        (
            "{service: x}, {service: y}",
            "{service: {account: A, subject: x}, to: q}, {service: {account: A, subject: y}, to: q}",
            "3:58: error adding service import \"y\": service import already exists",
        ),
        (
            "{service: x}], imports: [{service: {account: B, subject: x}}",
            "{service: {account: A, subject: x}}], exports: [{service: x}",
            "import forms a cycle",
        ),
    ];
    let directory = directory("sharing-refused");
    let path = directory.join("bus.conf");
    for (exports, imports, expected) in table {
        let text = format!("accounts {{\nA {{exports: [{exports}]}}\nB {{imports: [{imports}]}}\n}}");
        std::fs::write(&path, &text).unwrap();
        for command in reference().into_iter().chain([ours()]) {
            let is_ours = command.get_program() == ours().get_program();
            let mut command = command;
            let output = command.args(["-p", "-1", "-a", "127.0.0.1", "-t", "-c"]).arg(&path).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{text}");
            assert!(!is_ours || said.contains(expected), "{said} for {text}");
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
