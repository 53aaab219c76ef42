//! Operator mode, against the reference where `NATS_SERVER` names it.
#![cfg(feature = "jwt")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Client, Server, both};
use nats_keys::{
    Account, AccountLimits, Body, Claims, Export, KeyPair, Kind, Limits, Operator, Permission, Permissions, Role,
    SigningKey, Template, User, encode, encode_base64,
};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

const REFUSED: &str = "-ERR 'Authorization Violation'\r\n<end>";
const SERVED: &str = "PONG\r\n";

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn operator() -> KeyPair {
    KeyPair::new(Role::Operator, [1; 32])
}

fn account(number: u8) -> KeyPair {
    KeyPair::new(Role::Account, [number; 32])
}

fn user(number: u8) -> KeyPair {
    KeyPair::new(Role::User, [number; 32])
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn about<T: Body>(subject: &KeyPair, name: &str, body: T) -> Claims<T> {
    Claims { subject: subject.public().to_string(), name: name.into(), ..Claims::new(body) }
}

fn plain() -> User {
    User { limits: Limits::none(), ..User::default() }
}

fn user_token(claims: &Claims<User>, issuer: &KeyPair) -> String {
    encode(claims, issuer, now()).unwrap()
}

/// A configuration with these accounts, signed by the operator or who else is named.
fn configuration(operator_body: Operator, accounts: &[(&Claims<Account>, &KeyPair)], more: &str) -> String {
    let operator_token = encode(&about(&operator(), "o", operator_body), &operator(), now()).unwrap();
    let accounts: String = accounts
        .iter()
        .map(|(claims, issuer)| format!("  {}: {}\n", claims.subject, encode(claims, issuer, now()).unwrap()))
        .collect();
    format!("operator: {operator_token}\nresolver: MEMORY\nresolver_preload: {{\n{accounts}}}\n{more}\n")
}

fn simple(accounts: &[&Claims<Account>], more: &str) -> String {
    let by_operator: Vec<_> = accounts.iter().map(|&claims| (claims, operator())).collect();
    let accounts: Vec<_> = by_operator.iter().map(|(claims, key)| (*claims, key)).collect();
    configuration(Operator::default(), &accounts, more)
}

/// Says CONNECT with the token and the user's signature of the nonce.
fn login(server: &Server, token: &str, key: &KeyPair, more: &str) -> Client<TcpStream> {
    let mut client = server.client();
    let nonce = client.info("nonce");
    let signature = encode_base64(&key.sign(nonce.as_str().unwrap().as_bytes()));
    let connect = format!(r#"{{"jwt":"{token}","sig":"{signature}","verbose":false,"headers":true{more}}}"#);
    client.say(format!("CONNECT {connect}\r\n").as_bytes());
    client
}

fn answer(server: &Server, token: &str, key: &KeyPair) -> String {
    login(server, token, key, "").answer("PING\r\n")
}

/// The INFO after the first PONG.
fn second_info(client: &mut Client<TcpStream>) -> serde_json::Value {
    client.say(b"PING\r\n");
    let text = client.expect("} \r\n");
    serde_json::from_str(text.strip_prefix("PONG\r\nINFO ").unwrap()).unwrap()
}

#[test]
fn who_is_let_in() {
    let (home, signer, stranger) = (account(2), account(3), account(9));
    let mut claims = about(&home, "home", Account::default());
    claims.body.signing_keys.push(SigningKey { key: signer.public().to_string(), template: None });
    claims.body.revocations.insert(user(7).public().to_string(), now() + 100);
    claims.body.revocations.insert(user(8).public().to_string(), now() - 100);
    let mut unbearable = about(&account(4), "unbearable", Account::default());
    unbearable.body.limits.disallow_bearer = true;
    let mut over = about(&account(5), "over", Account::default());
    over.expires = now() - 10;
    let untrusted = about(&account(6), "untrusted", Account::default());
    let mut greedy = about(&account(7), "greedy", Account::default());
    greedy.body.limits.exports = 0;
    greedy.body.exports.push(Export::new(Kind::Stream, "x"));
    let (op, other) = (operator(), KeyPair::new(Role::Operator, [8; 32]));
    let accounts = [(&claims, &op), (&unbearable, &op), (&over, &op), (&untrusted, &other), (&greedy, &op)];
    let configuration = configuration(Operator::default(), &accounts, "");

    let by = |change: &dyn Fn(&mut Claims<User>)| {
        let mut claims = about(&user(1), "u", plain());
        change(&mut claims);
        claims
    };
    let of = |issuer: &KeyPair, change: &dyn Fn(&mut Claims<User>)| user_token(&by(change), issuer);
    let named = |claims: &mut Claims<User>| claims.body.issuer_account = home.public().to_string();
    let served = [
        ("by the account", of(&home, &|_| {})),
        ("by a signing key", of(&signer, &named)),
        ("naming its own account", of(&home, &named)),
        ("expires later", of(&home, &|claims| claims.expires = now() + 100)),
        ("began", of(&home, &|claims| claims.not_before = now() - 1)),
        ("from here", of(&home, &|claims| claims.body.limits.networks = texts(&["10.0.0.0/8", "127.0.0.1/32"]))),
        ("standard", of(&home, &|claims| claims.body.allowed_connection_types = texts(&["MQTT", "STANDARD"]))),
        ("odd kinds beside", of(&home, &|claims| claims.body.allowed_connection_types = texts(&["ODD", "standard"]))),
        (
            "all day",
            of(&home, &|claims| {
                claims.body.limits.times =
                    vec![nats_keys::TimeRange { start: "00:00:00".into(), end: "23:59:59".into() }];
                claims.body.limits.time_zone = "UTC".into();
            }),
        ),
    ];
    let refused = [
        ("signing key without account", of(&signer, &|_| {})),
        ("unknown account", of(&stranger, &|_| {})),
        ("stranger's signature", of(&stranger, &named)),
        ("expired", of(&home, &|claims| claims.expires = now() - 1)),
        ("early", of(&home, &|claims| claims.not_before = now() + 100)),
        ("from elsewhere", of(&home, &|claims| claims.body.limits.networks = texts(&["10.0.0.0/8"]))),
        ("bad network", of(&home, &|claims| claims.body.limits.networks = texts(&["127.0.0.1/32", "x"]))),
        ("web only", of(&home, &|claims| claims.body.allowed_connection_types = texts(&["WEBSOCKET"]))),
        ("odd kinds only", of(&home, &|claims| claims.body.allowed_connection_types = texts(&["ODD"]))),
        ("bad subject", of(&home, &|claims| claims.body.permissions.publish.allow = Some(texts(&["a..b"])))),
        ("account expired", of(&account(5), &|_| {})),
        ("account untrusted", of(&account(6), &|_| {})),
        ("account over its limits", of(&account(7), &|_| {})),
        ("account not an account", of(&home, &|claims| claims.body.issuer_account = user(1).public().to_string())),
        (
            "bad time",
            of(&home, &|claims| {
                claims.body.limits.times = vec![nats_keys::TimeRange { start: "8".into(), end: "9".into() }];
            }),
        ),
        ("not a token", "x.y.z".into()),
        ("another's kind", encode(&about(&account(2), "a", Account::default()), &operator(), now()).unwrap()),
    ];
    for server in both("jwt-who", &configuration) {
        for (what, token) in &served {
            assert_eq!(answer(&server, token, &user(1)), SERVED, "{what}");
            assert_eq!(answer(&server, token, &user(2)), REFUSED, "{what}, signed by another");
        }
        for (what, token) in &refused {
            assert_eq!(answer(&server, token, &user(1)), REFUSED, "{what}");
        }
        for (number, expected) in [(7, REFUSED), (8, SERVED)] {
            let token = user_token(&about(&user(number), "revoked", plain()), &home);
            assert_eq!(answer(&server, &token, &user(number)), expected, "revoked {number}");
        }
        for connect in [r#"{"user":"a","pass":"b"}"#, "{}", r#"{"jwt":""}"#] {
            let mut client = server.client();
            assert_eq!(client.info("nonce").as_str().unwrap().len(), 15);
            assert_eq!(client.answer(&format!("CONNECT {connect}\r\nPING\r\n")), REFUSED, "{connect}");
        }
    }
}

#[test]
fn bearer_tokens_need_no_signature() {
    let (home, mut unbearable) =
        (about(&account(2), "home", Account::default()), about(&account(4), "no", Account::default()));
    unbearable.body.limits.disallow_bearer = true;
    for server in both("jwt-bearer", &simple(&[&home, &unbearable], "")) {
        let claims = about(&user(1), "u", User { bearer_token: true, ..plain() });
        for (issuer, expected) in [(account(2), SERVED), (account(4), REFUSED)] {
            let token = user_token(&claims, &issuer);
            let mut client = server.client();
            client.info("nonce");
            let heard = client.answer(&format!("CONNECT {{\"jwt\":\"{token}\",\"verbose\":false}}\r\nPING\r\n"));
            assert_eq!(heard, expected);
        }
    }
}

fn scoped(permissions: Permissions, limits: Limits) -> Claims<Account> {
    let mut claims = about(&account(2), "acme", Account::default());
    claims.tags = texts(&["place:here"]);
    let template =
        Template { role: "r".into(), user: User { permissions, limits, ..User::default() }, ..Template::default() };
    let key = account(3).public().to_string();
    claims.body.signing_keys.push(SigningKey { key, template: Some(Box::new(template)) });
    claims
}

fn scoped_user(number: u8) -> Claims<User> {
    let mut claims = about(&user(number), "ada", User::default());
    claims.body.issuer_account = account(2).public().to_string();
    claims.tags = texts(&["team:red", "team:blue"]);
    claims
}

#[test]
fn templates_of_signing_keys() {
    let permissions = Permissions {
        publish: Permission {
            allow: Some(texts(&["pub.{{name()}}.>", "at.{{account-tag(place)}}", "{{tag(none)}}.x"])),
            deny: texts(&["pub.{{name()}}.no"]),
        },
        subscribe: Permission {
            allow: Some(texts(&["team.{{tag(team)}}", "{{account-name()}}.{{subject()}}", "_INBOX.>"])),
            deny: vec![],
        },
        responses: None,
    };
    let nothing = Permissions {
        publish: Permission { allow: Some(texts(&["{{tag(none)}}"])), deny: vec![] },
        ..Permissions::default()
    };
    let bad =
        Permissions { publish: Permission { allow: None, deny: texts(&["{{tag(none)}}"]) }, ..Permissions::default() };
    let said = "PUB pub.ada.x 0\r\n\r\nPUB pub.ada.no 0\r\n\r\nPUB at.here 0\r\n\r\nPUB x 0\r\n\r\nSUB team.red 1\r\nSUB team.blue 2\r\n\
        SUB team.green 3\r\nSUB acme.USER 4\r\nPING\r\n";
    let said = said.replace("USER", &user(1).public().to_string());
    for server in both("jwt-template", &simple(&[&scoped(permissions, Limits::none())], "")) {
        let token = user_token(&scoped_user(1), &account(3));
        let heard = login(&server, &token, &user(1), "").answer(&said);
        let expected = "-ERR 'Permissions Violation for Publish to \"pub.ada.no\"'\r\n\
            -ERR 'Permissions Violation for Publish to \"x\"'\r\n\
            -ERR 'Permissions Violation for Subscription to \"team.green\"'\r\nPONG\r\n";
        assert_eq!(heard, expected);
        // A scoped key's users say nothing themselves.
        let mut own = scoped_user(1);
        own.body.limits = Limits::none();
        assert_eq!(answer(&server, &user_token(&own, &account(3)), &user(1)), REFUSED);
        own = scoped_user(1);
        own.body.permissions.publish.allow = Some(texts(&[">"]));
        assert_eq!(answer(&server, &user_token(&own, &account(3)), &user(1)), REFUSED);
    }
    for server in both("jwt-template-nothing", &simple(&[&scoped(nothing, Limits::none())], "")) {
        let heard =
            login(&server, &user_token(&scoped_user(1), &account(3)), &user(1), "").answer("PUB a 0\r\n\r\nPING\r\n");
        assert_eq!(heard, "-ERR 'Permissions Violation for Publish to \"a\"'\r\nPONG\r\n");
    }
    for server in both("jwt-template-bad", &simple(&[&scoped(bad, Limits::none())], "")) {
        assert_eq!(answer(&server, &user_token(&scoped_user(1), &account(3)), &user(1)), REFUSED);
    }
}

#[test]
fn strict_operators_want_signing_keys() {
    let second = KeyPair::new(Role::Operator, [5; 32]);
    let body = Operator {
        signing_keys: vec![second.public().to_string()],
        strict_signing_key_usage: true,
        ..Operator::default()
    };
    let mut good = about(&account(2), "good", Account::default());
    good.body.signing_keys.push(SigningKey { key: account(3).public().to_string(), template: None });
    let by_main = about(&account(4), "main", Account::default());
    let configuration = configuration(body, &[(&good, &second), (&by_main, &operator())], "");
    for server in both("jwt-strict", &configuration) {
        let mut claims = about(&user(1), "u", plain());
        assert_eq!(answer(&server, &user_token(&claims, &account(2)), &user(1)), REFUSED, "account's main key");
        assert_eq!(answer(&server, &user_token(&claims, &account(4)), &user(1)), REFUSED, "operator's main key");
        claims.body.issuer_account = account(2).public().to_string();
        assert_eq!(answer(&server, &user_token(&claims, &account(3)), &user(1)), SERVED);
    }
}

#[test]
fn trusted_keys_instead_of_an_operator() {
    let claims = about(&account(2), "home", Account::default());
    let with_operator = simple(&[&claims], "");
    let rest = with_operator.split_once('\n').unwrap().1;
    let configuration = format!("trusted_keys: [{}]\n{rest}", operator().public());
    for server in both("jwt-keys", &configuration) {
        assert_eq!(answer(&server, &user_token(&about(&user(1), "u", plain()), &account(2)), &user(1)), SERVED);
        assert_eq!(answer(&server, &user_token(&about(&user(1), "u", plain()), &account(3)), &user(1)), REFUSED);
    }
}

#[test]
fn default_permissions_and_responses() {
    let mut claims = about(&account(2), "home", Account::default());
    claims.body.default_permissions.publish.allow = Some(texts(&["d.>"]));
    let violation = |subject: &str| format!("-ERR 'Permissions Violation for Publish to \"{subject}\"'\r\nPONG\r\n");
    for server in both("jwt-default", &simple(&[&claims], "")) {
        let token = user_token(&about(&user(1), "u", plain()), &account(2));
        let heard = login(&server, &token, &user(1), "").answer("PUB d.x 0\r\n\r\nPUB e 0\r\n\r\nPING\r\n");
        assert_eq!(heard, violation("e"));
        let mut own = about(&user(1), "u", plain());
        own.body.permissions.subscribe.deny = texts(&["no"]);
        let heard = login(&server, &user_token(&own, &account(2)), &user(1), "").answer("PUB e 0\r\n\r\nPING\r\n");
        assert_eq!(heard, SERVED);
        let mut answers = about(&user(1), "u", plain());
        answers.body.permissions.responses = Some(nats_keys::Responses { messages_max: 0, expires_ns: 0 });
        let token = user_token(&answers, &account(2));
        let said = "SUB q 1\r\nPUB q r 0\r\n\r\nPING\r\n";
        assert_eq!(login(&server, &token, &user(1), "").answer(said), violation("q"));
    }
}

#[test]
fn limits_of_users_and_accounts() {
    let mut limited = about(&account(2), "limited", Account::default());
    limited.body.limits = AccountLimits { subscriptions: 2, payload: 10, connections: 2, ..AccountLimits::none() };
    let home = about(&account(4), "home", Account::default());
    for server in both("jwt-limits", &simple(&[&limited, &home], "")) {
        let token = user_token(&about(&user(1), "u", plain()), &account(2));
        let mut first = login(&server, &token, &user(1), ",\"protocol\":1");
        assert_eq!(second_info(&mut first)["max_payload"], 10);
        let subs = "SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nPING\r\n";
        assert_eq!(first.answer(subs), "-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n");
        let mut second = login(&server, &token, &user(1), "");
        assert_eq!(second.answer("PUB a 10\r\n0123456789\r\nPING\r\n"), SERVED);
        let third = login(&server, &token, &user(1), "").answer("PING\r\n");
        assert_eq!(third, "-ERR 'maximum account active connections exceeded'\r\n<end>");
        assert_eq!(second.answer("PUB a 11\r\n"), "-ERR 'Maximum Payload Violation'\r\n<end>");
        // The smaller of the two limits counts.
        let limits = Limits { subscriptions: 1, payload: 5, ..Limits::none() };
        let token = user_token(&about(&user(1), "u", User { limits, ..User::default() }), &account(4));
        let mut client = login(&server, &token, &user(1), "");
        assert_eq!(client.answer(subs), "-ERR 'maximum subscriptions exceeded'\r\n".repeat(2) + SERVED);
        assert_eq!(client.answer("PUB a 6\r\n"), "-ERR 'Maximum Payload Violation'\r\n<end>");
    }
}

#[test]
fn the_second_info_names_the_account() {
    let home = about(&account(2), "home", Account::default());
    for server in both("jwt-info", &simple(&[&home], "")) {
        let token = user_token(&about(&user(1), "u", plain()), &account(2));
        let mut client = login(&server, &token, &user(1), ",\"protocol\":1");
        assert_eq!(second_info(&mut client)["remote_account"], account(2).public().to_string());
    }
}

#[test]
fn those_whose_time_is_over_are_told_and_cut() {
    let home = about(&account(2), "home", Account::default());
    let mut short = about(&account(4), "short", Account::default());
    short.expires = now() + 4;
    for server in both("jwt-expire", &simple(&[&home, &short], "")) {
        let mut claims = about(&user(1), "u", plain());
        let token = user_token(&claims, &account(4));
        let mut of_account = (now() < short.expires).then(|| login(&server, &token, &user(1), ""));
        claims.expires = now() + 2;
        let mut of_user = login(&server, &user_token(&claims, &account(2)), &user(1), "");
        assert_eq!(of_user.answer("PING\r\n"), SERVED);
        let (heard, ended) = of_user.read_until(|_| false);
        assert!(ended);
        assert_eq!(String::from_utf8_lossy(&heard).replace("PING\r\n", ""), "-ERR 'User Authentication Expired'\r\n");
        if let Some(client) = &mut of_account {
            let (heard, ended) = client.read_until(|_| false);
            assert!(ended);
            let heard = String::from_utf8_lossy(&heard).replace("PING\r\n", "");
            assert_eq!(heard, "-ERR 'Account Authentication Expired'\r\n");
        }
        assert_eq!(answer(&server, &token, &user(1)), REFUSED);
        short.expires = 0;
    }
}
