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
