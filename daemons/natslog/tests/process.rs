//! The real daemon on a real bus.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Stage, configuration, message, soon};
use natslog::machine::Input;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use testkit::TempDir;

fn tail(stage: &mut Stage, query: &Value) -> Value {
    stage.bus.request("log.tail", query.to_string().as_bytes(), soon()).unwrap().json()
}

/// An address of the loopback that was free a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn the_kernel_says_who_sent_a_line_and_numbers_have_no_holes() {
    let mut stage = Stage::start("");
    for number in 0..500 {
        stage.send(&format!("<13>Jan 31 23:59:59 test[1]: {number}"));
    }
    let events = stage.lines_up_to("499");
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(events[0].subject, format!("log.user-{uid}.notice"));
    let first = events[0].json();
    assert_eq!((&first["pid"], &first["uid"]), (&json!(std::process::id()), &json!(uid)));
    let numbers: Vec<String> = events.iter().map(message).collect();
    assert_eq!(numbers, (0..500).map(|number| number.to_string()).collect::<Vec<_>>());
    let seqs: Vec<u64> = events.iter().map(|event| event.json()["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=500).collect::<Vec<_>>());
}

#[test]
fn the_newest_lines_and_those_since_a_number_are_answered() {
    let mut stage = Stage::start("");
    for number in 0..20 {
        let priority = if number % 2 == 0 { 11 } else { 14 };
        stage.send(&format!("<{priority}>app: {number}"));
    }
    stage.lines_up_to("19");
    let newest = tail(&mut stage, &json!({"count": 2}));
    assert_eq!((&newest["seq"], &newest["oldest"]), (&json!(20), &json!(1)));
    assert_eq!((&newest["items"][0]["message"], &newest["items"][1]["message"]), (&json!("18"), &json!("19")));
    let errors = tail(&mut stage, &json!({"since": 4, "severity": "err", "count": 3}));
    let found: Vec<&Value> = errors["items"].as_array().unwrap().iter().map(|item| &item["seq"]).collect();
    assert_eq!((found, &errors["seq"]), (vec![&json!(5), &json!(7), &json!(9)], &json!(9)));
    let bad = stage.bus.request("log.tail", b"{\"sorce\":1}", soon()).unwrap();
    assert!(bad.header.contains("Nats-Service-Error-Code: 400"), "{}", bad.header);
}

#[test]
fn lines_that_came_while_the_bus_was_away_come_when_it_is_back() {
    let mut stage = Stage::start("");
    stage.send("<13>before");
    stage.line("before");
    stage.server.kill().unwrap();
    stage.natslog.line(soon(), "is away").unwrap();
    for number in 0..300 {
        stage.send(&format!("<13>{number}"));
    }
    stage.server.restart().unwrap();
    let mut bus = stage.server.client().unwrap();
    bus.subscribe("log.*.*").unwrap();
    bus.flush(soon()).unwrap();
    stage.bus = bus;
    // What was sent before we subscribed is in the list.
    stage.natslog.line(soon(), "connected to").unwrap();
    stage.send("<13>last");
    let last = stage.line("last").1["seq"].as_u64().unwrap();
    assert_eq!(last, 302);
    let all = tail(&mut stage, &json!({"since": 1, "count": 1000}));
    let found: Vec<&str> =
        all["items"].as_array().unwrap().iter().filter_map(|item| item["message"].as_str()).collect();
    let expected: Vec<String> = (0..300).map(|number| number.to_string()).chain(["last".to_owned()]).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_the_ring_could_not_keep_is_a_hole_in_the_numbers_that_is_told() {
    let mut stage = Stage::start("ring_bytes = 32768\nline_max = 1024\n");
    stage.server.kill().unwrap();
    stage.natslog.line(soon(), "is away").unwrap();
    let long = "x".repeat(400);
    // The bus's share of them waits in natslog; the ring has no room for the others.
    for number in 0..2000 {
        stage.send(&format!("<13>{number} {long}"));
    }
    stage.server.restart().unwrap();
    stage.natslog.line(soon(), "lines not published").unwrap();
    let mut bus = stage.server.client().unwrap();
    let query = json!({"count": 1}).to_string();
    let deadline = soon();
    let newest = loop {
        let answer = bus.request("log.tail", query.as_bytes(), soon()).unwrap();
        if !answer.payload.is_empty() {
            break answer.json();
        }
        assert!(deadline.left().is_some(), "nobody serves log.tail");
    };
    assert_eq!(newest["seq"], 2000);
    assert!(newest["oldest"].as_u64().unwrap() > 1900, "{newest}");
}

#[test]
fn streams_and_the_network_bring_messages_however_they_are_framed() {
    let (tcp, udp) = (free_address(), free_address());
    let mut stage = Stage::start(&format!("tcp = [\"{tcp}\"]\nudp = [\"{udp}\"]\n"));
    let mut unix = UnixStream::connect(stage.folder.join("stream")).unwrap();
    unix.write_all(b"<13>one\0<13>two\n").unwrap();
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(stage.line("one").0, format!("log.user-{uid}.notice"));
    assert_eq!(stage.line("two").1["pid"], std::process::id());
    let mut stream = TcpStream::connect(&tcp).unwrap();
    stream.write_all(b"27 <14>1 - h app - - - three\nx<11>Oct 11 22:14:15 h app: four\n").unwrap();
    let (subject, line) = stage.line("three\nx");
    assert_eq!((subject.as_str(), &line["host"]), ("log.remote-127%2E0%2E0%2E1.info", &json!("h")));
    assert_eq!(stage.line("four").0, "log.remote-127%2E0%2E0%2E1.err");
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"<34>Oct 11 22:14:15 h su: five", udp).unwrap();
    assert_eq!(stage.line("five").0, "log.auth.crit");
}

#[test]
fn more_connections_than_allowed_are_closed_and_others_go_on() {
    let mut stage = Stage::start("connections_max = 2\n");
    let connect = |stage: &Stage| UnixStream::connect(stage.folder.join("stream")).unwrap();
    let (mut one, mut two) = (connect(&stage), connect(&stage));
    one.write_all(b"<13>one\n").unwrap();
    two.write_all(b"<13>two\n").unwrap();
    stage.line("two");
    let _three = connect(&stage);
    stage.natslog.line(soon(), "a connection was refused: 2 are open").unwrap();
    drop(one);
    two.write_all(b"<13>still here\n").unwrap();
    stage.line("still here");
}

#[test]
fn a_source_that_sends_too_much_is_held_back_and_it_is_told() {
    let mut stage = Stage::start("");
    let config = configuration(stage.folder.path(), "burst_lines = 10\n");
    let text = std::fs::read_to_string(&config).unwrap().replace("lines_per_s = 0", "lines_per_s = 1");
    std::fs::write(&config, text).unwrap();
    stage.natslog.signal(Signal::HUP).unwrap();
    stage.natslog.line(soon(), "configuration read again").unwrap();
    for number in 0..200 {
        stage.send(&format!("<13>{number}"));
    }
    let uid = rustix::process::getuid().as_raw();
    let report = stage.bus.next_where(soon(), "a report", |event| event.subject == "log.natslog.warning").unwrap();
    let text = message(&report);
    assert!(text.starts_with(&format!("too many lines from user-{uid}: some were dropped (lost=1")), "{text}");
}

#[test]
fn an_entry_from_the_bus_is_a_line() {
    let mut stage = Stage::start("");
    let server_side = stage.server.client();
    let mut other = server_side.unwrap();
    other.publish("log.in", br#"{"message":"the heating is on","severity":"warning","program":"heating"}"#).unwrap();
    other.publish("log.in", b"plain").unwrap();
    let (subject, line) = stage.line("the heating is on");
    assert_eq!((subject.as_str(), &line["program"]), ("log.bus.warning", &json!("heating")));
    assert_eq!(stage.line("plain").0, "log.bus.notice");
}

#[test]
fn the_kernel_s_log_is_read_from_its_beginning_and_followed() {
    let path = "/dev/kmsg";
    let text = format!("natslog-test-{}: hello", std::process::id());
    if std::fs::read_to_string("/proc/sys/kernel/printk_devkmsg").is_ok_and(|text| text.trim() == "off") {
        return testkit::skip::note("kernel_log", "programs may not write to the kernel's log here");
    }
    // Without its line feed nobody would see it before the next one.
    let record = format!("{text}\n");
    let written =
        std::fs::OpenOptions::new().write(true).open(path).and_then(|mut kmsg| kmsg.write_all(record.as_bytes()));
    if let Err(error) = written.and_then(|()| std::fs::File::open(path).map(drop)) {
        return testkit::skip::note("kernel_log", &format!("{path}: {error}"));
    }
    let mut stage = Stage::start("");
    let config = configuration(stage.folder.path(), "");
    let kmsg = std::fs::read_to_string(&config).unwrap().replace("kmsg = \"\"\n", "");
    std::fs::write(&config, kmsg).unwrap();
    stage.natslog.end(soon()).unwrap();
    stage.natslog = stage.server.daemon("natslog", &["--config", config.to_str().unwrap()]).unwrap();
    let (subject, line) = stage.line(&text);
    assert!(subject.starts_with("log.kernel."), "{subject}");
    assert_eq!(line["facility"], "user");
}

#[test]
fn it_ends_in_order_and_its_recording_can_be_played_again() {
    let folder = TempDir::new("log").unwrap();
    let trace = folder.join("inputs.trace");
    let mut stage = Stage::start("");
    stage.natslog.end(soon()).unwrap();
    let config = configuration(stage.folder.path(), "");
    let words = ["--config", config.to_str().unwrap(), "--record", trace.to_str().unwrap()];
    stage.natslog = stage.server.daemon("natslog", &words).unwrap();
    stage.send("<13>recorded");
    stage.line("recorded");
    stage.natslog.signal(Signal::TERM).unwrap();
    assert!(stage.natslog.exit(soon()).unwrap().success());
    let text = std::fs::read_to_string(trace).unwrap();
    let inputs: Vec<Input<'static>> =
        text.lines().map(|line| serde_json::from_str(&line[line.find(" {").unwrap()..]).unwrap()).collect();
    assert!(matches!(&inputs[..], [Input::Line(arrival)] if *arrival.bytes == *b"<13>recorded"), "{inputs:?}");
}
