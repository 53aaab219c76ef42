//! Whatever some clients do, the others are served and the memory stays under the ceiling.
//!
//! The troublemakers come over TCP from addresses of loopback, two honest clients exchange messages over a unix socket all the time.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{Client, DEADLINE, Server, directory, ours};
use rustix::net::{AddressFamily, SocketType};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The ceiling of every server here, in KiB.
const CEILING_KIB: usize = 8 * 1024;
/// What a server may hold beyond its ceiling: itself, its read buffer, buffers kept for use again, what one operation adds, and what the C
/// library's allocator, another one than in what ships, does not give back.
const OVERHEAD_KIB: usize = 8 * 1024;

/// A server with a ceiling of 8 MiB, and two clients that never stop exchanging messages.
struct Scene {
    server: Server,
    directory: PathBuf,
    stop: Arc<AtomicBool>,
    honest: Option<JoinHandle<u64>>,
}

impl Scene {
    fn new(name: &str, more: &str) -> Self {
        Self::with(ours(), name, more)
    }

    fn with(mut command: Command, name: &str, more: &str) -> Self {
        // Else the allocator of this build keeps what the one that ships gives back.
        command
            .env("MALLOC_ARENA_MAX", "1")
            .env("MALLOC_MMAP_THRESHOLD_", "16384")
            .env("MALLOC_TRIM_THRESHOLD_", "16384");
        let directory = directory(&format!("bounded-{name}"));
        let (file, socket) = (directory.join("bus.conf"), directory.join("bus.sock"));
        let text = format!("max_memory: 8mb\nunix: {:?}\nhttp: \"127.0.0.1:-1\"\n{more}\n", socket.to_str().unwrap());
        std::fs::write(&file, text).unwrap();
        let server = Server::start(command, &["-c", file.to_str().unwrap()]);
        let stop = Arc::new(AtomicBool::new(false));
        let honest = Some(exchange(&socket, Arc::clone(&stop)));
        Self { server, directory, stop, honest }
    }

    /// A connection from this address, a user of its own.
    fn from(&self, last: u8) -> TcpStream {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
        rustix::net::bind(&socket, &address).unwrap();
        rustix::net::connect(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, self.server.port))).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn vars(&self) -> serde_json::Value {
        self.server.json("/varz")
    }

    /// Bytes held, as the server counts them.
    fn held_kib(&self) -> usize {
        usize::try_from(self.vars()["held_bytes"].as_u64().unwrap()).unwrap() / 1024
    }

    fn check_memory(&self) {
        let (held, resident) = (self.held_kib(), self.server.rss_kib());
        assert!(held <= CEILING_KIB, "{held} KiB are held");
        assert!(resident <= CEILING_KIB + OVERHEAD_KIB, "{resident} KiB are resident, {held} KiB held");
    }

    /// Waits until so many connections are left.
    fn wait_for_connections(&self, left: u64) {
        let start = Instant::now();
        while self.vars()["connections"].as_u64().unwrap() > left {
            assert!(start.elapsed() < DEADLINE, "{} connections are left", self.vars()["connections"]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it all; the honest clients have met no error and have exchanged messages.
    fn end(mut self) {
        self.check_memory();
        self.stop.store(true, Ordering::Relaxed);
        let rounds = self.honest.take().unwrap().join().unwrap();
        assert!(rounds > 10, "{rounds} messages");
        self.server.signal("TERM");
        assert_eq!(self.server.wait().code(), Some(0));
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

/// Publishes to a subscriber and back until told to stop. Returns how often.
fn exchange(socket: &Path, stop: Arc<AtomicBool>) -> JoinHandle<u64> {
    let [mut one, mut other] = [(); 2].map(|()| {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Client::new(stream);
        client.connect();
        client
    });
    one.say(b"SUB back 1\r\n");
    other.say(b"SUB there 1\r\n");
    one.ping();
    other.ping();
    std::thread::spawn(move || {
        let mut rounds = 0;
        while !stop.load(Ordering::Relaxed) {
            one.say(b"PUB there 5\r\nhello\r\n");
            assert_eq!(other.expect("hello\r\n"), "MSG there 1 5\r\nhello\r\n");
            other.say(b"PUB back 5\r\nworld\r\n");
            assert_eq!(one.expect("world\r\n"), "MSG back 1 5\r\nworld\r\n");
            rounds += 1;
        }
        rounds
    })
}

#[test]
fn ten_thousand_connections_of_garbage() {
    let scene = Scene::new("garbage", "");
    let garbage: [&[u8]; 8] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"PUB a 1048576\r\nhalf of it",
        b"SUB",
        b"CONNECT {\"name\":\"",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SUB a.b.c.d.e.f.g.h 1\r\nPUB a 3\r\nbad!",
        b"",
        b"PING\r\nPING\r\nPING\r\nUNSUB",
    ];
    for batch in 0..100_u8 {
        let connections: Vec<TcpStream> = (0..100).map(|_| scene.from(2 + batch % 8)).collect();
        for (number, mut connection) in connections.iter().enumerate() {
            // One that is closed already is what it is meant to be.
            let _ = connection.write_all(garbage[number % garbage.len()]);
        }
        if batch % 10 == 0 {
            scene.check_memory();
        }
    }
    scene.wait_for_connections(2);
    assert!(scene.vars()["total_connections"].as_u64().unwrap() >= 10_002);
    scene.end();
}

#[test]
fn connections_without_end_and_few_descriptors() {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n 40; exec {} \"$@\"", env!("CARGO_BIN_EXE_lunix-bus")), "sh"]);
    let mut scene = Scene::with(command, "descriptors", "");
    let crowd: Vec<TcpStream> = (0..200).map(|_| scene.from(2)).collect();
    scene.server.log_line("no descriptor is free");
    let refused =
        crowd.iter().rev().take(100).filter(|stream| matches!((&mut &**stream).read(&mut [0]), Ok(0) | Err(_)));
    assert_eq!(refused.count(), 100);
    drop(crowd);
    scene.wait_for_connections(2);
    scene.end();
}

#[test]
fn half_open_connections_are_closed_when_their_time_is_over() {
    let scene = Scene::new("half-open", "authorization { token: secret, timeout: 1 }");
    let silent: Vec<TcpStream> = (0..400).map(|number| scene.from(2 + u8::try_from(number % 4).unwrap())).collect();
    scene.check_memory();
    for stream in silent {
        let mut heard = Vec::new();
        Client::new(stream).stream.read_to_end(&mut heard).unwrap();
        assert!(heard.ends_with(b"-ERR 'Authentication Timeout'\r\n"), "{}", heard.escape_ascii());
    }
    scene.wait_for_connections(2);
    scene.end();
}

#[test]
fn giant_lines_are_refused_before_they_end() {
    let scene = Scene::new("lines", "");
    for number in 0..300 {
        let mut client = Client::new(scene.from(2 + u8::try_from(number % 4).unwrap()));
        client.expect("\r\n");
        client.say(&[b"SUB ".as_slice(), &[b'x'; 5000]].concat());
        assert_eq!(client.rest(), "-ERR 'maximum control line exceeded'\r\n");
    }
    // Just short enough, and never ended: they stay, and are counted.
    let lines: Vec<TcpStream> = (0..300).map(|number| scene.from(2 + u8::try_from(number % 4).unwrap())).collect();
    for mut stream in &lines {
        stream.write_all(&[b"SUB ".as_slice(), &[b'x'; 4000]].concat()).unwrap();
    }
    let start = Instant::now();
    while scene.held_kib() < 300 * 4 {
        assert!(start.elapsed() < DEADLINE, "{} KiB are held", scene.held_kib());
    }
    scene.end();
}

#[test]
fn payloads_that_are_announced_and_never_come_cost_what_has_come() {
    let scene = Scene::new("payloads", "");
    let before = scene.held_kib();
    let waiting: Vec<TcpStream> = (0..400).map(|number| scene.from(2 + u8::try_from(number % 4).unwrap())).collect();
    for mut stream in &waiting {
        stream.write_all(b"PUB a 1048576\r\nhardly anything").unwrap();
    }
    let start = Instant::now();
    while scene.vars()["in_bytes"].is_null() || scene.held_kib() < before + 400 {
        assert!(start.elapsed() < DEADLINE, "{} KiB are held", scene.held_kib());
    }
    // One KiB for the client, one for what INFO is written into, and the few bytes.
    assert!(scene.held_kib() <= before + 400 * 3, "{} KiB are held", scene.held_kib());
    // What does come is counted, until the heaviest goes.
    for mut stream in &waiting {
        let _ = stream.write_all(&[b'x'; 100_000]);
    }
    let start = Instant::now();
    while scene.vars()["slow_consumers"] == 0 {
        assert!(start.elapsed() < DEADLINE, "nobody was cut, {} KiB are held", scene.held_kib());
    }
    scene.end();
}

#[test]
fn a_flood_of_subscriptions_ends_at_the_budget_of_its_user() {
    let mut scene = Scene::new("subscriptions", "");
    let mut neighbour = Client::new(scene.from(3));
    neighbour.connect();
    neighbour.say(b"SUB quiet 1\r\n");
    neighbour.ping();
    // Short subjects, and long ones of many tokens, each of them dearer.
    for (number, tail) in ["", ".a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.*.>"].into_iter().enumerate() {
        let mut flood = scene.from(2);
        let writer = std::thread::spawn(move || {
            for sid in 0..1_000_000_u32 {
                if flood.write_all(format!("SUB flood.{sid}{tail} {sid}\r\n").as_bytes()).is_err() {
                    return;
                }
            }
        });
        scene.server.log_line("Slow Consumer (Memory of its User)");
        writer.join().unwrap();
        assert_eq!(scene.vars()["slow_consumers"], number + 1);
        scene.check_memory();
    }
    neighbour.say(b"PUB quiet 2\r\nhi\r\n");
    assert_eq!(neighbour.expect("hi\r\n"), "MSG quiet 1 2\r\nhi\r\n");
    scene.end();
}

#[test]
fn many_readers_that_do_not_read() {
    let scene = Scene::new("readers", "write_deadline: 30s");
    let slow: Vec<TcpStream> = (0..200).map(|number| scene.from(2 + u8::try_from(number % 8).unwrap())).collect();
    for stream in &slow {
        // What the kernel holds for a reader is not ours to limit, but less of it makes a reader slow sooner.
        rustix::net::sockopt::set_socket_recv_buffer_size(stream, 4096).unwrap();
        let mut client = Client::new(stream.try_clone().unwrap());
        client.connect();
        client.say(b"SUB load 1\r\nPING\r\n");
        client.expect("PONG\r\n");
    }
    let mut publisher = Client::new(scene.from(20));
    publisher.connect();
    let message = [b"PUB load 1000\r\n".as_slice(), &[b'x'; 1000], b"\r\n"].concat().repeat(10);
    let start = Instant::now();
    while scene.vars()["slow_consumers"].as_u64().unwrap() < 20 {
        publisher.say(&message);
        publisher.say(b"PING\r\n");
        let (_, ended) = publisher.read_until(|heard| heard.windows(6).any(|part| part == b"PONG\r\n"));
        assert!(!ended);
        scene.check_memory();
        assert!(start.elapsed() < DEADLINE * 4, "nobody is cut");
    }
    drop(slow);
    scene.wait_for_connections(3);
    scene.end();
}

#[test]
fn a_publisher_waits_for_a_receiver_and_goes_on_when_that_reads_or_leaves() {
    let scene = Scene::new("stalled", "max_pending: 2mb");
    for leaves in [false, true] {
        let (mut reader, mut publisher) = (Client::new(scene.from(2)), Client::new(scene.from(3)));
        reader.connect();
        reader.say(b"SUB load 1\r\n");
        reader.ping();
        publisher.connect();
        let frame = [b"PUB load 10000\r\n".as_slice(), &[b'x'; 10_000], b"\r\n"].concat();
        let sender = std::thread::spawn(move || {
            for _ in 0..1000 {
                publisher.stream.write_all(&frame).unwrap();
            }
            publisher.ping();
        });
        if !leaves {
            // It reads as fast as it can: the publisher is never so far ahead that it is cut.
            let len = 1000 * ("MSG load 1 10000\r\n".len() + 10_000 + 2);
            let (heard, ended) = reader.read_until(|heard| heard.len() >= len);
            assert!(heard.len() == len || ended, "{} of {len}", heard.len());
        }
        drop(reader);
        sender.join().unwrap();
    }
    scene.end();
}
