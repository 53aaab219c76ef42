//! The WebSocket listener as nats-server has it: the same tables to both, and what is our own. The reference takes part where
//! `NATS_SERVER` names its binary.
#![cfg(feature = "websocket")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{DEADLINE, Server, directory, ours, reference};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use websocket::{Opcode, header};

const BLOCK: &str = "host: 127.0.0.1, port: -1, no_tls: true";

/// A request that is granted.
const FIELDS: &str = "Host: bus.local\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// A masked frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [7, 0, 0xff, 9];
    let mut out = header(Opcode::Binary, payload.len(), false).to_vec();
    out[0] = first;
    out[1] |= 0x80;
    out.extend(key);
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

/// A WebSocket of a client.
struct Socket(TcpStream);

impl Socket {
    fn ask(server: &Server, line: &str, fields: &str) -> (Self, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", server.web_port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(format!("{line}\r\n{fields}\r\n").as_bytes()).unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
            head.extend(byte);
        }
        (Self(stream), String::from_utf8(head).unwrap())
    }

    /// Opens one and reads INFO.
    fn open(server: &Server, more: &str) -> (Self, String) {
        let (mut socket, head) = Self::ask(server, "GET / HTTP/1.1", &format!("{FIELDS}{more}"));
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let (first, info) = socket.read().unwrap();
        assert!(first == 0x82 && info.starts_with(b"INFO {"));
        (socket, String::from_utf8(info).unwrap())
    }

    fn say(&mut self, bytes: &[u8]) {
        // A server that has closed already is no error here.
        let _ = self.0.write_all(bytes);
    }

    /// One frame; `None` at the end.
    fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).ok()?;
        let mut len = u64::from(head[1] & 0x7f);
        if len > 125 {
            let mut more = [0; 8];
            let from = if len == 126 { 6 } else { 0 };
            self.0.read_exact(&mut more[from..]).ok()?;
            len = u64::from_be_bytes(more);
        }
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.0.read_exact(&mut payload).ok()?;
        Some((head[0], payload))
    }

    /// Payload of frames up to `end`, and of those that are no data the first byte before it.
    fn hear(&mut self, end: &str) -> String {
        let mut out = String::new();
        while !out.ends_with(end) || end.is_empty() {
            match self.read() {
                None => return out + "<end>",
                Some((0x82, payload)) => out += &String::from_utf8_lossy(&payload),
                Some((first, payload)) => out += &format!("[{first:02x} {}]", payload.escape_ascii()),
            }
        }
        out
    }
}

fn both(name: &str, block: &str, test: impl Fn(&mut Server)) {
    let (block, others) = block.split_once(';').unwrap_or((block, ""));
    for (program, command) in [("reference", reference()), ("ours", Some(ours()))] {
        let Some(command) = command else {
            eprintln!("NATS_SERVER is unset: the reference was not asked");
            continue;
        };
        test(&mut start(command, &format!("{name}-{program}"), block, others));
    }
}

fn start(command: Command, name: &str, block: &str, others: &str) -> Server {
    let directory = directory(&format!("web-{name}"));
    let file = directory.join("nats.conf");
    std::fs::write(&file, format!("websocket {{ {BLOCK}, {block} }}\n{others}")).unwrap();
    let server = Server::start(command, &["-c", file.to_str().unwrap(), "-m", "-1"]);
    std::fs::remove_dir_all(&directory).unwrap();
    server
}

#[test]
fn requests_are_granted_and_refused_as_by_the_reference() {
    both("requests", "headers: { X-A: b }", |server| {
        for (line, fields, status) in [
            ("GET / HTTP/1.1", FIELDS, 101),
            ("GET /any/path?x HTTP/1.1", FIELDS, 101),
            ("POST / HTTP/1.1", FIELDS, 405),
            ("GET /mqtt HTTP/1.1", FIELDS, 404),
            ("GET x HTTP/1.1", FIELDS, 400),
            ("GET / HTTP/1.1", "Host: a\r\n", 400),
            ("GET / HTTP/1.1", &FIELDS.replace("Host: bus.local\r\n", ""), 400),
            ("GET / HTTP/1.1", &FIELDS.replace("Upgrade: websocket", "Upgrade: h2c"), 400),
            ("GET / HTTP/1.1", &FIELDS.replace("Connection: Upgrade", "Connection: close"), 400),
            ("GET / HTTP/1.1", &FIELDS.replace("dGhl", "x"), 400),
            ("GET / HTTP/1.1", &FIELDS.replace(": 13", ": 8"), 400),
        ] {
            let (_, head) = Socket::ask(server, line, fields);
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{line} {fields}\n{head}");
            if status == 101 {
                assert!(head.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
                assert!(head.contains("X-A: b\r\n"), "{head}");
            }
        }
    });
}

#[test]
fn the_protocol_goes_through_frames_of_every_kind() {
    both("frames", "", |server| {
        let (mut socket, info) = Socket::open(server, "");
        assert!(info.contains(&format!("\"port\":{}", server.web_port)) && !info.contains("tls_"), "{info}");
        socket.say(&frame(0x82, b"CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n"));
        let heard = socket.hear("\r\n");
        assert!(heard.starts_with("PONG\r\n"));
        if !heard.contains("connect_info") {
            assert!(socket.hear("\r\n").contains("connect_info"));
        }
        socket.say(&[frame(0x02, b"SUB a 1\r\nPU"), frame(0x89, b"hey"), frame(0x80, b"B a 2\r\nhi\r\n")].concat());
        let heard = socket.hear("MSG a 1 2\r\nhi\r\n");
        assert!(heard == "[8a hey]MSG a 1 2\r\nhi\r\n", "{heard}");
        socket.say(&frame(0x81, b"PING\r\n"));
        assert_eq!(socket.hear("\r\n"), "PONG\r\n");
        // A message larger than any buffer, in both directions.
        let payload = "x".repeat(300_000);
        socket.say(&frame(0x82, format!("PUB a 300000\r\n{payload}\r\n").as_bytes()));
        assert_eq!(socket.hear("x\r\n"), format!("MSG a 1 300000\r\n{payload}\r\n"));
        socket.say(&frame(0x8a, b""));
        socket.say(&frame(0x88, b"\x03\xe8bye"));
        assert_eq!(socket.hear(""), "[88 \\x03\\xe8bye]<end>");
        let connections = server.json("/connz?state=any");
        assert_eq!(connections["connections"][0]["type"], "websocket");
        let (mut free, _) = Socket::open(server, "Nats-No-Masking: true\r\n");
        free.say(b"\x82\x06PING\r\n");
        assert_eq!(free.hear("\r\n"), "PONG\r\n");
    });
}

#[test]
fn what_is_no_frame_is_told_so_and_closed() {
    let server = start(ours(), "wrong", "", "");
    for (said, heard) in [
        (b"\x82\x06PING\r\n".to_vec(), "[88 \\x03\\xeamask bit missing]<end>"),
        (frame(0x83, b""), "[88 \\x03\\xeaunknown opcode]<end>"),
        (frame(0xc2, b"x"), "[88 \\x03\\xeareserved bits are set]<end>"),
        (frame(0x80, b"x"), "[88 \\x03\\xeainvalid continuation frame]<end>"),
        (frame(0x88, b"\x03"), "[88 \\x03\\xeaclose frame payload cannot be 1 byte]<end>"),
        (frame(0x82, b"BOGUS\r\n"), "-ERR 'Unknown Protocol Operation'\r\n[88 \\x03\\xeaProtocol Violation]<end>"),
        (
            frame(0x82, b"PUB a 9999999\r\n"),
            "-ERR 'Maximum Payload Violation'\r\n[88 \\x03\\xf1Maximum Message Payload Exceeded]<end>",
        ),
    ] {
        let (mut socket, _) = Socket::open(&server, "");
        socket.say(&said);
        assert_eq!(socket.hear(""), heard);
    }
    // Half a request, and a giant one.
    let (_, head) = Socket::ask(&server, "GET / HTTP/1.1", &format!("A: {}\r\n", "x".repeat(9000)));
    assert!(head.starts_with("HTTP/1.1 400 "));
    let mut half = TcpStream::connect(("127.0.0.1", server.web_port)).unwrap();
    half.set_read_timeout(Some(DEADLINE)).unwrap();
    half.write_all(b"GET / HT").unwrap();
    assert_eq!(half.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn origins_are_checked_as_by_the_reference() {
    both("same", "same_origin: true", |server| {
        let status = |origin: &str| {
            let fields = format!("{FIELDS}Origin: {origin}\r\n");
            Socket::ask(server, "GET / HTTP/1.1", &fields).1.split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(
            (status("http://bus.local"), status("http://bus.local:81"), status("http://evil")),
            ("101".into(), "403".into(), "403".into())
        );
    });
    both("allowed", "allowed_origins: [\"http://a.org\", \"https://b.org:8443\"]", |server| {
        for (origin, status) in [
            ("http://a.org", 101),
            ("https://b.org:8443", 101),
            ("https://a.org", 403),
            ("http://a.org:81", 403),
            ("http://c.org", 403),
        ] {
            let fields = format!("{FIELDS}Origin: {origin}\r\n");
            let head = Socket::ask(server, "GET / HTTP/1.1", &fields).1;
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{origin} {head}");
        }
    });
}

#[test]
fn cookies_stand_for_what_connect_leaves_out() {
    let users =
        "authorization { users: [{user: a, password: b}, {user: guest, password: x, permissions: {publish: g}}] }";
    let block = format!("user_cookie: u, pass_cookie: p;{users}");
    both("cookies", &block, |server| {
        for (cookie, connect, heard) in [
            ("u=a; p=b", "{\"verbose\":false}", "PONG\r\n"),
            ("u=a; p=x", "{\"verbose\":false}", "-ERR 'Authorization Violation'\r\n"),
            ("x=y", "{\"verbose\":false,\"user\":\"a\",\"pass\":\"b\"}", "PONG\r\n"),
        ] {
            let (mut socket, info) =
                Socket::open(server, &format!("Cookie: {cookie}\r\nX-Forwarded-For: 10.9.8.7\r\n"));
            assert!(info.contains("\"auth_required\":true") && info.contains("\"client_ip\":\"127.0.0.1\""), "{info}");
            socket.say(&frame(0x82, format!("CONNECT {connect}\r\nPING\r\n").as_bytes()));
            assert_eq!(socket.hear("\r\n"), heard, "{cookie}");
        }
    });
    both("guest", &format!("no_auth_user: guest;{users}"), |server| {
        let (mut socket, _) = Socket::open(server, "");
        socket.say(&frame(0x82, b"CONNECT {\"verbose\":false}\r\nPUB h 0\r\n\r\nPING\r\n"));
        assert!(socket.hear("PONG\r\n").starts_with("-ERR 'Permissions Violation for Publish to \"h\"'"));
        let mut plain = server.client();
        plain.expect("\r\n");
        plain.say(b"CONNECT {\"verbose\":false}\r\n");
        assert!(plain.rest().contains("Authorization Violation"));
    });
}

/// `text` as a stored block of deflate, which is a good message, and what it is when compressed by a run of equal bytes.
fn stored(text: &[u8]) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap();
    [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), text, &[0]].concat()
}

#[test]
fn messages_may_be_compressed() {
    both("deflate", "compression: true", |server| {
        let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        let (mut socket, head) = Socket::ask(server, "GET / HTTP/1.1", &format!("{FIELDS}{offer}"));
        assert!(
            head.contains("permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"),
            "{head}"
        );
        // INFO is long enough to be compressed.
        assert_eq!(socket.read().unwrap().0, 0xc2);
        socket.say(&frame(0xc2, &stored(b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPING\r\n")));
        assert_eq!(socket.hear("\r\n"), "PONG\r\n");
        let packed = stored(b"PUB a 2\r\nhi\r\nPING\r\n");
        let (one, other) = packed.split_at(9);
        socket.say(&[frame(0x42, one), frame(0x80, other), frame(0x82, b"PING\r\n")].concat());
        assert_eq!(socket.hear("PONG\r\nPONG\r\n"), "MSG a 1 2\r\nhi\r\nPONG\r\nPONG\r\n");
    });
}

#[test]
fn what_is_no_compression_is_refused_and_a_bomb_does_no_harm() {
    let server = start(ours(), "bomb", "compression: true", "");
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let open = || {
        let (mut socket, _) = Socket::ask(&server, "GET / HTTP/1.1", &format!("{FIELDS}{offer}"));
        socket.read().unwrap();
        socket
    };
    let mut bad = open();
    bad.say(&frame(0xc2, &[0xff; 50]));
    assert_eq!(bad.hear(""), "[88 \\x03\\xefinvalid compressed data]<end>");
    // 40 MB of nothing that needs an answer, in 40 KB.
    let packed = miniz_oxide::deflate::compress_to_vec(&b"+OK\r\n".repeat(8_000_000), 6);
    assert!(packed.len() < 200_000);
    let mut bomb = open();
    bomb.say(&frame(0xc2, &packed));
    bomb.say(&frame(0xc2, &stored(b"PING\r\n")));
    let mut honest = open();
    honest.say(&frame(0x82, b"PING\r\n"));
    assert!(honest.hear("PONG\r\n").ends_with("PONG\r\n"));
    assert!(bomb.hear("PONG\r\n").ends_with("PONG\r\n"));
    assert!(server.rss_kib() < 32 * 1024, "{} KiB", server.rss_kib());
}

#[test]
fn pings_that_nobody_reads_the_answers_of_cost_nothing() {
    let server = start(ours(), "pings", "", "");
    let (mut socket, _) = Socket::open(&server, "");
    socket.0.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let pings = frame(0x89, &[b'x'; 125]).repeat(500);
    for _ in 0..400 {
        socket.say(&pings);
    }
    let (mut honest, _) = Socket::open(&server, "");
    honest.say(&frame(0x82, b"PING\r\n"));
    assert_eq!(honest.hear("\r\n"), "PONG\r\n");
    assert!(server.rss_kib() < 24 * 1024, "{} KiB", server.rss_kib());
}
