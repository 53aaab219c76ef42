//! Users known by nkeys, against the reference where `NATS_SERVER` names it.
#![cfg(feature = "jwt")]

mod common;

use common::{Server, both, directory, ours, reference, with_file};
use nats_keys::{KeyPair, Role, encode_base64};
use std::fs;

fn user(number: u8) -> KeyPair {
    KeyPair::new(Role::User, [number; 32])
}

const REFUSED: &str = "-ERR 'Authorization Violation'\r\n<end>";
const SERVED: &str = "PONG\r\n";

/// Connects with `key` and what `sign` makes of the nonce; then says `more`.
fn connect(server: &Server, key: &KeyPair, sign: impl Fn(&[u8]) -> String, more: &str) -> String {
    let mut client = server.client();
    let nonce = client.info("nonce");
    let signature = sign(nonce.as_str().unwrap_or_default().as_bytes());
    client.answer(&format!(
        "CONNECT {{\"nkey\":\"{}\",\"sig\":\"{signature}\",\"verbose\":false{more}}}\r\nPING\r\n",
        key.public()
    ))
}

fn configuration() -> String {
    format!(
        "authorization {{
           users: [{{nkey: {}}}, {{nkey: {}, permissions: {{publish: a}}}}, {{nkey: {}, allowed_connection_types: [websocket]}},
                   {{nkey: {}, allowed_connection_types: [STANDARD, mqtt]}}, {{user: p, password: p}}, {{user: q, password: q, \
                   allowed_connection_types: WEBSOCKET}}] }}",
        user(1).public(), user(2).public(), user(3).public(), user(4).public()
    )
}

#[test]
fn a_signature_of_the_nonce_lets_in() {
    for server in both("nkeys", &configuration()) {
        let good = |key: &KeyPair| {
            let key = key.clone();
            move |nonce: &[u8]| encode_base64(&key.sign(nonce))
        };
        let standard = |nonce: &[u8]| encode_base64(&user(1).sign(nonce)).replace('-', "+").replace('_', "/") + "==";
        let padded = |nonce: &[u8]| encode_base64(&user(1).sign(nonce)) + "==";
        let mixed = |nonce: &[u8]| encode_base64(&user(1).sign(nonce)).replace('-', "+").replace('_', "/");
        let is_plain = |nonce: &[u8]| !encode_base64(&user(1).sign(nonce)).contains(['-', '_']);
        assert_eq!(connect(&server, &user(1), good(&user(1)), ""), SERVED);
        assert_eq!(connect(&server, &user(1), standard, ""), SERVED);
        // With neither of the two letters the alphabets are one.
        assert!([SERVED, REFUSED].contains(&connect(&server, &user(1), padded, "").as_str()));
        let heard = connect(&server, &user(1), |nonce| if is_plain(nonce) { "x".into() } else { mixed(nonce) }, "");
        assert_eq!(heard, REFUSED);
        for (what, key, signer) in
            [("another's", user(1), user(2)), ("unknown", user(9), user(9)), ("web only", user(3), user(3))]
        {
            assert_eq!(connect(&server, &key, good(&signer), ""), REFUSED, "{what}");
        }
        assert_eq!(connect(&server, &user(4), good(&user(4)), ""), SERVED);
        for wrong in ["", "x", "AAAA"] {
            assert_eq!(connect(&server, &user(1), |_| wrong.into(), ""), REFUSED, "{wrong}");
        }
        assert_eq!(connect(&server, &user(1), |_| encode_base64(&user(1).sign(b"another")), ""), REFUSED);
        // A key goes before a password.
        assert_eq!(connect(&server, &user(9), good(&user(9)), ",\"user\":\"p\",\"pass\":\"p\""), REFUSED);
        assert_eq!(connect(&server, &user(1), good(&user(1)), ",\"user\":\"p\",\"pass\":\"no\""), SERVED);
    }
}

#[test]
fn passwords_beside_keys() {
    for server in both("nkeys-passwords", &configuration()) {
        for (connect, expected) in [
            ("{\"user\":\"p\",\"pass\":\"p\",\"verbose\":false}".to_owned(), SERVED),
            ("{\"user\":\"p\",\"pass\":\"x\"}".into(), REFUSED),
            ("{\"user\":\"q\",\"pass\":\"q\"}".into(), REFUSED),
            ("{\"nkey\":\"\",\"user\":\"p\",\"pass\":\"p\",\"verbose\":false}".into(), SERVED),
            ("{}".into(), REFUSED),
            (format!("{{\"user\":\"{}\",\"pass\":\"\"}}", user(1).public()), REFUSED),
            (format!("{{\"user\":\"{}\"}}", user(1).public()), REFUSED),
        ] {
            let mut client = server.client();
            assert_eq!(client.info("nonce").as_str().unwrap().len(), 15);
            assert_eq!(client.answer(&format!("CONNECT {connect}\r\nPING\r\n")), expected, "{connect}");
        }
    }
}

#[test]
fn a_nonce_is_told_only_where_there_are_keys_and_never_twice() {
    for server in both("nkeys-none", "authorization { users: [{user: a, password: a}] }") {
        assert_eq!(server.client().info("nonce"), serde_json::Value::Null);
    }
    for server in both("nkeys-nonce", &configuration()) {
        let (first, second) = (server.client().info("nonce"), server.client().info("nonce"));
        assert!(first.is_string() && first != second, "{first} {second}");
        let mut client = server.client();
        let nonce = client.info("nonce");
        let signature = encode_base64(&user(1).sign(nonce.as_str().unwrap().as_bytes()));
        // Somebody else's signature does not do on another connection.
        let mut other = server.client();
        other.info("nonce");
        let connect = format!("CONNECT {{\"nkey\":\"{}\",\"sig\":\"{signature}\"}}\r\nPING\r\n", user(1).public());
        assert_eq!(other.answer(&connect), REFUSED);
        assert_eq!(client.answer(&connect), "+OK\r\nPONG\r\n");
    }
}

#[test]
fn permissions_and_accounts_of_keys() {
    let configuration = format!(
        "accounts {{ A {{ users: [{{nkey: {}, permissions: {{publish: a}}}}] }}\n B {{ users: [{{nkey: {}}}, {{user: p, password: p}}] }} }}",
        user(1).public(),
        user(2).public()
    );
    for server in both("nkeys-accounts", &configuration) {
        for (key, account) in [(user(1), "A"), (user(2), "B")] {
            let heard = connect(&server, &key, |nonce| encode_base64(&key.sign(nonce)), ",\"protocol\":1");
            assert_eq!(heard.find(SERVED), Some(0), "{account}: {heard}");
        }
        let mut client = server.client();
        let nonce = client.info("nonce");
        let signature = encode_base64(&user(1).sign(nonce.as_str().unwrap().as_bytes()));
        let heard = client.answer(&format!(
            "CONNECT {{\"nkey\":\"{}\",\"sig\":\"{signature}\",\"verbose\":false}}\r\nPUB b 0\r\n\r\nPUB a 0\r\n\r\nPING\r\n",
            user(1).public()
        ));
        assert_eq!(heard, "-ERR 'Permissions Violation for Publish to \"b\"'\r\nPONG\r\n");
    }
}

/// A key that is gone after a reload cuts its clients; one that stays does not.
#[test]
fn reload() {
    for (name, command) in [("nkeys-reload-reference", reference()), ("nkeys-reload", Some(ours()))] {
        let Some(command) = command else { continue };
        let two = format!(
            "authorization {{ users: [{{nkey: {}}}, {{nkey: {}}}, {{user: p, password: p}}] }}",
            user(1).public(),
            user(2).public()
        );
        let one = format!("authorization {{ users: [{{nkey: {}}}] }}", user(1).public());
        let mut server = with_file(name, command, &two);
        let mut clients = [user(1), user(2)].map(|key| {
            let mut client = server.client();
            let nonce = client.info("nonce");
            let signature = encode_base64(&key.sign(nonce.as_str().unwrap().as_bytes()));
            let connect =
                format!("CONNECT {{\"nkey\":\"{}\",\"sig\":\"{signature}\",\"verbose\":false}}", key.public());
            assert_eq!(client.answer(&format!("{connect}\r\nPING\r\n")), SERVED);
            client
        });
        let mut named = server.client();
        named.info("nonce");
        assert_eq!(named.answer("CONNECT {\"user\":\"p\",\"pass\":\"p\",\"verbose\":false}\r\nPING\r\n"), SERVED);
        fs::write(directory(name).join("bus.conf"), one).unwrap();
        server.signal("HUP");
        server.log_line("Reloaded");
        assert_eq!([named.rest(), clients[1].rest()], ["", ""], "{name}");
        assert_eq!(clients[0].answer("PING\r\n"), SERVED, "{name}");
    }
}

#[test]
fn configurations_that_are_wrong() {
    let good = user(1).public().to_string();
    for (users, complaint) in [
        (format!("{{nkey: {good}, user: a}}"), "has neither name nor password"),
        (format!("{{nkey: {good}, password: a}}"), "has neither name nor password"),
        (format!("{{nkey: {good}}}, {{nkey: {good}}}"), "duplicate user"),
        ("{nkey: UAAA}".into(), "not a valid public nkey for a user: invalid length"),
        (format!("{{nkey: {}}}", KeyPair::new(Role::Account, [1; 32]).public()), "not a valid public nkey for a user"),
        (format!("{{nkey: {good}, allowed_connection_types: [x]}}"), "unknown connection type \"x\""),
    ] {
        let file = directory("nkeys-wrong").join("bus.conf");
        fs::write(&file, format!("authorization {{ users: [{users}] }}")).unwrap();
        for (command, is_ours) in reference().map(|command| (command, false)).into_iter().chain([(ours(), true)]) {
            let mut command = command;
            let output = command.args(["-c", file.to_str().unwrap(), "-t"]).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{users}");
            assert!(!is_ours || text.contains(complaint) && text.contains("bus.conf:1:"), "{users}: {text}");
        }
    }
}
