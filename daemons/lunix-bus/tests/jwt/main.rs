//! Operator mode, against the reference where `NATS_SERVER` names it.
#![cfg(feature = "jwt")]
#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
mod reload;

use common::{Client, Server, both, directory, ours, reference, with_file};
use nats_keys::{
    Account, AccountLimits, Activation, Body, Claims, Export, Import, KeyPair, Kind, Limits, Operator, Permission,
    Permissions, Role, SigningKey, Template, User, encode, encode_base64,
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
    // Always the same: the reference takes no other operator on reload.
    let operator_token = encode(&about(&operator(), "o", operator_body), &operator(), 1_700_000_000).unwrap();
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
#[allow(clippy::too_many_lines, reason = "a table")]
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

fn change(name: &str, server: &mut Server, accounts: &[&Claims<Account>]) {
    std::fs::write(directory(name).join("bus.conf"), simple(accounts, "")).unwrap();
    server.signal("HUP");
    loop {
        let line = server.log_line("eload");
        assert!(!line.contains("Failed to reload") && !line.contains("not reloaded"), "{line}");
        if line.contains("Reloaded server configuration") {
            return;
        }
    }
}

fn activation(importer: &KeyPair, issuer: &KeyPair, subject: &str, change: impl Fn(&mut Claims<Activation>)) -> String {
    let body = Activation { import_subject: subject.into(), kind: Kind::Stream, issuer_account: String::new() };
    let mut claims = about(importer, "activation", body);
    change(&mut claims);
    encode(&claims, issuer, now()).unwrap()
}

/// Streams that anybody may import, and those for which a token is needed: good, of somebody else, expired, revoked, none.
#[test]
fn accounts_share_what_their_tokens_say() {
    let exporter = account(4);
    let mut gives = about(&exporter, "gives", Account::default());
    gives.body.exports.push(Export::new(Kind::Stream, "s.>"));
    gives.body.exports.push(Export { token_required: true, ..Export::new(Kind::Stream, "p.>") });
    gives.body.exports.push(Export::new(Kind::Service, "q.*"));
    let takes = |number: u8, token: String| {
        let name = exporter.public().to_string();
        let mut claims = about(&account(number), "takes", Account::default());
        claims.body.imports.push(Import { local_subject: "mine.>".into(), ..Import::new(Kind::Stream, &name, "s.>") });
        claims.body.imports.push(Import { token, ..Import::new(Kind::Stream, &name, "p.*") });
        claims.body.imports.push(Import { to: "q.x".into(), ..Import::new(Kind::Service, &name, "ask") });
        claims
    };
    let revoked = account(13).public().to_string();
    let accounts = [
        takes(10, activation(&account(10), &exporter, "p.>", |_| {})),
        takes(11, activation(&account(10), &exporter, "p.>", |_| {})),
        takes(12, activation(&account(12), &exporter, "p.>", |claims| claims.expires = now() - 5)),
        takes(13, activation(&account(13), &exporter, "p.>", |_| {})),
        takes(14, activation(&account(14), &account(9), "p.>", |_| {})),
        takes(15, activation(&account(15), &exporter, "p.a", |_| {})),
        takes(16, String::new()),
    ];
    gives.body.exports[1].revocations.insert(revoked, now() + 10);
    let some = [&accounts[0], &accounts[6], &gives];
    for server in both("jwt-sharing", &simple(&some, "")) {
        share(&server, &[10, 16]);
    }
    // The reference lets nobody into an account with a token that is not good; ours leaves out what that was for.
    let all: Vec<_> = accounts.iter().chain([&gives]).collect();
    share(&with_file("jwt-sharing-all", ours(), &simple(&all, "")), &[10, 11, 12, 13, 14, 15, 16]);
}

fn share(server: &Server, numbers: &[u8]) {
    let enter = |number: u8| {
        let token = user_token(&about(&user(1), "u", plain()), &account(number));
        let mut client = login(server, &token, &user(1), "");
        assert_eq!(client.answer("SUB mine.a 1\r\nSUB p.a 2\r\nSUB r 3\r\nPING\r\n"), SERVED, "{number}");
        client
    };
    let mut clients: Vec<_> = numbers.iter().map(|&number| (number, enter(number))).collect();
    let mut giver = login(server, &user_token(&about(&user(1), "u", plain()), &account(4)), &user(1), "");
    assert_eq!(giver.answer("SUB q.* 1\r\nPUB s.a 1\r\ns\r\nPUB p.a 1\r\np\r\nPING\r\n"), SERVED);
    for (number, client) in &mut clients {
        let private = if *number == 10 { "MSG p.a 2 1\r\np\r\n" } else { "" };
        assert_eq!(client.answer("PING\r\n"), format!("MSG mine.a 1 1\r\ns\r\n{private}PONG\r\n"), "{number}");
    }
    let (_, asker) = clients.last_mut().unwrap();
    asker.say(b"PUB ask r 2\r\nhi\r\n");
    let heard = giver.expect("hi\r\n");
    let reply = heard.split(' ').nth(3).unwrap().to_owned();
    assert!(heard.starts_with("HMSG q.x 1 _R_.") || heard.starts_with("MSG q.x 1 _R_."), "{heard}");
    giver.say(format!("PUB {reply} 3\r\nyes\r\n").as_bytes());
    assert_eq!(asker.expect("yes\r\n"), "MSG r 3 3\r\nyes\r\n");
}

#[test]
fn monitoring_tells_what_tokens_say() {
    let mut home = about(&account(2), "home", Account::default());
    home.body.signing_keys.push(SigningKey { key: account(3).public().to_string(), template: None });
    for server in both("jwt-monitoring", &simple(&[&home], "http: \"127.0.0.1:-1\"")) {
        let mut claims = about(&user(1), "ada", plain());
        claims.tags = texts(&["team:red"]);
        claims.body.issuer_account = account(2).public().to_string();
        let token = user_token(&claims, &account(3));
        let mut client = login(&server, &token, &user(1), "");
        assert_eq!(client.answer("PING\r\n"), SERVED);
        let page = server.json("/connz?auth=1");
        let row = &page["connections"][0];
        for (key, expected) in [
            ("authorized_user", user(1).public().to_string()),
            ("account", account(2).public().to_string()),
            ("issuer_key", account(3).public().to_string()),
            ("jwt", token.clone()),
            ("name_tag", "home".into()),
        ] {
            assert_eq!(row[key], expected, "{key}");
        }
        assert_eq!(row["tags"], serde_json::json!(["team:red"]));
        assert!(server.json("/connz")["connections"][0].get("jwt").is_none());
        let page = server.json(&format!("/accountz?acc={}", account(2).public()));
        let detail = &page["account_detail"];
        assert_eq!(
            (&detail["issuer_key"], &detail["name_tag"]),
            (&operator().public().to_string().into(), &"home".into())
        );
        assert_eq!(detail["decoded_jwt"]["nats"]["limits"]["conn"], -1);
        assert_eq!((&detail["expired"], &detail["client_connections"]), (&false.into(), &1.into()));
    }
}

#[test]
fn configurations_that_are_wrong() {
    let home = about(&account(2), "home", Account::default());
    let good = simple(&[&home], "");
    let operator_line = good.lines().next().unwrap().to_owned();
    let token = encode(&home, &operator(), now()).unwrap();
    let mut newer = about(&operator(), "o", Operator::default());
    newer.body.assert_server_version = "9.0.0".into();
    let newer = encode(&newer, &operator(), now()).unwrap();
    let mut system = about(&operator(), "o", Operator::default());
    system.body.system_account = account(2).public().to_string();
    let system = encode(&system, &operator(), now()).unwrap();
    let (a, key) = (account(2).public(), operator().public());
    for (text, complaint) in [
        (format!("{operator_line}\n"), "operators require an account resolver"),
        (format!("{good}accounts {{ A {{ users: [{{user: a, password: b}}] }} }}\n"), "operators do not allow"),
        (format!("{good}authorization {{ users: [{{user: a, password: b}}] }}\n"), "operators do not allow"),
        (format!("{good}no_auth_user: a\n"), "operators do not allow"),
        (format!("{good}trusted_keys: {key}\n"), "exclude each other"),
        ("operator: /no/such/file\nresolver: MEMORY\n".into(), "bus.conf:1:11: cannot read the operator's token"),
        ("operator: eyJx.y.z\nresolver: MEMORY\n".into(), "error parsing operator JWT"),
        (format!("operator: {token}\nresolver: MEMORY\n"), "error parsing operator JWT: claims of type \"account\""),
        (format!("operator: {newer}\nresolver: MEMORY\n"), "operator asks for a server of version 9.0.0"),
        (format!("{operator_line}\nresolver: URL(http://localhost/)\n"), "is not supported: only MEMORY"),
        (
            format!("{operator_line}\nresolver: {{type: full, dir: \"{{dir}}\"}}\n"),
            "resolver \"full\" is not supported",
        ),
        (format!("{operator_line}\nresolver: MEMORY\nresolver_preload {{ {a}: x.y.z }}\n"), "invalid account JWT"),
        (
            format!("{operator_line}\nresolver: MEMORY\nresolver_preload {{ {}: {token} }}\n", account(3).public()),
            "token is about A",
        ),
        (
            format!("operator: {system}\nresolver: MEMORY\nsystem_account: {}\n", account(3).public()),
            "must be identical",
        ),
        (format!("operator: {system}\nresolver: MEMORY\n"), "is not among those in resolver_preload"),
        ("trusted_keys: [OAAA]\nresolver: MEMORY\n".into(), "is not the public key of an operator"),
        ("resolver: MEMORY\n".into(), "need an operator"),
    ] {
        let file = directory("jwt-wrong").join("bus.conf");
        std::fs::write(&file, &text).unwrap();
        let output = ours().args(["-c", file.to_str().unwrap(), "-t"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{text}: {said}");
        assert!(said.contains(complaint) && said.contains("bus.conf:"), "{text}: {said}");
    }
    let file = directory("jwt-file").join("operator.jwt");
    let decorated = format!(
        "-----BEGIN NATS OPERATOR JWT-----\n{}\n------END NATS OPERATOR JWT------\n",
        operator_line.strip_prefix("operator: ").unwrap()
    );
    for content in [decorated.as_str(), operator_line.strip_prefix("operator: ").unwrap()] {
        std::fs::write(&file, content).unwrap();
        let configuration = good.replace(&operator_line, &format!("operator: \"{}\"", file.display()));
        for server in both("jwt-operator-file", &configuration) {
            let token = user_token(&about(&user(1), "u", plain()), &account(2));
            assert_eq!(answer(&server, &token, &user(1)), SERVED);
        }
    }
}

const PYTHON: &str = "
import asyncio, sys, nats
async def main():
    url, how, what = sys.argv[1:]
    nc = await nats.connect(url, **{how: what}, allow_reconnect=False)
    async def answer(msg):
        await msg.respond(b'yes')
    await nc.subscribe('q', cb=answer)
    print((await nc.request('q', b'?', timeout=10)).data.decode())
    await nc.drain()
asyncio.run(main())
";

const NODE: &str = "
const { connect, credsAuthenticator, nkeyAuthenticator } = require('@nats-io/transport-node');
const [url, how, what] = process.argv.slice(1);
(async () => {
  const seed = new TextEncoder().encode(what);
  const authenticator = how === 'user_credentials' ? credsAuthenticator(require('fs').readFileSync(what)) : nkeyAuthenticator(seed);
  const nc = await connect({ servers: url, authenticator, reconnect: false });
  nc.subscribe('q', { callback: (_, msg) => msg.respond('yes') });
  console.log((await nc.request('q', '?', { timeout: 10000 })).string());
  await nc.drain();
})();
";

/// Other people's clients come in with a credentials file, and with a seed.
#[test]
fn stock_clients_come_in() {
    let (python, node) = (std::env::var_os("LUNIX_PYTHON"), std::env::var_os("LUNIX_NODE_PATH"));
    let (Some(python), Some(node)) = (python, node) else {
        return testkit::skip::note("stock_clients_come_in", "LUNIX_PYTHON and LUNIX_NODE_PATH name no clients");
    };
    let credentials = directory("jwt-stock-credentials").join("user.creds");
    let token = user_token(&about(&user(1), "u", plain()), &account(2));
    let seed = user(1).seed();
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&credentials, text).unwrap();
    let home = about(&account(2), "home", Account::default());
    let by_key = format!("authorization {{ users: [{{nkey: {}}}] }}", user(1).public());
    for (name, configuration, how, what) in [
        ("jwt-stock", simple(&[&home], ""), "user_credentials", credentials.to_str().unwrap()),
        ("jwt-stock-seed", by_key, "nkeys_seed_str", seed.as_str()),
    ] {
        for server in both(name, &configuration) {
            let url = format!("nats://127.0.0.1:{}", server.port);
            let mut by_python = std::process::Command::new(&python);
            by_python.args(["-c", PYTHON, &url, how, what]);
            let mut by_node = std::process::Command::new("node");
            by_node.env("NODE_PATH", &node).args(["-e", NODE, &url, how, what]);
            for mut client in [by_python, by_node] {
                let output = client.output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert_eq!(
                    String::from_utf8_lossy(&output.stdout),
                    "yes\n",
                    "{name} {:?}: {said}",
                    client.get_program()
                );
            }
        }
    }
}
