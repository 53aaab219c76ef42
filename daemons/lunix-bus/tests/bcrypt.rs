//! Passwords kept as bcrypt hashes: what the reference answers where `NATS_SERVER` names it, and what only ours must do.
#![cfg(feature = "bcrypt")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{DEADLINE, Server, both, ours, reference, with_file};
use std::fs;
use std::time::{Duration, Instant};

const SALT: [u8; 16] = *b"sixteen of these";

fn hash(password: &str, cost: u32) -> String {
    let parts = bcrypt::hash_with_salt(password, cost, SALT).unwrap();
    parts.format_for_version(bcrypt::Version::TwoA)
}

fn answers(server: &Server, said: &str) -> String {
    let mut client = server.client();
    client.expect("\r\n");
    client.answer(said)
}

const REFUSED: &str = "-ERR 'Authorization Violation'\r\n<end>";

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn users_tokens_and_single_users_with_hashes() {
    let users = format!(
        "authorization {{ users: [{{user: a, password: \"{}\"}}, {{user: y, password: \"{}\"}}, {{user: plain, password: p}}, \
         {{user: dollar, password: '$2a$x'}}, {{user: none, password: '$2a$04$short'}}] }}",
        hash("secret", 4),
        hash("secret", 5).replace("$2a$", "$2y$")
    );
    let token = format!("authorization {{ token: '{}' }}", hash("tok", 4));
    let single = format!("authorization {{ user: a, password: '{}' }}", hash("secret", 4).replace("$2a$", "$2b$"));
    let long = "x".repeat(100);
    let limits = format!(
        "authorization {{ users: [{{user: l, password: '{}'}}, {{user: e, password: '{}'}}] }}",
        hash(&long[..72], 4),
        hash("", 4)
    );
    for (name, configuration, cases) in [
        (
            "users",
            &users,
            vec![
                (r#"{"user":"a","pass":"secret","verbose":false}"#, "PONG\r\n"),
                (r#"{"user":"a","pass":"secre","verbose":false}"#, REFUSED),
                (r#"{"user":"a","pass":"","verbose":false}"#, REFUSED),
                (r#"{"user":"a"}"#, REFUSED),
                (r#"{"user":"nobody","pass":"secret"}"#, REFUSED),
                (r#"{}"#, REFUSED),
                (r#"{"user":"y","pass":"secret"}"#, "+OK\r\nPONG\r\n"),
                (r#"{"user":"plain","pass":"p"}"#, "+OK\r\nPONG\r\n"),
                (r#"{"user":"plain","pass":"q"}"#, REFUSED),
                (r#"{"user":"dollar","pass":"$2a$x"}"#, "+OK\r\nPONG\r\n"),
                (r#"{"user":"none","pass":"$2a$04$short"}"#, REFUSED),
            ],
        ),
        (
            "token",
            &token,
            vec![
                (r#"{"auth_token":"tok"}"#, "+OK\r\nPONG\r\n"),
                (r#"{"auth_token":"to"}"#, REFUSED),
                (r#"{}"#, REFUSED),
            ],
        ),
        (
            "single",
            &single,
            vec![
                (r#"{"user":"a","pass":"secret"}"#, "+OK\r\nPONG\r\n"),
                (r#"{"user":"b","pass":"secret"}"#, REFUSED),
                (r#"{"user":"a","pass":"x"}"#, REFUSED),
            ],
        ),
        (
            "limits",
            &limits,
            vec![
                (r#"{"user":"e","pass":""}"#, "+OK\r\nPONG\r\n"),
                (r#"{"user":"e"}"#, "+OK\r\nPONG\r\n"),
                (
                    r#"{"user":"l","pass":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
                    REFUSED,
                ),
                (
                    r#"{"user":"l","pass":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
                    "+OK\r\nPONG\r\n",
                ),
            ],
        ),
    ] {
        for server in both(&format!("bcrypt-{name}"), configuration) {
            for (connect, expected) in &cases {
                assert_eq!(answers(&server, &format!("CONNECT {connect}\r\nPING\r\n")), *expected, "{name} {connect}");
            }
        }
    }
}

#[test]
fn the_command_line_takes_hashes() {
    let hashed = hash("secret", 4);
    for command in reference().into_iter().chain([ours()]) {
        let server = Server::start(command, &["--user", "a", "--pass", &hashed]);
        assert_eq!(answers(&server, "CONNECT {\"user\":\"a\",\"pass\":\"secret\"}\r\nPING\r\n"), "+OK\r\nPONG\r\n");
        assert_eq!(answers(&server, "CONNECT {\"user\":\"a\",\"pass\":\"other\"}\r\nPING\r\n"), REFUSED);
    }
}

/// While a hash is compared the others are served, and what its client sent meanwhile is served afterwards.
#[test]
fn others_are_served_while_a_hash_is_compared() {
    let slow = hash("secret", 9);
    let configuration =
        format!("authorization {{ timeout: 60, users: [{{user: s, password: '{slow}'}}, {{user: p, password: p}}] }}");
    let server = with_file("bcrypt-slow", ours(), &configuration);
    let mut other = server.client();
    other.expect("\r\n");
    other.say(b"CONNECT {\"user\":\"p\",\"pass\":\"p\",\"verbose\":false}\r\nSUB x 1\r\nPING\r\n");
    other.expect("PONG\r\n");
    let mut asking = server.client();
    asking.expect("\r\n");
    asking.say(b"CONNECT {\"user\":\"s\",\"pass\":\"secret\",\"verbose\":false}\r\nPUB x 2\r\nhi\r\nPING\r\n");
    let start = Instant::now();
    let mut pings = 0;
    asking.stream.set_nonblocking(true).unwrap();
    while asking.stream.peek(&mut [0; 1]).is_err() {
        other.say(b"PING\r\n");
        other.read_until(|seen| seen.windows(6).any(|six| six == b"PONG\r\n"));
        pings += 1;
        assert!(start.elapsed() < DEADLINE);
    }
    asking.stream.set_nonblocking(false).unwrap();
    asking.expect("PONG\r\n");
    assert!(pings > 10, "{pings}");
}

/// An unknown name takes as long as a known one.
#[test]
fn time_does_not_tell_which_names_there_are() {
    let hashed = hash("secret", 8);
    let server = with_file(
        "bcrypt-time",
        ours(),
        &format!("authorization {{ timeout: 60, users: [{{user: a, password: '{hashed}'}}] }}"),
    );
    let time = |user: &str| {
        let times = (0..5).map(|_| {
            let start = Instant::now();
            assert_eq!(
                answers(&server, &format!("CONNECT {{\"user\":\"{user}\",\"pass\":\"x\"}}\r\nPING\r\n")),
                REFUSED
            );
            start.elapsed()
        });
        times.min().unwrap()
    };
    time("a");
    let (known, unknown) = (time("a"), time("b"));
    assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} {unknown:?}");
}

/// A hash nobody can compare in time is given up, said so, and those after it are served.
#[test]
fn an_overdue_helper_is_killed_and_another_started() {
    let configuration = format!(
        "authorization {{ timeout: 1, users: [{{user: a, password: '{}'}}, {{user: never, password: '{}'}}] }}",
        hash("secret", 4),
        hash("x", 4).replace("$2a$04$", "$2a$31$")
    );
    let mut server = with_file("bcrypt-overdue", ours(), &configuration);
    let timeout = "-ERR 'Authentication Timeout'\r\n<end>";
    assert_eq!(answers(&server, "CONNECT {\"user\":\"never\",\"pass\":\"x\"}\r\nPING\r\n"), timeout);
    server.log_line("helper for hashed passwords killed");
    assert_eq!(answers(&server, "CONNECT {\"user\":\"a\",\"pass\":\"secret\"}\r\nPING\r\n"), "+OK\r\nPONG\r\n");
}

/// The helper has no privileges and no descriptors but its socket, and ends with the server.
#[test]
fn the_helper_is_alone_and_ends_with_the_server() {
    let configuration = format!("authorization {{ users: [{{user: a, password: '{}'}}] }}", hash("secret", 4));
    let mut server = with_file("bcrypt-alone", ours(), &configuration);
    let children = format!("/proc/{0}/task/{0}/children", server.child.id());
    assert_eq!(fs::read_to_string(&children).unwrap(), "", "none before the first need");
    assert_eq!(answers(&server, "CONNECT {\"user\":\"a\",\"pass\":\"secret\"}\r\nPING\r\n"), "+OK\r\nPONG\r\n");
    let helper = fs::read_to_string(&children).unwrap().trim().to_owned();
    let status = fs::read_to_string(format!("/proc/{helper}/status")).unwrap();
    assert!(status.contains("Name:\tlunix-bus:hash\n") && status.contains("NoNewPrivs:\t1\n"), "{status}");
    assert!(status.contains("CapEff:\t0000000000000000\n"), "{status}");
    server.child.kill().unwrap();
    server.wait();
    let start = Instant::now();
    while fs::exists(format!("/proc/{helper}/exe")).unwrap_or(false)
        && fs::read_link(format!("/proc/{helper}/exe")).is_ok()
    {
        assert!(start.elapsed() < DEADLINE, "helper does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}
