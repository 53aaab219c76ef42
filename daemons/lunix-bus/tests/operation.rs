//! Monitoring and the end of a server's life, asked of nats-server (where `NATS_SERVER` names it) and of us in the same words.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{DEADLINE, Server, directory, ours, reference};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs `test` with nats-server and with us, both configured the same way.
fn both(name: &str, configuration: &str, mut test: impl FnMut(&mut Server, &Path)) {
    let directory = directory(name);
    let file = directory.join("nats.conf");
    std::fs::write(&file, configuration).unwrap();
    for command in reference().into_iter().chain([ours()]) {
        test(&mut Server::start(command, &["-c", file.to_str().unwrap()]), &directory);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Asks for a page until `enough` is satisfied.
fn page_with(server: &Server, target: &str, enough: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let page = server.json(target);
        if enough(&page) {
            return page;
        }
        assert!(start.elapsed() < DEADLINE, "{target}: {page}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn varz_counts_messages_and_bytes() {
    both("varz", "http: 127.0.0.1:-1", |server, _| {
        let mut client = server.client();
        client.connect();
        client.say(b"SUB a 1\r\nSUB a 2\r\nPUB a 3\r\nabc\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        client.ping();
        let page = page_with(server, "/varz", |page| page["in_msgs"] == 2);
        for (key, value) in
            [("in_bytes", 17), ("out_msgs", 4), ("out_bytes", 34), ("connections", 1), ("slow_consumers", 0)]
        {
            assert_eq!(page[key], value, "{key} in {page}");
        }
        assert_eq!((&page["max_payload"], &page["ping_interval"]), (&json!(1 << 20), &json!(120_000_000_000_u64)));
        assert_eq!(page["port"], server.port);
        for key in [
            "server_id",
            "server_name",
            "version",
            "start",
            "now",
            "uptime",
            "mem",
            "cores",
            "cpu",
            "routes",
            "subscriptions",
            "total_connections",
            "max_connections",
            "http_req_stats",
            "config_load_time",
        ] {
            assert!(!page[key].is_null(), "{key} in {page}");
        }
        assert_eq!(page["http_req_stats"]["/varz"].as_u64().map(|count| count > 0), Some(true));
    });
}

#[test]
fn connz_lists_the_open_and_the_closed() {
    both("connz", "http: 127.0.0.1:-1", |server, _| {
        let (mut first, mut second, mut third) = (server.client(), server.client(), server.client());
        first.expect("\r\n");
        first.say(b"CONNECT {\"verbose\":false,\"name\":\"n\",\"lang\":\"x\",\"version\":\"1.2\"}\r\nSUB a.> q 7\r\nSUB b 8\r\nPUB b 0\r\n\r\n");
        first.ping();
        second.connect();
        third.connect();
        third.say(b"BOGUS\r\n");
        third.rest();
        let page = page_with(server, "/connz?subs=1", |page| page["num_connections"] == 2);
        let rows = page["connections"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == "n").unwrap();
        assert_eq!((&page["total"], &page["offset"], &page["limit"]), (&json!(2), &json!(0), &json!(1024)));
        for (key, value) in [
            ("name", json!("n")),
            ("lang", json!("x")),
            ("version", json!("1.2")),
            ("in_msgs", json!(1)),
            ("out_msgs", json!(1)),
            ("subscriptions", json!(2)),
            ("pending_bytes", json!(0)),
            ("ip", json!("127.0.0.1")),
            ("port", json!(first.stream.local_addr().unwrap().port())),
        ] {
            assert_eq!(row[key], value, "{key} in {row}");
        }
        let mut subjects: Vec<_> =
            row["subscriptions_list"].as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["a.>", "b"]);
        let detail = server.json("/connz?subs=detail&sort=subs");
        let list = detail["connections"][0]["subscriptions_list_detail"].as_array().unwrap();
        assert!(
            list.iter().any(|item| item["qgroup"] == "q" && item["sid"] == "7" && item["subject"] == "a.>"),
            "{detail}"
        );
        let closed = page_with(server, "/connz?state=closed", |page| page["num_connections"] == 1);
        assert_eq!(closed["connections"][0]["reason"], "Protocol Violation");
        assert!(closed["connections"][0]["stop"].is_string());
        let second = server.json("/connz?state=any&offset=1&limit=1");
        assert_eq!((&second["num_connections"], &second["total"]), (&json!(1), &json!(3)));
        assert_eq!(server.page("/connz?sort=bogus"), (400, "invalid sorting option: bogus".into()));
        assert_eq!(server.page("/connz?state=bogus"), (400, "Error decoding state for bogus".into()));
        assert_eq!(server.page("/connz?limit=x").0, 400);
        first.ping();
    });
}

#[test]
fn subsz_and_the_small_pages() {
    both("subsz", "http_port: -1", |server, _| {
        let mut client = server.client();
        client.connect();
        client.say(b"SUB a.* q 1\r\nSUB a.b 2\r\nSUB c 3\r\n");
        client.ping();
        let listed = |target: &str| {
            let page = server.json(target);
            let list = page["subscriptions_list"].as_array().unwrap().iter().filter(|row| row["account"] == "$G");
            let mut list: Vec<_> = list.map(|row| row["subject"].as_str().unwrap().to_owned()).collect();
            list.retain(|subject| !subject.starts_with("$SYS"));
            list.sort_unstable();
            list
        };
        assert_eq!(listed("/subsz?subs=1"), ["a.*", "a.b", "c"]);
        assert_eq!(listed("/subsz?subs=1&test=a.b"), ["a.*", "a.b"]);
        assert!(server.json("/subsz")["num_subscriptions"].as_u64().unwrap() >= 3);
        assert_eq!(server.page("/healthz"), (200, "{\"status\":\"ok\"}".into()));
        assert_eq!(server.json("/routez")["num_routes"], 0);
        assert_eq!(server.json("/leafz")["leafnodes"], 0);
        assert!(server.json("/accountz")["accounts"].as_array().unwrap().contains(&json!("$G")));
        assert_eq!(server.json("/accountz?acc=%24G")["account_detail"]["client_connections"], 1);
        assert_eq!(server.page("/bogus"), (404, "404 page not found\n".into()));
        assert_eq!(server.page("/").0, 200);
    });
}

#[test]
fn a_lame_duck_tells_its_clients_refuses_new_ones_and_ends() {
    both("duck", "http: 127.0.0.1:-1\nlame_duck_duration: 30s\nlame_duck_grace_period: 1s", |server, _| {
        let (mut told, mut old, mut raw) = (server.client(), server.client(), server.client());
        told.expect("\r\n");
        told.say(b"CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n");
        told.read_until(|seen| seen.windows(12).any(|part| part == b"connect_info"));
        told.ping();
        old.connect();
        raw.expect("\r\n");
        server.signal("USR2");
        let info = told.expect("} \r\n");
        assert!(info.starts_with("INFO {") && info.contains("\"ldm\":true"), "{info}");
        assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
        let start = Instant::now();
        assert_eq!(server.page("/healthz").0, 500);
        told.ping();
        // Nobody is sent away in the first second; then all three are, with nothing said.
        for client in [&mut told, &mut old, &mut raw] {
            assert!(["", "PING\r\n"].contains(&client.rest().as_str()));
        }
        assert!(start.elapsed() > Duration::from_millis(500));
        assert!(server.wait().success());
    });
}

#[test]
fn a_lame_duck_without_clients_ends_at_once() {
    both("alone", "", |server, _| {
        server.signal("USR2");
        assert!(server.wait().success());
    });
}

#[test]
fn signals_are_sent_by_name() {
    both("signal", "", |server, directory| {
        let log = |line: &str, server: &mut Server| server.log_line(line);
        let program = std::fs::read_link(format!("/proc/{}/exe", server.child.id())).unwrap();
        let tell = |command: &str| Command::new(&program).args(["--signal", command]).output().unwrap();
        let process = server.child.id();
        assert!(tell(&format!("reopen={process}")).status.success());
        let file = directory.join("pid");
        std::fs::write(&file, process.to_string()).unwrap();
        assert!(tell(&format!("reload={}", file.display())).status.success());
        log("Reloaded", server);
        for bad in ["bogus", "ldm=/nowhere", "ldm=2147483646"] {
            let output = tell(bad);
            assert!(!output.status.success() && !output.stderr.is_empty(), "{bad}");
        }
        assert!(tell(&format!("quit={process}")).status.success());
        server.wait();
    });
}

#[test]
fn monitoring_is_bounded_and_disturbs_nobody() {
    let server = Server::start(ours(), &["-m", "-1"]);
    let mut client = server.client();
    client.connect();
    let mut idle: Vec<_> = (0..40).map(|_| TcpStream::connect(("127.0.0.1", server.http_port)).unwrap()).collect();
    for stream in &mut idle {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"GET /varz").unwrap();
    }
    assert_eq!(server.page("/healthz").0, 200);
    // The places of the oldest are given to others.
    assert!(matches!(idle[0].read(&mut [0]), Ok(0) | Err(_)));
    let mut giant = TcpStream::connect(("127.0.0.1", server.http_port)).unwrap();
    giant.set_read_timeout(Some(DEADLINE)).unwrap();
    giant.write_all(&[b"GET /".as_slice(), &[b'x'; 3000]].concat()).unwrap();
    let mut answer = String::new();
    giant.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    for number in 0..300 {
        let mut gone = server.client();
        gone.say(format!("CONNECT {{\"name\":\"{number}\"}}\r\nPING\r\n").as_bytes());
        gone.expect("PONG\r\n");
    }
    let closed = page_with(&server, "/connz?state=closed&limit=1", |page| page["total"] == 256);
    assert_eq!(closed["num_connections"], 1);
    client.ping();
}
