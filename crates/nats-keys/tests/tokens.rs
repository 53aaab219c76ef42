//! Tokens good and bad; those under `tests/data` were made by the public JavaScript library.
#![expect(clippy::unwrap_used, reason = "a test")]

use nats_keys::{
    Account, AccountLimits, Activation, AuthorizationRequest, AuthorizationResponse, Body, Claims, ConnectOptions,
    Error, Export, Import, KeyPair, Kind, Latency, Limits, Mapping, Operator, Permission, Permissions, Responses, Role,
    SigningKey, Template, TimeRange, Tls, User, decode, encode, encode_base64, is_revoked,
};

const NOW: i64 = 1_800_000_000;

fn pair(role: Role, number: u8) -> KeyPair {
    KeyPair::new(role, [number; 32])
}

fn about<T: Body>(subject: &KeyPair, body: T) -> Claims<T> {
    Claims { subject: subject.public().to_string(), ..Claims::new(body) }
}

fn there_and_back<T: Body + PartialEq + std::fmt::Debug>(claims: Claims<T>, issuer: &KeyPair) {
    let read: Claims<T> = decode(&encode(&claims, issuer, NOW).unwrap()).unwrap();
    assert_eq!((read.issuer.as_str(), read.issued_at), (issuer.public().to_string().as_str(), NOW));
    assert_eq!(read.id.len(), 52);
    assert_eq!(Claims { issuer: String::new(), issued_at: 0, id: String::new(), ..read }, claims);
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn full_user() -> User {
    User {
        permissions: Permissions {
            publish: Permission { allow: Some(texts(&["a.>"])), deny: texts(&["a.b"]) },
            subscribe: Permission { allow: Some(texts(&["c q"])), deny: texts(&["d"]) },
            responses: Some(Responses { messages_max: 3, expires_ns: 1_000_000_000 }),
        },
        limits: Limits {
            networks: texts(&["10.0.0.0/8"]),
            times: vec![TimeRange { start: "08:00:00".into(), end: "17:00:00".into() }],
            time_zone: "Europe/Berlin".into(),
            subscriptions: 10,
            data: -1,
            payload: 1024,
        },
        bearer_token: true,
        allowed_connection_types: texts(&["STANDARD", "WEBSOCKET"]),
        proxy_required: true,
        issuer_account: pair(Role::Account, 1).public().to_string(),
    }
}

#[test]
fn what_is_written_reads_back() {
    let (operator, account, user) = (pair(Role::Operator, 0), pair(Role::Account, 1), pair(Role::User, 2));
    let body = Operator {
        signing_keys: texts(&["O1"]),
        account_server_url: "https://a".into(),
        operator_service_urls: texts(&["nats://a"]),
        system_account: "A1".into(),
        assert_server_version: "2.1.0".into(),
        strict_signing_key_usage: true,
    };
    there_and_back(about(&operator, body), &operator);
    there_and_back(about(&operator, Operator::default()), &operator);
    let claims = Claims {
        audience: "x".into(),
        expires: NOW + 5,
        name: "ada".into(),
        not_before: 4,
        tags: texts(&["team:red"]),
        ..about(&user, full_user())
    };
    there_and_back(claims, &account);
    there_and_back(about(&user, User::default()), &account);
    there_and_back(about(&account, Account::default()), &operator);
    let mut export = Export::new(Kind::Service, "s.*");
    export.latency = Some(Latency { sampling: 50, results: "l".into() });
    export.account_token_position = 2;
    export.revocations.insert("*".into(), 5);
    export.token_required = true;
    export.response_type = nats_keys::ResponseType::Chunked;
    let mut import = Import::new(Kind::Stream, "A2", "t.>");
    import.local_subject = "u.>".into();
    let mut headers = Export::new(Kind::Service, "h");
    headers.latency = Some(Latency { sampling: 0, results: "l".into() });
    let body = Account {
        imports: vec![import],
        exports: vec![export, headers, Export::new(Kind::Stream, "e")],
        limits: AccountLimits { connections: 5, ..AccountLimits::none() },
        signing_keys: vec![
            SigningKey { key: "A3".into(), template: None },
            SigningKey {
                key: "A4".into(),
                template: Some(Box::new(Template {
                    role: "r".into(),
                    description: "d".into(),
                    user: User { issuer_account: String::new(), ..full_user() },
                })),
            },
        ],
        revocations: [("U1".to_owned(), 7)].into(),
        default_permissions: full_user().permissions,
        mappings: [("m".to_owned(), vec![Mapping { subject: "n".into(), weight: 40, cluster: "c".into() }])].into(),
        ..Account::default()
    };
    there_and_back(about(&account, body), &operator);
    let body = Activation { import_subject: "s".into(), kind: Kind::Service, issuer_account: "A".into() };
    there_and_back(about(&account, body), &account);
    let request = AuthorizationRequest {
        options: ConnectOptions { user: "u".into(), password: "p".into(), protocol: 1, ..ConnectOptions::default() },
        tls: Some(Tls { verified_chains: vec![texts(&["pem"])], ..Tls::default() }),
        ..AuthorizationRequest::default()
    };
    assert!(!format!("{request:?}").contains("password"));
    there_and_back(about(&user, request), &pair(Role::Server, 3));
    let response = AuthorizationResponse { error: "no".into(), ..AuthorizationResponse::default() };
    there_and_back(about(&user, response), &account);
}

/// A token of any text, signed as version 2 asks for.
fn signed(header: &str, claims: &str, issuer: &KeyPair) -> String {
    let body = format!("{}.{}", encode_base64(header.as_bytes()), encode_base64(claims.as_bytes()));
    let signature = encode_base64(&issuer.sign(body.as_bytes()));
    format!("{body}.{signature}")
}

const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

#[test]
fn headers_good_and_bad() {
    let account = pair(Role::Account, 1);
    let claims = format!(r#"{{"iss":"{}","sub":"U","nats":{{"type":"user","version":2}}}}"#, account.public());
    for good in [HEADER, r#"{"typ":"jwt","alg":"ED25519"}"#, r#"{"alg":"ed25519-nkey","typ":"JWT","kid":"x"}"#] {
        assert!(decode::<User>(&signed(good, &claims, &account)).is_ok(), "{good}");
    }
    for (bad, error) in [
        (r#"{"typ":"JWS","alg":"ed25519-nkey"}"#, Error::Header),
        (r#"{"typ":"JWT","alg":"none"}"#, Error::Header),
        (r#"{"typ":"JWT","alg":"ed25519-nke"}"#, Error::Header),
        (r#"{"alg":"ed25519-nkey"}"#, Error::Header),
        (r#"{"typ":1,"alg":"ed25519-nkey"}"#, Error::Claim("typ".into())),
        ("[]", Error::Claim("header".into())),
    ] {
        assert_eq!(decode::<User>(&signed(bad, &claims, &account)).unwrap_err(), error, "{bad}");
    }
    assert!(matches!(decode::<User>(&signed("{", &claims, &account)), Err(Error::Json(_))));
}

#[test]
fn claims_good_and_bad() {
    let account = pair(Role::Account, 1);
    let user = |more: &str, nats: &str| {
        let claims = format!(r#"{{"iss":"{}","sub":"U"{more},"nats":{nats}}}"#, account.public());
        decode::<User>(&signed(HEADER, &claims, &account))
    };
    let good = r#"{"type":"user","version":2,"subs":null,"pub":null,"src":"10.0.0.0/8, ::1/128","Bearer_Token":true}"#;
    let read = user("", good).unwrap().body;
    assert_eq!((read.limits.subscriptions, read.bearer_token), (0, true));
    assert_eq!(read.limits.networks, ["10.0.0.0/8", "::1/128"]);
    for (more, nats, error) in [
        ("", r#"{"type":"user","version":3}"#, Error::Version(3)),
        ("", r#"{"type":"user"}"#, Error::Version(0)),
        ("", r#"{"type":"account","version":2}"#, Error::Type("account".into())),
        ("", r#"{"version":2}"#, Error::Type(String::new())),
        ("", "null", Error::Type(String::new())),
        ("", "[]", Error::Claim("nats".into())),
        (r#","exp":"1""#, r#"{"type":"user","version":2}"#, Error::Claim("exp".into())),
        (r#","exp":1.5"#, r#"{"type":"user","version":2}"#, Error::Claim("exp".into())),
        (r#","name":[]"#, r#"{"type":"user","version":2}"#, Error::Claim("name".into())),
        ("", r#"{"type":"user","version":2,"pub":{"allow":"x"}}"#, Error::Claim("allow".into())),
        ("", r#"{"type":"user","version":2,"pub":{"allow":[1]}}"#, Error::Claim("allow".into())),
        ("", r#"{"type":"user","version":2,"times":[1]}"#, Error::Claim("times".into())),
        ("", r#"{"type":"user","version":2,"bearer_token":1}"#, Error::Claim("bearer_token".into())),
    ] {
        assert_eq!(user(more, nats).unwrap_err(), error, "{more} {nats}");
    }
}

#[test]
fn tokens_that_are_none() {
    for (token, error) in
        [("", Error::Parts), ("a.b", Error::Parts), ("a.b.c.d", Error::Parts), ("=.b.c", Error::Encoding)]
    {
        assert_eq!(decode::<User>(token).unwrap_err(), error, "{token}");
    }
    assert_eq!(decode::<User>(&"A".repeat(nats_keys::TOKEN_BYTES_MAX + 1)).unwrap_err(), Error::TooLong);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(decode::<User>(&signed(HEADER, &deep, &pair(Role::Account, 1))), Err(Error::Json(_))));
}

#[test]
fn a_changed_token_is_not_accepted() {
    let token = encode(&about(&pair(Role::User, 2), User::default()), &pair(Role::Account, 1), NOW).unwrap();
    // The last letter of a signature has bits that say nothing.
    for place in 0..token.len() - 1 {
        let letter = if &token[place..=place] == "A" { "B" } else { "A" };
        let changed = format!("{}{letter}{}", &token[..place], &token[place + 1..]);
        assert!(decode::<User>(&changed).is_err(), "{place}");
    }
}

#[test]
fn only_some_may_sign() {
    let (operator, account, user) = (pair(Role::Operator, 0), pair(Role::Account, 1), pair(Role::User, 2));
    assert_eq!(encode(&about(&user, User::default()), &operator, NOW), Err(Error::Issuer));
    assert_eq!(encode(&about(&account, Account::default()), &user, NOW), Err(Error::Issuer));
    assert_eq!(encode(&Claims::new(User::default()), &account, NOW), Err(Error::Claim("sub".into())));
    let claims = format!(r#"{{"iss":"{}","sub":"U","nats":{{"type":"user","version":2}}}}"#, operator.public());
    assert_eq!(decode::<User>(&signed(HEADER, &claims, &operator)).unwrap_err(), Error::Issuer);
    // Somebody else's name under one's own signature.
    let claims = format!(r#"{{"iss":"{}","sub":"U","nats":{{"type":"user","version":2}}}}"#, account.public());
    assert_eq!(decode::<User>(&signed(HEADER, &claims, &pair(Role::Account, 9))).unwrap_err(), Error::Signature);
}

#[test]
fn version_1_signs_the_claims_alone() {
    let account = pair(Role::Account, 1);
    let claims = format!(
        r#"{{"iss":"{0}","sub":"U","type":"user","tags":["a"],"issuer_account":"{0}","nats":{{"subs":5}}}}"#,
        account.public()
    );
    let part = encode_base64(claims.as_bytes());
    let header = encode_base64(br#"{"typ":"jwt","alg":"ed25519"}"#);
    let token = format!("{header}.{part}.{}", encode_base64(&account.sign(part.as_bytes())));
    let read: Claims<User> = decode(&token).unwrap();
    assert_eq!((read.tags, read.body.limits.subscriptions), (texts(&["a"]), 5));
    assert_eq!(read.body.issuer_account, account.public().to_string());
    // A version 2 signature does not do.
    assert_eq!(
        decode::<User>(&signed(r#"{"typ":"jwt","alg":"ed25519"}"#, &claims, &account)).unwrap_err(),
        Error::Signature
    );
}

#[test]
fn times() {
    let claims = Claims { expires: 100, not_before: 50, ..Claims::new(User::default()) };
    assert!(!claims.is_expired(100) && claims.is_expired(101));
    assert!(claims.is_early(49) && !claims.is_early(50));
    let always = Claims::new(User::default());
    assert!(!always.is_expired(i64::MAX) && !always.is_early(0));
}

#[test]
fn revocations() {
    let list = [("U1".to_owned(), 100), ("U2".to_owned(), 10)].into();
    for (key, issued, revoked) in [("U1", 100, true), ("U1", 101, false), ("U2", 11, false), ("U3", 0, false)] {
        assert_eq!(is_revoked(&list, key, issued), revoked, "{key} {issued}");
    }
    let all = [("U1".to_owned(), 100), ("*".to_owned(), 50)].into();
    for (key, issued, revoked) in [("U1", 60, true), ("U3", 50, true), ("U3", 51, false)] {
        assert_eq!(is_revoked(&all, key, issued), revoked, "{key} {issued}");
    }
}

#[test]
fn a_scoped_user_says_nothing_itself() {
    assert!(User { issuer_account: "A".into(), ..User::default() }.is_scoped());
    assert!(!User { limits: Limits::none(), ..User::default() }.is_scoped());
    assert!(!User { bearer_token: true, ..User::default() }.is_scoped());
}

#[test]
fn tokens_of_another_library() {
    let read =
        |name: &str| std::fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (operator, account) =
        (pair(Role::Operator, 0).public().to_string(), pair(Role::Account, 1).public().to_string());
    let signer = pair(Role::Account, 9).public().to_string();

    let claims: Claims<Operator> = decode(&read("operator.jwt")).unwrap();
    assert_eq!(
        (&claims.issuer, &claims.body.signing_keys[0], &claims.body.system_account),
        (&operator, &operator, &account)
    );

    let claims: Claims<Account> = decode(&read("account.jwt")).unwrap();
    assert_eq!((claims.expires, claims.body.limits.connections), (4_102_444_800, 5));
    assert_eq!((claims.body.exports[0].kind, claims.body.exports[0].subject.as_str()), (Kind::Stream, "s.>"));
    assert_eq!((claims.body.imports[0].kind, claims.body.imports[0].to.as_str()), (Kind::Service, "q2"));
    let template = claims.body.signing_keys[0].template.as_deref().unwrap();
    assert_eq!((claims.body.signing_keys[0].key.as_str(), template.role.as_str()), (signer.as_str(), "role"));
    assert_eq!(template.user.permissions.publish.allow, Some(texts(&["x.{{name()}}"])));
    assert_eq!(template.user.limits.subscriptions, -1);

    let claims: Claims<User> = decode(&read("user.jwt")).unwrap();
    assert_eq!((claims.audience.as_str(), claims.not_before, claims.body.limits.subscriptions), ("aud", 5, 7));
    assert_eq!(
        (claims.body.limits.networks, claims.body.allowed_connection_types),
        (texts(&["10.0.0.0/8"]), texts(&["STANDARD"]))
    );
    let claims: Claims<User> = decode(&read("user-v1.jwt")).unwrap();
    assert_eq!(claims.body.limits.subscriptions, 7);

    let claims: Claims<Activation> = decode(&read("activation.jwt")).unwrap();
    assert_eq!((claims.body.kind, claims.body.import_subject.as_str()), (Kind::Stream, "s.>"));

    let credentials = nats_keys::Credentials::parse(&read("user.creds")).unwrap();
    let claims: Claims<User> = decode(&credentials.token).unwrap();
    assert_eq!(claims.subject, credentials.key.public().to_string());
}
