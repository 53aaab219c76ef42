//! The same bytes to nats-server and to us, the same answers and the same closing. The reference takes part where `NATS_SERVER`
//! names its binary; the table of what is expected stands without it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{Server, directory, ours, reference};
use std::process::Command;

/// What a client says, and what it hears after its INFO. `…` stands for the second INFO, `<end>` for the closed connection.
type Case = (&'static [u8], &'static str);

const DEFAULTS: &[Case] = &[
    (b"CONNECT {}\r\n", "+OK\r\n"),
    (b"CONNECT {\"protocol\":1}\r\nPING\r\n", "+OK\r\nPONG\r\n…"),
    (b"CONNECT {\"protocol\":1,\"verbose\":false}\r\nPING\r\nPING\r\n", "PONG\r\n…PONG\r\n"),
    (b"CONNECT {\"protocol\":1}\r\nCONNECT {\"protocol\":0}\r\nPING\r\n", "+OK\r\n+OK\r\nPONG\r\n"),
    (b"PING\r\n", "PONG\r\n"),
    (b"CONNECT {bad\r\n", "<end>"),
    (b"CONNECT \r\n", "<end>"),
    (b"CONNECT []\r\n", "<end>"),
    (b"CONNECT null\r\n", "+OK\r\n"),
    (b"CONNECT {\"verbose\":\"yes\"}\r\n", "<end>"),
    (b"CONNECT {\"verbose\":null}\r\n", "+OK\r\n"),
    (b"CONNECT {\"VERBOSE\":false}\r\nPING\r\n", "PONG\r\n"),
    (b"CONNECT {\"protocol\":22}\r\n", "-ERR 'invalid client protocol'\r\n<end>"),
    (b"CONNECT {\"protocol\":-1}\r\n", "-ERR 'invalid client protocol'\r\n<end>"),
    (b"CONNECT {\"protocol\":1.0}\r\n", "<end>"),
    (b"CONNECT {\"no_responders\":true}\r\n", "-ERR 'no responders requires headers support'\r\n<end>"),
    (b"SUB foo. 1\r\nPING\r\n", "-ERR 'Invalid Subject'\r\nPONG\r\n"),
    (b"SUB .foo 1\r\nSUB a..b 1\r\nSUB a.>.b 1\r\nPING\r\n", "-ERR 'Invalid Subject'\r\n-ERR 'Invalid Subject'\r\n-ERR 'Invalid Subject'\r\nPONG\r\n"),
    (b"CONNECT {\"pedantic\":true}\r\nPUB foo.* 1\r\nx\r\n", "+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n"),
    (b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB foo.> 1\r\nPUB foo.* 1\r\nx\r\nPUB foo.> 1\r\ny\r\nPUB foo. 1\r\nz\r\nPUB .foo 0\r\n\r\nPING\r\n", "MSG foo.* 1 1\r\nx\r\nMSG foo.> 1 1\r\ny\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB a*b 1\r\nPUB a*b 1\r\nx\r\nPUB axb 1\r\nx\r\nPING\r\n", "MSG a*b 1 1\r\nx\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB x 1\r\nSUB x 1\r\nSUB y 1\r\nPUB x 1\r\nx\r\nPUB y 1\r\ny\r\nPING\r\n", "MSG x 1 1\r\nx\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB x 1\r\nUNSUB 1 2\r\nPUB x 1\r\n1\r\nPUB x 1\r\n2\r\nPUB x 1\r\n3\r\nPING\r\n", "MSG x 1 1\r\n1\r\nMSG x 1 1\r\n2\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB x 1\r\nPUB x 1\r\n1\r\nPUB x 1\r\n2\r\nUNSUB 1 2\r\nPUB x 1\r\n3\r\nPING\r\n", "MSG x 1 1\r\n1\r\nMSG x 1 1\r\n2\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB x 1\r\nUNSUB 1 1\r\nUNSUB 1 3\r\nPUB x 1\r\n1\r\nPUB x 1\r\n2\r\nPUB x 1\r\n3\r\nPUB x 1\r\n4\r\nPING\r\n", "MSG x 1 1\r\n1\r\nMSG x 1 1\r\n2\r\nMSG x 1 1\r\n3\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB x 1\r\nUNSUB 1 xx\r\nPUB x 0\r\n\r\nPING\r\n", "PONG\r\n"),
    (b"UNSUB 9\r\nUNSUB 9 -1\r\nPING\r\n", "+OK\r\n+OK\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false,\"echo\":false}\r\nSUB a 1\r\nSUB a q 2\r\nPUB a 0\r\n\r\nPING\r\n", "PONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB a 1 \r\nPUB a \t b  2\r\nhi\r\nPING\r\n", "MSG a 1 b 2\r\nhi\r\nPONG\r\n"),
    (b"connect {\"verbose\":false}\r\nsub\ta  sid-x.y \r\npub a 0\r\n\r\nPing\r\n", "MSG a sid-x.y 0\r\n\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPUB a 4\r\n\r\n\x00\xff\r\nPING\r\n", "MSG a 1 4\r\n\r\n\x00\u{fffd}\r\nPONG\r\n"),
    (b"CONNECT {\"headers\":true,\"verbose\":false}\r\nSUB x 1\r\nHPUB x 0 0\r\n\r\nHPUB x r 2 3\r\nabc\r\nPING\r\n", "MSG x 1 0\r\n\r\nHMSG x 1 r 2 3\r\nabc\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nHPUB x 2 3\r\nabc\r\n", "<end>"),
    (b"CONNECT {\"headers\":true}\r\nHPUB a 3 2\r\nab\r\n", "+OK\r\n<end>"),
    (b"CONNECT {\"headers\":true}\r\nHPUB a 1 1048577\r\n", "+OK\r\n-ERR 'Maximum Payload Violation'\r\n<end>"),
    (b"CONNECT {\"no_responders\":true,\"headers\":true,\"verbose\":false}\r\nSUB r 1\r\nPUB x r 0\r\n\r\nPING\r\n", "HMSG r 1 33 33\r\nNATS/1.0 503\r\nNats-Subject: x\r\n\r\n\r\nPONG\r\n"),
    (b"CONNECT {\"no_responders\":true,\"headers\":true,\"verbose\":false}\r\nSUB r q 1\r\nPUB x r 0\r\n\r\nPING\r\n", "PONG\r\n"),
    (b"CONNECT {\"no_responders\":true,\"headers\":true,\"verbose\":false,\"echo\":false}\r\nSUB r 1\r\nSUB x 2\r\nPUB x r 0\r\n\r\nPING\r\n", "HMSG r 1 33 33\r\nNATS/1.0 503\r\nNats-Subject: x\r\n\r\n\r\nPONG\r\n"),
    (b"UNSUB\r\n", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"UNSUB \r\n", "<end>"),
    (b"UNSUB 1 2 3\r\n", "<end>"),
    (b"SUB a\r\n", "<end>"),
    (b"SUB a b c d\r\n", "<end>"),
    (b"PUB a\r\n", "<end>"),
    (b"PUB a -1\r\n", "<end>"),
    (b"PUB a 9223372036854775808\r\n", "<end>"),
    (b"PUB a 1048577\r\n", "-ERR 'Maximum Payload Violation'\r\n<end>"),
    (b"PUB a 1\r\nxyz", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"GET / HTTP/1.1\r\n\r\n", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"\r\n", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"PUBS", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"SUBZZZ", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"MSG a 1 0\r\n", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"LS+ a\r\n", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"+OK\r\nINFO {}\r\nPONG\r\nPINGPING\r\n", "PONG\r\n"),
    (b"-ERR 'x'\r\n", "<end>"),
    (b"INFO x\r\n", "<end>"),
    (b"INFO\r\n", "<end>"),
    (b"-ERR\r\n", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"SUB a 1\r\nCONNECT {\"verbose\":false}\r\nPUB a 0\r\n\r\nPING\r\n", "+OK\r\nMSG a 1 0\r\n\r\nPONG\r\n"),
    (b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nCONNECT {}\r\nPUB a 0\r\n\r\nPING\r\n", "PONG\r\n"),
];

const CLOSED: &[Case] = &[
    (b"PING\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"PUBZ", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {\"user\":\"a\",\"pass\":\"c\"}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {\"protocol\":9}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {bad\r\n", "<end>"),
    (b"CONNEXT", "-ERR 'Unknown Protocol Operation'\r\n<end>"),
    (b"CONNECT {\"user\":\"a\",\"pass\":\"b\"}\r\nPING\r\n", "+OK\r\nPONG\r\n"),
    (
        b"CONNECT {\"user\":\"a\",\"pass\":\"b\"}\r\nCONNECT {\"user\":\"a\",\"pass\":\"x\"}\r\n",
        "+OK\r\n-ERR 'Authorization Violation'\r\n<end>",
    ),
    (b"", "-ERR 'Authentication Timeout'\r\n<end>"),
];

const LIMITED: &[Case] = &[
    (b"SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nPING\r\n", "+OK\r\n+OK\r\n-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n"),
    (b"PUB a 11\r\n", "-ERR 'Maximum Payload Violation'\r\n<end>"),
    (b"SUB aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "-ERR 'maximum control line exceeded'\r\n<end>"),
    (b"SUB                                                     a 1\r\nPING\r\n", "+OK\r\nPONG\r\n"),
    (
        b"CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"abc\"}\r\n",
        "-ERR 'maximum control line exceeded'\r\n<end>",
    ),
];

const USERS: &str = r#"authorization {
  timeout: 5
  default_permissions { publish: "d.>", subscribe: ["d.>", "_INBOX.>"] }
  users: [
    {user: a, password: p, permissions: {
      publish: {allow: ["pub.*", "x"], deny: "pub.no"}
      subscribe: {allow: ["s.>", "bar.*", "qq q1", "_INBOX.>"], deny: ["s.no", "s.no2.*"]}}}
    {user: b, password: p}
    {user: all, password: p, permissions: {publish: ">", subscribe: ">"}}
    {user: deny, password: p, permissions: {subscribe: {deny: ["foo q1", "no.*"]}}}
    {user: once, password: p, permissions: {subscribe: "req", publish: {deny: "never"}, allow_responses: true}}
    {user: self, password: p, permissions: {publish: ["req", "in"], subscribe: ["req", "in"], allow_responses: {max: 2, expires: "1m"}}}
  ]
}"#;

macro_rules! as_user {
    ($user:literal, $rest:literal) => {
        concat!(
            "CONNECT {\"verbose\":false,\"headers\":true,\"user\":\"",
            $user,
            "\",\"pass\":\"p\"}\r\n",
            $rest,
            "PING\r\n"
        )
        .as_bytes()
    };
}

const PERMITTED: &[Case] = &[
    (as_user!("a", "PUB pub.x 0\r\n\r\nPUB x r 0\r\n\r\n"), "PONG\r\n"),
    (as_user!("a", "PUB pub.no 0\r\n\r\n"), "-ERR 'Permissions Violation for Publish to \"pub.no\"'\r\nPONG\r\n"),
    (as_user!("a", "PUB pub.a.b 0\r\n\r\n"), "-ERR 'Permissions Violation for Publish to \"pub.a.b\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB s.a 1\r\nSUB s.> 2\r\nSUB bar.* 3\r\nSUB s.* 4\r\nSUB s.x q 5\r\nSUB qq q1 6\r\n"), "PONG\r\n"),
    (as_user!("a", "SUB s.no 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"s.no\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB s.no2.> 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"s.no2.>\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB s.no2.* 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"s.no2.*\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB > 1\r\n"), "-ERR 'Permissions Violation for Subscription to \">\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB * 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"*\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB *.no 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"*.no\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB bar.a.b 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"bar.a.b\"'\r\nPONG\r\n"),
    (as_user!("a", "SUB qq 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"qq\"'\r\nPONG\r\n"),
    (
        as_user!("a", "SUB qq q2 1\r\n"),
        "-ERR 'Permissions Violation for Subscription to \"qq\" using queue \"q2\"'\r\nPONG\r\n",
    ),
    (
        as_user!("a", "SUB s.no q 1\r\n"),
        "-ERR 'Permissions Violation for Subscription to \"s.no\" using queue \"q\"'\r\nPONG\r\n",
    ),
    (as_user!("a", "SUB s. 1\r\n"), "-ERR 'Permissions Violation for Subscription to \"s.\"'\r\nPONG\r\n"),
    (
        as_user!("b", "SUB d.a 1\r\nSUB e 2\r\nPUB d.a 0\r\n\r\nPUB e 0\r\n\r\n"),
        "-ERR 'Permissions Violation for Subscription to \"e\"'\r\nMSG d.a 1 0\r\n\r\n-ERR 'Permissions Violation for Publish to \"e\"'\r\nPONG\r\n",
    ),
    (as_user!("all", "SUB > 1\r\nPUB e 0\r\n\r\n"), "MSG e 1 0\r\n\r\nPONG\r\n"),
    (
        as_user!("deny", "SUB foo q1 1\r\n"),
        "-ERR 'Permissions Violation for Subscription to \"foo\" using queue \"q1\"'\r\nPONG\r\n",
    ),
    (
        as_user!("deny", "SUB foo q2 1\r\nSUB foo 2\r\nPUB foo 0\r\n\r\n"),
        "MSG foo 2 0\r\n\r\nMSG foo 1 0\r\n\r\nPONG\r\n",
    ),
    (
        as_user!("deny", "SUB > 1\r\nPUB no.a 0\r\n\r\nPUB no.a.b 0\r\n\r\nPUB yes 0\r\n\r\n"),
        "MSG no.a.b 1 0\r\n\r\nMSG yes 1 0\r\n\r\nPONG\r\n",
    ),
    (
        as_user!("once", "SUB req 1\r\nPUB foo 0\r\n\r\n"),
        "-ERR 'Permissions Violation for Publish to \"foo\"'\r\nPONG\r\n",
    ),
    (
        as_user!("self", "SUB req 1\r\nPUB req r 0\r\n\r\nPUB r 0\r\n\r\nPUB r 0\r\n\r\nPUB r 0\r\n\r\n"),
        "MSG req 1 r 0\r\n\r\n-ERR 'Permissions Violation for Publish to \"r\"'\r\nPONG\r\n",
    ),
    (
        b"CONNECT {\"user\":\"a\",\"pass\":\"p\"}\r\nPUB y 0\r\n\r\nSUB y 1\r\nPUB x 0\r\n\r\n",
        "+OK\r\n-ERR 'Permissions Violation for Publish to \"y\"'\r\n-ERR 'Permissions Violation for Subscription to \"y\"'\r\n+OK\r\n",
    ),
    (b"CONNECT {\"user\":\"a\",\"pass\":\"x\"}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {\"user\":\"zz\",\"pass\":\"p\"}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {\"auth_token\":\"p\"}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"PING\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
];

const GUESTS: &[Case] = &[
    (
        b"CONNECT {\"verbose\":false}\r\nPUB x 0\r\n\r\nSUB g.a 1\r\nPUB g.a 0\r\n\r\nPING\r\n",
        "-ERR 'Permissions Violation for Publish to \"x\"'\r\nMSG g.a 1 0\r\n\r\nPONG\r\n",
    ),
    (b"CONNECT {\"verbose\":false,\"user\":\"a\",\"pass\":\"p\"}\r\nPUB x 0\r\n\r\nPING\r\n", "PONG\r\n"),
    (b"CONNECT {\"user\":\"a\",\"pass\":\"x\"}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
    (b"CONNECT {\"user\":\"guest\"}\r\n", "-ERR 'Authorization Violation'\r\n<end>"),
];

/// Takes the first INFO away and shortens the second.
fn normal(heard: &[u8]) -> String {
    let text = String::from_utf8_lossy(heard);
    let mut out = String::new();
    for (number, line) in text.split_inclusive("\r\n").enumerate() {
        match line.strip_prefix("INFO {") {
            Some(_) if number == 0 => {}
            Some(info)
                if info.contains("\"connect_info\":true,\"remote_account\":\"$G\"") && info.ends_with("} \r\n") =>
            {
                out.push('…');
            }
            Some(_) | None => out.push_str(line),
        }
    }
    out
}

fn check(name: &str, server: &Server, cases: &[Case]) -> Vec<String> {
    let mut wrong = Vec::new();
    for &(said, expected) in cases {
        let mut client = server.client();
        client.say(said);
        let ends = expected.ends_with("<end>");
        let (heard, ended) = client.read_until(|seen| !ends && normal(seen).len() >= expected.len());
        let heard = normal(&heard) + if ended { "<end>" } else { "" };
        if heard != expected {
            wrong.push(format!("{name}: {}\n  heard    {heard:?}\n  expected {expected:?}", said.escape_ascii()));
        }
    }
    wrong
}

fn compare(name: &str, configuration: &str, cases: &[Case]) {
    let directory = directory(name);
    let file = directory.join("nats.conf");
    std::fs::write(&file, configuration).unwrap();
    let arguments = ["-c", file.to_str().unwrap()];
    let start = |command: Command| Server::start(command, &arguments);
    let mut wrong = check("lunix-bus", &start(ours()), cases);
    match reference() {
        Some(command) => wrong.extend(check("nats-server", &start(command), cases)),
        None => testkit::skip::note(name, "NATS_SERVER does not name nats-server's program"),
    }
    std::fs::remove_dir_all(&directory).unwrap();
    if !wrong.is_empty() {
        panic!("{}", wrong.join("\n"));
    }
}

#[test]
fn defaults() {
    compare("defaults", "", DEFAULTS);
}

#[test]
fn with_credentials() {
    compare("closed", "authorization { user: a, password: b, timeout: 1 }", CLOSED);
}

#[test]
fn with_users_and_their_permissions() {
    compare("users", USERS, PERMITTED);
}

#[test]
fn with_a_user_for_those_who_name_none() {
    let users = r#"no_auth_user: guest
authorization { users: [
  {user: guest, password: g, permissions: {publish: "g.>", subscribe: "g.>"}}
  {user: a, password: p}
] }"#;
    compare("guests", users, GUESTS);
}

/// Clients look at `auth_required` before they send credentials.
#[test]
fn the_first_info_tells_whether_credentials_are_needed() {
    let users = "authorization { users: [{user: a, password: p}] }";
    for (configuration, needed) in [(users.to_owned(), true), (format!("no_auth_user: a\n{users}"), false)] {
        let directory = directory(if needed { "needed" } else { "free" });
        let file = directory.join("nats.conf");
        std::fs::write(&file, configuration).unwrap();
        for command in reference().into_iter().chain([ours()]) {
            let server = Server::start(command, &["-c", file.to_str().unwrap()]);
            assert_eq!(server.client().expect("} \r\n").contains("\"auth_required\":true"), needed);
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

/// The one place where we differ on purpose: the reference lets whoever may read `bar.*` subscribe to `bar.>`.
#[test]
fn a_pattern_wider_than_what_is_allowed_is_refused() {
    let said = as_user!("a", "SUB bar.> 1\r\n");
    let directory = directory("wider");
    let file = directory.join("nats.conf");
    std::fs::write(&file, USERS).unwrap();
    for (command, refused) in [(Some(ours()), true), (reference(), false)] {
        let Some(command) = command else { continue };
        let server = Server::start(command, &["-c", file.to_str().unwrap()]);
        let mut client = server.client();
        client.say(said);
        let (heard, _) = client.read_until(|seen| seen.ends_with(b"PONG\r\n"));
        let told = normal(&heard).contains("Permissions Violation for Subscription to \"bar.>\"");
        assert_eq!(told, refused);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

/// A changed password cuts, changed permissions end subscriptions, what did not change stays.
#[test]
fn a_reload_applies_to_those_who_are_there() {
    let users = |c: &str, sub: &str| {
        format!(
            "authorization {{ users: [\n {{user: a, password: p, permissions: {{subscribe: [{sub}]}}}}\n \
             {{user: b, password: p}}\n {{user: c, password: {c}}}\n] }}"
        )
    };
    for command in reference().into_iter().chain([ours()]) {
        let directory = directory("reload-users");
        let file = directory.join("nats.conf");
        std::fs::write(&file, users("p", "one, two")).unwrap();
        let mut server = Server::start(command, &["-c", file.to_str().unwrap()]);
        let [mut a, mut b, mut c] = ["a", "b", "c"].map(|user| {
            let mut client = server.client();
            client.expect("\r\n");
            client.say(format!("CONNECT {{\"verbose\":false,\"user\":\"{user}\",\"pass\":\"p\"}}\r\n").as_bytes());
            client.ping();
            client
        });
        a.say(b"SUB one 1\r\nSUB two 2\r\n");
        a.ping();
        std::fs::write(&file, users("changed", "one")).unwrap();
        server.signal("HUP");
        server.log_line("Reloaded server configuration");
        assert!(c.rest().ends_with("-ERR 'Authorization Violation'\r\n"));
        assert_eq!(a.expect("\r\n"), "-ERR 'Permissions Violation for Subscription to \"two\" (sid \"2\")'\r\n");
        b.say(b"PUB two 0\r\n\r\nPUB one 0\r\n\r\n");
        b.ping();
        assert_eq!(a.expect("\r\n\r\n"), "MSG one 1 0\r\n\r\n");
        a.say(b"SUB two 3\r\n");
        assert_eq!(a.expect("\r\n"), "-ERR 'Permissions Violation for Subscription to \"two\"'\r\n");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

#[test]
fn with_small_limits() {
    compare("limited", "max_subscriptions: 2\nmax_payload: 10\nmax_control_line: 40", LIMITED);
}

#[test]
fn the_first_info_has_the_keys_clients_read() {
    let check = |server: &Server| {
        let mut client = server.client();
        let info = client.expect("} \r\n");
        for key in [
            "server_id",
            "server_name",
            "version",
            "proto",
            "go",
            "host",
            "port",
            "headers",
            "max_payload",
            "client_id",
            "client_ip",
        ] {
            assert!(info.contains(&format!("\"{key}\":")), "{key} in {info}");
        }
        for key in [
            "auth_required",
            "tls_required",
            "tls_verify",
            "tls_available",
            "nonce",
            "jetstream",
            "connect_urls",
            "cluster",
            "ldm",
            "domain",
        ] {
            assert!(!info.contains(&format!("\"{key}\":")), "{key} in {info}");
        }
        let id = info.split("\"server_id\":\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(id.len() == 56 && id.starts_with('N'), "{id}");
    };
    check(&Server::start(ours(), &[]));
    if let Some(command) = reference() {
        check(&Server::start(command, &[]));
    }
}
