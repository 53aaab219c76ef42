//! `sub`, `pub` and `req` against a real bus, judged by a client that is not ours.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Bed, Ended, lunix, soon};
use std::io::Write as _;
use std::process::Stdio;

/// Starts `sub` and publishes a mark until it shows, so that the subscription stands.
fn subscribed(bed: &Bed, arguments: &[&str]) -> testkit::process::Process {
    let mut sub = bed.spawn(arguments);
    wait_for_mark(bed, &mut sub);
    sub
}

fn wait_for_mark(bed: &Bed, sub: &mut testkit::process::Process) {
    let mut client = bed.client();
    for _ in 0..200 {
        client.publish("t.mark", br#"{"f":"mark"}"#).unwrap();
        if sub.line(testkit::Deadline::seconds(1), "mark").is_ok() {
            return;
        }
    }
    panic!("no subscription: {}", sub.printed());
}

fn next(sub: &mut testkit::process::Process) -> String {
    sub.line_where(soon(), "a line that is no mark", |line| !line.contains("mark")).unwrap()
}

#[test]
fn messages_are_lines() {
    let Some(bed) = Bed::start("messages_are_lines") else { return };
    let mut sub = subscribed(&bed, &["sub", "t.>"]);
    let mut client = bed.client();
    client.publish("t.a", b"two\nlines").unwrap();
    assert_eq!(next(&mut sub), "t.a two\\nlines");
    client.publish("t.b.c", b"{\"a\":\n1}").unwrap();
    assert_eq!(next(&mut sub), "t.b.c {\"a\": 1}");
    client.publish("t.d", b"").unwrap();
    assert_eq!(next(&mut sub), "t.d ");
}

#[test]
fn one_field_is_printed_alone_and_counted() {
    let Some(bed) = Bed::start("one_field_is_printed_alone_and_counted") else { return };
    let mut sub = bed.spawn(&["sub", "t.>", "--get", "f", "--count", "3"]);
    wait_for_mark(&bed, &mut sub);
    let mut client = bed.client();
    for payload in [&br#"{"g":1}"#[..], b"f", br#"{"f":"/dev/sda1"}"#, br#"{"f":[1,2]}"#, br#"{"f":"more"}"#] {
        client.publish("t.x", payload).unwrap();
    }
    // The mark may have been printed more than once, so the count may be reached early: the end is what matters.
    assert!(sub.exit(soon()).unwrap().success());
    let deadline = soon();
    while sub.printed().lines().count() < 3 {
        assert!(deadline.left().is_some(), "{}", sub.printed());
        std::thread::yield_now();
    }
    assert_eq!(sub.printed().lines().count(), 3, "{}", sub.printed());
    assert!(!sub.printed().contains("more"));
}

#[test]
fn it_comes_back_when_the_bus_does() {
    let Some(mut bed) = Bed::start("it_comes_back_when_the_bus_does") else { return };
    bed.down();
    let mut sub = bed.spawn(&["sub", "t.>"]);
    sub.line(soon(), "is away").unwrap();
    bed.up();
    wait_for_mark(&bed, &mut sub);
    bed.down();
    sub.line(soon(), "is away").unwrap();
    bed.up();
    wait_for_mark(&bed, &mut sub);
    assert_eq!(sub.printed().matches("is away").count(), 2, "{}", sub.printed());
}

#[test]
fn a_reader_that_leaves_ends_it_at_once() {
    let Some(bed) = Bed::start("a_reader_that_leaves_ends_it_at_once") else { return };
    let mut command = lunix(&["sub", "t.>"]);
    let mut child = command.env("NATS_URL", &bed.url).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn what_is_published_arrives_with_headers_and_reply() {
    let Some(bed) = Bed::start("what_is_published_arrives_with_headers_and_reply") else { return };
    let mut client = bed.client();
    client.subscribe("t.x").unwrap();
    assert_eq!(bed.run(&["pub", "t.x", "hello"]), Ended { code: Some(0), out: String::new(), err: String::new() });
    assert_eq!(client.next(soon()).unwrap().text(), "hello");
    let done = bed.run(&["pub", "t.x", "-H", "A: b:c", "-H", "A:d", "--reply", "t.r", "--", "-x"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let message = client.next(soon()).unwrap();
    assert_eq!((message.text().as_str(), message.reply.as_str()), ("-x", "t.r"));
    assert!(message.header.contains("A: b:c\r\nA: d\r\n"), "{message:?}");
    let mut piped = lunix(&["pub", "t.x", "-"]).env("NATS_URL", &bed.url).stdin(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(b"from\0a pipe\n").unwrap();
    assert!(piped.wait().unwrap().success());
    assert_eq!(client.next(soon()).unwrap().payload, b"from\0a pipe\n");
}

#[test]
fn answers_and_errors_of_requests() {
    let Some(bed) = Bed::start("answers_and_errors_of_requests") else { return };
    bed.run(&["req", "nobody.there"]).refuses(69, "nobody.there: nobody serves this subject");
    let mut service = bed.client();
    service.subscribe("s").unwrap();
    let ask = |arguments: &[&str]| {
        lunix(arguments).env("NATS_URL", &bed.url).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    let mut answered = |arguments: &[&str], answer: &[u8]| {
        let child = ask(arguments).unwrap();
        let request = service.next_where(soon(), "the request", |message| message.subject == "s").unwrap();
        service.publish(&request.reply, answer).unwrap();
        (request, Ended::from(child.wait_with_output().unwrap()))
    };
    let (request, done) = answered(&["req", "s", "what"], br#"{"a":{"b":"c"}}"#);
    assert_eq!((request.text().as_str(), done.out.as_str()), ("what", "{\"a\":{\"b\":\"c\"}}\n"));
    assert_eq!(answered(&["req", "s", "--get", "a.b"], br#"{"a":{"b":"c"}}"#).1.out, "c\n");
    answered(&["req", "s", "--get", "a.x"], br#"{"a":{"b":"c"}}"#).1.refuses(65, "no field a.x");
    let late = ask(&["req", "s", "--timeout", "100ms"]).unwrap().wait_with_output().unwrap();
    Ended::from(late).refuses(75, "s: no answer in time");
}

#[test]
fn errors_in_headers_are_sentences_with_codes() {
    let Some(bed) = Bed::start("errors_in_headers_are_sentences_with_codes") else { return };
    let mut service = bed.client();
    service.subscribe("s").unwrap();
    for (code, exit) in [("400", 65), ("404", 65), ("413", 65), ("403", 77), ("503", 69), ("500", 71)] {
        let mut command = lunix(&["req", "s"]);
        let child = command.env("NATS_URL", &bed.url).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let request = service.next_where(soon(), "the request", |message| message.subject == "s").unwrap();
        let (code, text) = (format!("Nats-Service-Error-Code:{code}"), "Nats-Service-Error:because");
        assert_eq!(bed.run(&["pub", &request.reply, "-H", &code, "-H", text]).code, Some(0));
        Ended::from(child.wait_with_output().unwrap()).refuses(exit, "s: because");
    }
}

#[test]
fn a_permission_violation_is_a_sentence() {
    let configuration = "authorization { users = [ { user: u, password: p, permissions: { publish: \"ok\", subscribe: [\"ok\", \"_INBOX.>\"] } } ] }";
    let Some(bed) = Bed::configured("a_permission_violation_is_a_sentence", configuration) else { return };
    let url = bed.url.replace("nats://", "nats://u:p@");
    let run = |arguments: &[&str]| Ended::from(lunix(arguments).env("NATS_URL", &url).output().unwrap());
    assert_eq!(run(&["pub", "ok", "x"]).code, Some(0));
    run(&["pub", "secret", "x"]).refuses(77, "secret was not published: the bus says: Permissions Violation");
    run(&["req", "secret"]).refuses(77, "secret: the bus says: Permissions Violation");
    run(&["sub", "secret"]).refuses(77, "the bus says: Permissions Violation");
    run(&["sub", "--state", "secret.x"]).refuses(77, "the bus says: Permissions Violation");
    bed.run(&["pub", "ok", "x"]).refuses(77, "Authorization Violation");
    bed.run(&["sub", "ok"]).refuses(77, "Authorization Violation");
}
