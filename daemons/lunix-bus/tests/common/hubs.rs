//! Hubs and leaf nodes for tests: real servers with files for configurations, and clients that wait.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use crate::common::{DEADLINE, directory, ours, reference};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A free port of this machine. Somebody else could take it before we do; nobody does.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Waits for a condition.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "{what} does not come about");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A running server, killed when dropped. Its log is read all the time.
pub(crate) struct Node {
    name: String,
    host: String,
    command: fn() -> Command,
    path: std::path::PathBuf,
    child: Child,
    pub(crate) port: u16,
    /// For leaf nodes.
    pub(crate) leaf_port: u16,
    http_port: u16,
    log: Arc<Mutex<String>>,
}

/// The reference; tests that need it are skipped without.
pub(crate) fn stock() -> Command {
    reference().unwrap()
}

/// Whether there is a reference; says so if not.
pub(crate) fn has_reference() -> bool {
    let there = reference().is_some();
    if !there {
        println!("skipped: NATS_SERVER does not name a nats-server to be the hub");
    }
    there
}

/// Runs a scenario with the reference as the leaf node first, and with ours.
pub(crate) fn both(scenario: impl Fn(fn() -> Command)) {
    if has_reference() {
        for (name, command) in [("nats-server", stock as fn() -> Command), ("lunix-bus", ours)] {
            println!("leaf node: {name}");
            scenario(command);
        }
    }
}

impl Node {
    /// A real hub, with these lines beside its ports, and these inside `leafnodes`.
    pub(crate) fn hub(name: &str, lines: &str, leafnodes: &str) -> Self {
        Self::hub_with(stock, "127.0.0.1", name, lines, leafnodes)
    }

    /// A hub that is started by a command of the caller's, at another address.
    pub(crate) fn hub_at(command: fn() -> Command, host: &str, name: &str) -> Self {
        Self::hub_with(command, host, name, "", "")
    }

    fn hub_with(command: fn() -> Command, host: &str, name: &str, lines: &str, leafnodes: &str) -> Self {
        let leaf_port = free_port();
        let lines = format!("{lines}\nleafnodes {{ listen: \"{host}:{leaf_port}\"\n{leafnodes}\n}}\n");
        let mut node = Self::start(command, host, name, &lines);
        node.leaf_port = leaf_port;
        node
    }

    /// A leaf node with these remotes, and these lines beside them.
    pub(crate) fn leaf(command: fn() -> Command, name: &str, remotes: &[String], lines: &str) -> Self {
        let list = remotes.iter().map(|remote| format!("{{ {remote} }}")).collect::<Vec<_>>().join(", ");
        let lines = format!("{lines}\nleafnodes {{ reconnect: \"200ms\"\nremotes: [ {list} ] }}\n");
        Self::start(command, "127.0.0.1", name, &lines)
    }

    fn start(command: fn() -> Command, host: &str, name: &str, lines: &str) -> Self {
        let (port, http_port) = (free_port(), free_port());
        let path = directory("leaf").join(format!("{name}-{port}.conf"));
        let text =
            format!("server_name: \"{name}\"\nlisten: \"{host}:{port}\"\nhttp: \"{host}:{http_port}\"\n{lines}\n");
        std::fs::write(&path, text).unwrap();
        let (child, log) = spawn(command, &path);
        let (name, host) = (name.into(), host.into());
        let node = Self { name, host, command, path, child, port, leaf_port: 0, http_port, log };
        node.logged("Server is ready");
        node
    }

    /// The line of a leaf node's configuration that leads here.
    pub(crate) fn url(&self) -> String {
        format!("url: \"nats-leaf://127.0.0.1:{}\"", self.leaf_port)
    }

    /// Waits for a line of the log.
    pub(crate) fn logged(&self, wanted: &str) {
        let start = Instant::now();
        while !self.log().contains(wanted) {
            assert!(start.elapsed() < DEADLINE, "{}: no {wanted:?} in the log:\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends the server at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, on the same ports.
    pub(crate) fn revive(&mut self) {
        (self.child, self.log) = spawn(self.command, &self.path);
        self.logged("Server is ready");
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(status.success());
    }

    /// A page of monitoring.
    pub(crate) fn page(&self, target: &str) -> serde_json::Value {
        let mut stream = TcpStream::connect((self.host.as_str(), self.http_port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Waits until so many links are joined, seen from here.
    pub(crate) fn joined(&self, count: u64) {
        until(&format!("{} links of {}", count, self.name), || self.page("/leafz")["leafnodes"] == count);
    }

    /// Waits until the only link brings interest in `subject`.
    pub(crate) fn wants(&self, subject: &str) {
        until(&format!("interest in {subject} at {}", self.name), || self.is_asked_for(subject));
    }

    /// Whether a link brings interest in `subject`.
    pub(crate) fn is_asked_for(&self, subject: &str) -> bool {
        let page = self.page("/leafz?subs=1");
        let leafs = page["leafs"].as_array().cloned().unwrap_or_default();
        leafs.iter().any(|leaf| {
            leaf["subscriptions_list"].as_array().is_some_and(|list| list.iter().any(|known| known == subject))
        })
    }

    pub(crate) fn client(&self) -> Nats {
        self.client_with("")
    }

    /// A client whose CONNECT says this, too: `,"user":"u"`.
    pub(crate) fn client_with(&self, more: &str) -> Nats {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).unwrap();
        let mut client = Nats { stream, seen: Vec::new() };
        client.say("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true");
        client.say(more);
        client.say("}\r\n");
        client.flush();
        client
    }

    /// Resident memory in KiB.
    pub(crate) fn rss_kib(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.signal_if_alive("CONT");
        self.kill();
        if std::thread::panicking() {
            println!("--- log of {}\n{}", self.name, self.log());
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Node {
    fn signal_if_alive(&mut self, name: &str) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal(name);
        }
    }
}

fn spawn(command: fn() -> Command, path: &std::path::Path) -> (Child, Arc<Mutex<String>>) {
    let mut child = command().arg("-c").arg(path).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let (reader, log) = (BufReader::new(child.stderr.take().unwrap()), Arc::new(Mutex::new(String::new())));
    let written = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            let mut log = written.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    (child, log)
}

/// A client that speaks the protocol by hand.
pub(crate) struct Nats {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Nats {
    pub(crate) fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Subscribes, and waits until the server has taken it.
    pub(crate) fn subscribe(&mut self, text: &str) {
        self.say(&format!("SUB {text}\r\n"));
        self.flush();
    }

    pub(crate) fn publish(&mut self, subject: &str, payload: &str) {
        self.say(&format!("PUB {subject} {}\r\n{payload}\r\n", payload.len()));
    }

    /// Waits for a PONG; everything that came before is forgotten.
    pub(crate) fn flush(&mut self) {
        self.say("PING\r\n");
        self.take("PONG\r\n");
    }

    /// What came up to `end`, which must come.
    pub(crate) fn take(&mut self, end: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some(text) = self.taken(end) {
                return text;
            }
            let left = DEADLINE.checked_sub(start.elapsed());
            let left = left.unwrap_or_else(|| panic!("no {end:?} after {:?}", String::from_utf8_lossy(&self.seen)));
            self.read(left);
        }
    }

    /// What came up to `end`, if it comes soon.
    pub(crate) fn take_soon(&mut self, end: &str) -> Option<String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(200) {
            if let Some(text) = self.taken(end) {
                return Some(text);
            }
            self.read(Duration::from_millis(20));
        }
        None
    }

    fn taken(&mut self, end: &str) -> Option<String> {
        let place = self.seen.windows(end.len()).position(|window| window == end.as_bytes())?;
        let rest = self.seen.split_off(place + end.len());
        let text = String::from_utf8_lossy(&std::mem::replace(&mut self.seen, rest)).into_owned();
        // The server asks whether we are there; the answer is all there is to it.
        if text.contains("PING\r\n") {
            self.say("PONG\r\n");
        }
        Some(text.replace("PING\r\n", ""))
    }

    fn read(&mut self, most: Duration) {
        self.stream.set_read_timeout(Some(most.max(Duration::from_millis(1)))).unwrap();
        let mut buffer = [0; 65_536];
        match self.stream.read(&mut buffer) {
            Ok(0) => panic!("connection ended after {:?}", String::from_utf8_lossy(&self.seen)),
            Ok(len) => self.seen.extend_from_slice(buffer.get(..len).unwrap()),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut | std::io::ErrorKind::Interrupted
                ) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Asserts that exactly so many messages came.
    pub(crate) fn flush_count(&mut self, expected: usize) {
        until("the last message", || {
            self.read(Duration::from_millis(10));
            self.seen.windows(4).filter(|window| *window == b"MSG ").count() >= expected
        });
        self.say("PING\r\n");
        assert_eq!(self.count("PONG\r\n"), expected);
    }

    /// How many messages came until `end`.
    pub(crate) fn count(&mut self, end: &str) -> usize {
        self.take(end).matches("MSG ").count()
    }
}

/// Publishes to `subject` until `to` hears of it, and then a last one that ends what is still on its way: messages cross.
pub(crate) fn crosses(from: &mut Nats, to: &mut Nats, subject: &str) {
    let start = Instant::now();
    loop {
        from.publish(subject, "?");
        if to.take_soon(&format!("{subject} ")).is_some() {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "{subject} does not cross");
    }
    from.publish(subject, "last");
    to.take("last\r\n");
}
