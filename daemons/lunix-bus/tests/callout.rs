//! Auth callout: the same service decides about clients of nats-server and of ours. The reference takes part where `NATS_SERVER` names
//! its binary.
#![cfg(feature = "jwt")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Client, Server, directory, ours, reference};
use nats_keys::{
    AuthorizationRequest, AuthorizationResponse, Claims, KeyPair, Limits, Permission, Permissions, Role, User, decode,
    encode,
};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// A server that asks, and the service it asks.
struct Desk {
    server: Server,
    service: Client<TcpStream>,
    issuer: KeyPair,
    #[cfg(feature = "seal")]
    curve: nats_keys::CurvePair,
}

/// A question, and where to answer.
struct Asked {
    claims: Claims<AuthorizationRequest>,
    reply: String,
    /// The server's curve key, when the question was sealed.
    #[cfg(feature = "seal")]
    curve_key: Option<String>,
}

fn configuration(issuer: &KeyPair, more: &str) -> String {
    format!(
        "accounts {{\n AUTH {{ users: [{{user: auth, password: p}}, {{user: other, password: p}}] }}\n \
         APP {{ users: [{{user: static, password: p}}] }}\n OTHER {{ users: [{{user: spared, password: p}}] }}\n}}\n\
         authorization {{ timeout: 1, auth_callout {{ issuer: {}, auth_users: [auth], account: AUTH {more} }} }}",
        issuer.public()
    )
}

impl Desk {
    fn new(command: Command, more: &str) -> Self {
        let issuer = KeyPair::new(Role::Account, [9; 32]);
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let directory = directory(&format!("callout-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let path = directory.join("bus.conf");
        std::fs::write(&path, configuration(&issuer, more)).unwrap();
        let server = Server::start(command, &["-c", path.to_str().unwrap()]);
        std::fs::remove_dir_all(&directory).unwrap();
        let mut service = server.client();
        assert!(service.expect("\r\n").contains("\"auth_required\":true"));
        service.say(b"CONNECT {\"verbose\":false,\"headers\":true,\"user\":\"auth\",\"pass\":\"p\"}\r\n");
        service.say(b"SUB $SYS.REQ.USER.AUTH 1\r\nPING\r\n");
        service.expect("PONG\r\n");
        #[cfg(feature = "seal")]
        let curve = nats_keys::CurvePair::new([7; 32]);
        Self {
            server,
            service,
            issuer,
            #[cfg(feature = "seal")]
            curve,
        }
    }

    /// A client that has sent its CONNECT and PING.
    fn client(&self, connect: &str) -> Client<TcpStream> {
        let mut client = self.server.client();
        client.expect("\r\n");
        client.say(format!("CONNECT {{\"verbose\":false{connect}}}\r\nPING\r\n").as_bytes());
        client
    }

    /// Reads the next question.
    fn asked(&mut self) -> Asked {
        // The server's own PINGs may come before it.
        let after_pings = |mut seen: &[u8]| {
            while let Some(rest) = seen.strip_prefix(b"PING\r\n") {
                seen = rest;
            }
            seen.to_vec()
        };
        let (bytes, _) = self.service.read_until(|seen| {
            let seen = after_pings(seen);
            let Some(end) = seen.windows(2).position(|two| two == b"\r\n") else { return false };
            let line = String::from_utf8_lossy(seen.get(..end).unwrap()).into_owned();
            let len: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
            seen.len() >= end + 2 + len + 2
        });
        let bytes = after_pings(&bytes);
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let (line, body) = bytes.split_at(end);
        let words: Vec<&str> = std::str::from_utf8(line).unwrap().split(' ').collect();
        let has_headers = words.first() == Some(&"HMSG");
        let headers_len = if has_headers { words.get(words.len() - 2).unwrap().parse::<usize>().unwrap() } else { 0 };
        let total: usize = words.last().unwrap().parse().unwrap();
        let body = body.get(2..2 + total).unwrap();
        let (headers, payload) = body.split_at(headers_len);
        let reply = (*words.get(3).unwrap()).to_owned();
        let headers = String::from_utf8_lossy(headers).into_owned();
        let curve_key = headers.split("Nats-Server-Xkey: ").nth(1).map(|rest| rest.trim().to_owned());
        let text = self.open(payload, curve_key.as_deref());
        let claims = decode(std::str::from_utf8(&text).unwrap()).unwrap();
        Asked {
            claims,
            reply,
            #[cfg(feature = "seal")]
            curve_key,
        }
    }

    #[cfg(feature = "seal")]
    fn open(&self, payload: &[u8], curve_key: Option<&str>) -> Vec<u8> {
        curve_key.map_or_else(|| payload.to_vec(), |key| self.curve.open(payload, &key.parse().unwrap()).unwrap())
    }

    #[cfg(not(feature = "seal"))]
    fn open(&self, payload: &[u8], _curve_key: Option<&str>) -> Vec<u8> {
        payload.to_vec()
    }

    /// The token of the user that is asked about, in `account`.
    fn user(&self, asked: &Asked, account: &str, body: User) -> Claims<User> {
        let _ = self;
        let subject = asked.claims.body.user_nkey.clone();
        Claims { subject, audience: account.into(), name: "named".into(), ..Claims::new(body) }
    }

    /// An answer as it should be.
    fn response(&self, asked: &Asked, user: &Claims<User>) -> Claims<AuthorizationResponse> {
        let jwt = encode(user, &self.issuer, now()).unwrap();
        let body = AuthorizationResponse { jwt, ..AuthorizationResponse::default() };
        let (subject, audience) = (asked.claims.body.user_nkey.clone(), asked.claims.body.server.id.clone());
        Claims { subject, audience, ..Claims::new(body) }
    }

    fn answer(&mut self, asked: &Asked, text: &[u8]) {
        self.service.say(format!("PUB {} {}\r\n", asked.reply, text.len()).as_bytes());
        self.service.say(text);
        self.service.say(b"\r\nPING\r\n");
        hear(&mut self.service, "PONG\r\n", "");
    }

    fn sign(&self, response: &Claims<AuthorizationResponse>) -> String {
        encode(response, &self.issuer, now()).unwrap()
    }

    /// Lets the next client in as a user of `account`.
    fn let_in(&mut self, account: &str, body: User) -> Asked {
        let asked = self.asked();
        let response = self.response(&asked, &self.user(&asked, account, body));
        let text = self.sign(&response);
        self.answer(&asked, text.as_bytes());
        asked
    }
}

/// Reads up to `begin` and then `end`, the server's own PINGs left out.
fn hear(client: &mut Client<TcpStream>, begin: &str, end: &str) -> String {
    let (bytes, ended) = client.read_until(|seen| {
        let text = String::from_utf8_lossy(seen);
        text.split_once(begin).is_some_and(|(_, rest)| rest.contains(end))
    });
    assert!(!ended);
    String::from_utf8_lossy(&bytes).replace("PING\r\n", "")
}

fn both(more: &str, conversation: impl Fn(&mut Desk, bool)) {
    if let Some(command) = reference() {
        conversation(&mut Desk::new(command, more), true);
    }
    conversation(&mut Desk::new(ours(), more), false);
}

fn unlimited() -> User {
    User { limits: Limits { subscriptions: -1, data: -1, payload: -1, ..Limits::default() }, ..User::default() }
}

const VIOLATION: &str = "-ERR 'Authorization Violation'\r\n";

#[test]
fn the_service_is_told_about_the_client_and_says_what_it_may_do() {
    both("", |desk, _| {
        let connect =
            ",\"user\":\"x\",\"pass\":\"secret\",\"name\":\"n\",\"lang\":\"l\",\"version\":\"1\",\"protocol\":1";
        let mut client = desk.client(connect);
        let permissions = Permissions {
            publish: Permission { allow: Some(vec!["a".into()]), ..Permission::default() },
            subscribe: Permission { deny: vec!["b".into()], ..Permission::default() },
            ..Permissions::default()
        };
        let asked = desk.let_in("APP", User { permissions, ..unlimited() });
        let told = &asked.claims.body;
        assert_eq!(
            (asked.claims.audience.as_str(), &asked.claims.subject),
            ("nats-authorization-request", &desk.issuer.public().to_string())
        );
        assert_eq!(asked.claims.issuer, told.server.id);
        assert!((1..=2).contains(&(asked.claims.expires - asked.claims.issued_at)));
        let client_told = (told.client.host.as_str(), told.client.user.as_str(), told.client.name.as_str());
        assert_eq!(client_told, ("127.0.0.1", "x", "n"));
        assert_eq!((told.client.kind.as_str(), told.client.transport.as_str()), ("Client", "nats"));
        let options = (told.options.user.as_str(), told.options.password.as_str(), told.options.protocol);
        assert_eq!(options, ("x", "secret", 1));
        assert!(hear(&mut client, "INFO {", " \r\n").contains("\"remote_account\":\"APP\""));
        client.say(b"SUB b 1\r\nSUB a 1\r\nPUB b 0\r\n\r\nPUB a 0\r\n\r\nPING\r\n");
        let heard = "-ERR 'Permissions Violation for Subscription to \"b\"'\r\n\
                     -ERR 'Permissions Violation for Publish to \"b\"'\r\nMSG a 1 0\r\n\r\nPONG\r\n";
        assert_eq!(hear(&mut client, "PONG\r\n", ""), heard);
    });
}

#[test]
fn who_is_not_vouched_for_is_refused() {
    both("", |desk, _| {
        let other = KeyPair::new(Role::Account, [10; 32]);
        let stranger = KeyPair::new(Role::User, [11; 32]).public().to_string();
        for case in 0..10 {
            let mut client = desk.client(",\"user\":\"x\",\"pass\":\"p\"");
            let asked = desk.asked();
            let mut user = desk.user(&asked, "APP", unlimited());
            match case {
                0 => user.audience = "NONE".into(),
                1 => user.audience = String::new(),
                2 => user.subject.clone_from(&stranger),
                3 => user.expires = 1,
                _ => {}
            }
            let mut response = desk.response(&asked, &user);
            match case {
                4 => response.audience = KeyPair::new(Role::Server, [12; 32]).public().to_string(),
                5 => response.subject.clone_from(&stranger),
                6 => response.body = AuthorizationResponse { error: "no".into(), ..AuthorizationResponse::default() },
                7 => response.body.jwt = encode(&user, &other, now()).unwrap(),
                _ => {}
            }
            let text = match case {
                8 => encode(&response, &other, now()).unwrap(),
                9 => "nonsense".into(),
                _ => desk.sign(&response),
            };
            desk.answer(&asked, text.as_bytes());
            assert_eq!(client.rest(), VIOLATION, "{case}");
        }
        // Nobody answers, but somebody else tries.
        let mut client = desk.client(",\"user\":\"x\",\"pass\":\"p\"");
        let asked = desk.asked();
        let mut app = desk.client(",\"user\":\"y\",\"pass\":\"p\"");
        desk.let_in("APP", unlimited());
        hear(&mut app, "PONG\r\n", "");
        let response = desk.response(&asked, &desk.user(&asked, "APP", unlimited()));
        let text = desk.sign(&response);
        app.say(format!("PUB {} {}\r\n{text}\r\nPING\r\n", asked.reply, text.len()).as_bytes());
        hear(&mut app, "PONG\r\n", "");
        assert_eq!(client.rest(), VIOLATION);
    });
}

#[test]
fn those_who_are_the_service_are_let_in_by_their_passwords() {
    both("", |desk, _| {
        hear(&mut desk.client(",\"user\":\"auth\",\"pass\":\"p\""), "PONG\r\n", "");
        assert_eq!(desk.client(",\"user\":\"auth\",\"pass\":\"q\"").rest(), VIOLATION);
        // All others are asked about, also those whose password is right, and those who say nothing.
        for connect in
            [",\"user\":\"static\",\"pass\":\"p\"", ",\"user\":\"other\",\"pass\":\"p\"", "", ",\"auth_token\":\"t\""]
        {
            let mut client = desk.client(connect);
            desk.let_in("APP", unlimited());
            hear(&mut client, "PONG\r\n", "");
        }
        let mut early = desk.server.client();
        early.expect("\r\n");
        early.say(b"PING\r\n");
        assert_eq!(early.rest(), VIOLATION);
        // In the service's account nobody asks in the server's place.
        let mut client = desk.client(",\"user\":\"other\",\"pass\":\"p\"");
        desk.let_in("AUTH", unlimited());
        hear(&mut client, "PONG\r\n", "");
        client.say(b"PUB $SYS.REQ.USER.AUTH 0\r\n\r\n");
        hear(&mut client, "-ERR 'Permissions Violation for Publish to \"$SYS.REQ.USER.AUTH\"'\r\n", "");
    });
    both(", allowed_accounts: [APP]", |desk, _| {
        hear(&mut desk.client(",\"user\":\"spared\",\"pass\":\"p\""), "PONG\r\n", "");
        hear(&mut desk.client(",\"user\":\"other\",\"pass\":\"p\""), "PONG\r\n", "");
        let mut client = desk.client(",\"user\":\"static\",\"pass\":\"p\"");
        desk.let_in("OTHER", unlimited());
        hear(&mut client, "PONG\r\n", "");
    });
}

#[test]
fn what_the_token_limits_is_limited() {
    both("", |desk, is_reference| {
        let mut client = desk.client("");
        let asked = desk.asked();
        let user = Claims { expires: now() + 2, ..desk.user(&asked, "APP", unlimited()) };
        let text = desk.sign(&desk.response(&asked, &user));
        desk.answer(&asked, text.as_bytes());
        let heard = client.rest().replace("PING\r\n", "");
        assert!(heard.starts_with("PONG\r\n") && heard.ends_with("-ERR 'User Authentication Expired'\r\n"), "{heard}");
        // The reference looks at neither of these where a service has decided.
        if is_reference {
            return;
        }
        let mut client = desk.client("");
        desk.let_in(
            "APP",
            User { limits: Limits { subscriptions: 1, payload: 1, ..unlimited().limits }, ..unlimited() },
        );
        hear(&mut client, "PONG\r\n", "");
        client.say(b"SUB a 1\r\nSUB b 2\r\n");
        client.expect("-ERR 'maximum subscriptions exceeded'\r\n");
        client.say(b"PUB a 2\r\n");
        assert_eq!(client.rest(), "-ERR 'Maximum Payload Violation'\r\n");
        for body in [
            User { allowed_connection_types: vec!["WEBSOCKET".into()], ..unlimited() },
            User { limits: Limits { networks: vec!["10.0.0.0/8".into()], ..unlimited().limits }, ..unlimited() },
        ] {
            let mut client = desk.client("");
            desk.let_in("APP", body);
            assert_eq!(client.rest(), VIOLATION);
        }
    });
}

#[cfg(feature = "seal")]
#[test]
fn what_is_asked_is_sealed_and_the_answer_may_be() {
    let key = nats_keys::CurvePair::new([7; 32]).public();
    both(&format!(", xkey: {key}"), |desk, _| {
        for seals in [true, false] {
            let mut client = desk.client(",\"user\":\"x\",\"pass\":\"p\"");
            let asked = desk.asked();
            let server = asked.curve_key.clone().unwrap();
            assert_eq!(asked.claims.body.server.curve_key, server);
            let mut text = desk.sign(&desk.response(&asked, &desk.user(&asked, "APP", unlimited()))).into_bytes();
            if seals {
                text = desk.curve.seal(&text, &server.parse().unwrap(), [3; 24]).unwrap();
            }
            desk.answer(&asked, &text);
            hear(&mut client, "PONG\r\n", "");
        }
    });
}

#[test]
fn a_new_configuration_cuts_those_whose_service_is_gone() {
    let mut desk = Desk::new(ours(), "");
    let directory = directory("callout-reload");
    let path = directory.join("bus.conf");
    std::fs::write(&path, configuration(&desk.issuer, "")).unwrap();
    desk.server = Server::start(ours(), &["-c", path.to_str().unwrap()]);
    desk.service = desk.client(",\"headers\":true,\"user\":\"auth\",\"pass\":\"p\"");
    desk.service.say(b"SUB $SYS.REQ.USER.AUTH 1\r\nPING\r\n");
    desk.service.expect("PONG\r\nPONG\r\n");
    let mut client = desk.client("");
    desk.let_in("APP", unlimited());
    hear(&mut client, "PONG\r\n", "");
    desk.server.signal("HUP");
    desk.server.log_line("Reloaded server configuration");
    client.ping();
    std::fs::write(&path, configuration(&KeyPair::new(Role::Account, [13; 32]), "")).unwrap();
    desk.server.signal("HUP");
    desk.server.log_line("Reloaded server configuration");
    assert_eq!(client.rest(), VIOLATION);
    desk.service.ping();
    std::fs::remove_dir_all(&directory).unwrap();
}
