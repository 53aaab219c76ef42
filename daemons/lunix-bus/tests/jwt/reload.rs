//! What a reload does to clients that are there.

use super::*;

/// What a reload does to clients that are there: each scenario with the accounts before and after, and what the client hears.
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn reload() {
    let home = about(&account(2), "home", Account::default());
    let signer = |template: Option<Template>| SigningKey {
        key: account(3).public().to_string(),
        template: template.map(Box::new),
    };
    let with = |change: &dyn Fn(&mut Account)| {
        let mut claims = home.clone();
        change(&mut claims.body);
        claims
    };
    let signed = with(&|body| body.signing_keys.push(signer(None)));
    let role = |subject: &str| {
        let permissions = Permissions {
            publish: Permission { allow: Some(texts(&[subject])), deny: vec![] },
            ..Permissions::default()
        };
        let user = User { permissions, limits: Limits::none(), ..User::default() };
        Template { role: "r".into(), user, ..Template::default() }
    };
    let scope = |subject: &str| with(&|body| body.signing_keys.push(signer(Some(role(subject)))));
    let key = user(1).public().to_string();
    let by_account = user_token(&about(&user(1), "u", plain()), &account(2));
    let mut of_signer = about(&user(1), "u", plain());
    of_signer.body.issuer_account = account(2).public().to_string();
    let by_signer = user_token(&of_signer, &account(3));
    let by_scope = user_token(&scoped_user(1), &account(3));
    let bearer = user_token(&about(&user(1), "u", User { bearer_token: true, ..plain() }), &account(2));
    let revoked = "-ERR 'User Authentication Revoked'\r\n<end>";
    let scenarios = [
        ("nothing", home.clone(), home.clone(), &by_account, SERVED),
        (
            "revoked",
            home.clone(),
            with(&|body| {
                body.revocations.insert(key.clone(), now() + 10);
            }),
            &by_account,
            revoked,
        ),
        (
            "all revoked",
            home.clone(),
            with(&|body| {
                body.revocations.insert("*".into(), now() + 10);
            }),
            &by_account,
            revoked,
        ),
        (
            "revoked long ago",
            home.clone(),
            with(&|body| {
                body.revocations.insert(key.clone(), 5);
            }),
            &by_account,
            SERVED,
        ),
        (
            "full",
            home.clone(),
            with(&|body| body.limits.connections = 0),
            &by_account,
            "-ERR 'maximum account active connections exceeded'\r\n<end>",
        ),
        ("bearer", home.clone(), with(&|body| body.limits.disallow_bearer = true), &bearer, REFUSED),
        ("signer gone", signed.clone(), home.clone(), &by_signer, "<end>"),
        ("signer stays", signed.clone(), signed.clone(), &by_signer, SERVED),
        ("scope changed", scope("a"), scope("b"), &by_scope, "<end>"),
    ];
    for (name, command) in reference().map(|command| ("reference", command)).into_iter().chain([("ours", ours())]) {
        let directory_name = format!("jwt-reload-{name}");
        let other = about(&account(8), "other", Account::default());
        let mut server = with_file(&directory_name, command, &simple(&[&home, &other], ""));
        for (what, before, after, token, expected) in &scenarios {
            change(&directory_name, &mut server, &[before, &other]);
            let mut client = login(&server, token, &user(1), "");
            assert_eq!(client.answer("PING\r\n"), SERVED, "{what}");
            change(&directory_name, &mut server, &[after, &other]);
            assert_eq!(client.answer("PING\r\n"), *expected, "{name}: {what}");
        }
        change(&directory_name, &mut server, &[&home, &other]);
        let mut client = login(&server, &by_account, &user(1), "");
        assert_eq!(client.answer("PING\r\n"), SERVED);
        let stricter = with(&|body| body.default_permissions.publish.allow = Some(texts(&["d"])));
        change(&directory_name, &mut server, &[&stricter, &other]);
        let violation = "-ERR 'Permissions Violation for Publish to \"x\"'\r\nPONG\r\n";
        assert_eq!(client.answer("PUB x 0\r\n\r\nPING\r\n"), violation);
        change(&directory_name, &mut server, &[&other]);
        assert_eq!(client.answer("PING\r\n"), REFUSED, "account gone");
        assert_eq!(answer(&server, &by_account, &user(1)), REFUSED);
    }
}
