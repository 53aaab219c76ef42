//! Listening sockets that somebody else holds: a restart of the bus refuses nobody.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Client, DEADLINE, directory};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

/// Holds sockets and starts the bus with them, as `man 3 sd_listen_fds` says.
struct Parent {
    held: Vec<OwnedFd>,
    names: String,
}

impl Parent {
    /// At most three sockets: they reach the shell as its standard descriptors.
    fn new(held: &[&dyn AsFd], names: &str) -> Self {
        let held = held.iter().map(|socket| socket.as_fd().try_clone_to_owned().unwrap()).collect();
        Self { held, names: names.to_owned() }
    }

    fn start(&self, arguments: &[&str]) -> Bus {
        let mut script = format!("LISTEN_PID=$$ exec {} \"$@\"", env!("CARGO_BIN_EXE_lunix-bus"));
        for number in 0..self.held.len() {
            write!(script, " {}<&{number}", number + 3).unwrap();
        }
        let mut held = self.held.iter().map(|socket| Stdio::from(socket.try_clone().unwrap()));
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).args(arguments);
        command.env("LISTEN_FDS", self.held.len().to_string()).env("LISTEN_FDNAMES", &self.names);
        command.stdin(held.next().unwrap()).stdout(held.next().unwrap_or_else(Stdio::null));
        Bus { child: command.stderr(held.next().unwrap_or_else(Stdio::piped)).spawn().unwrap() }
    }
}

struct Bus {
    child: Child,
}

impl Bus {
    /// Waits until the log says that it is ready.
    fn ready(&mut self) {
        let mut lines = Vec::new();
        let mut log = BufReader::new(self.child.stderr.take().unwrap());
        while !lines.last().is_some_and(|line: &String| line.contains("Server is ready")) {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "log ended: {lines:?}");
            lines.push(line);
        }
        // Nobody reads the rest, and nothing may wait for that.
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
    }

    fn end(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_socket_takes_the_place_of_what_would_be_opened() {
    let folder = directory("handed");
    let path = folder.join("bus.sock");
    let (tcp, unix, http) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        UnixListener::bind(&path).unwrap(),
        TcpListener::bind("127.0.0.1:0"),
    );
    let http = http.unwrap();
    let parent = Parent::new(&[&tcp, &unix, &http], "clients:bus:http");
    let path = path.to_str().unwrap();
    let log = folder.join("log");
    let folder_name = folder.to_str().unwrap();
    let mut bus = parent.start(&["--unix", path, "--ports_file_dir", folder_name, "--log", log.to_str().unwrap()]);
    let (tcp, http) = (tcp.local_addr().unwrap(), http.local_addr().unwrap());
    let mut client = Client::new(TcpStream::connect(tcp).unwrap());
    assert!(client.expect("\r\n").contains(&format!("\"host\":\"127.0.0.1\",\"port\":{},", tcp.port())));
    let log = std::fs::read_to_string(log).unwrap();
    for line in [
        format!("client connections on {tcp}\n"),
        format!("client connections on {path}\n"),
        format!("monitor on {http}\n"),
    ] {
        assert!(log.contains(&line), "{line}: {log}");
    }
    assert_eq!(log.matches("client connections on").count(), 2, "{log}");
    let ports = std::fs::read_to_string(folder.join(format!("lunix-bus_{}.ports", bus.child.id()))).unwrap();
    let expected =
        format!("{{\"nats\":[\"nats://{tcp}\"],\"unix\":[\"unix://{path}\"],\"monitoring\":[\"http://{http}\"]}}");
    assert_eq!(ports, expected);
    let mut other = Client::new(UnixStream::connect(path).unwrap());
    other.connect();
    let mut page = TcpStream::connect(http).unwrap();
    page.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    page.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK") || answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    bus.end();
    // The file is its maker's.
    assert!(Path::new(path).exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_no_listening_socket_is_refused() {
    let file = std::fs::File::open("/dev/null").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let table: [(&dyn AsFd, &str, &str); 4] = [
        (&file, "", "cannot listen on descriptor 3: "),
        (&client, "", "cannot listen on descriptor 3: no socket that listens"),
        (&tcp, "leafnodes", "cannot listen on descriptor 3: \"leafnodes\" cannot be handed over"),
        (&tcp, "websocket", "handed over for WebSockets, which are not configured"),
    ];
    for (socket, name, expected) in table {
        let mut bus = Parent::new(&[socket], name).start(&[]);
        let mut log = String::new();
        bus.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(bus.child.wait().unwrap().code(), Some(73), "{log}");
        assert!(log.contains(expected), "{log}");
    }
}

/// One client: connects and asks. Whether it was served; `false` when the bus went away while it was.
fn visit(stream: impl Read + Write) -> bool {
    let mut client = Client::new(stream);
    client.say(b"CONNECT {\"verbose\":false}\r\nPING\r\n");
    let (_, ended) = client.read_until(|seen| seen.ends_with(b"PONG\r\n"));
    !ended
}

#[test]
fn a_restart_refuses_nobody() {
    let folder = directory("restart");
    let path = folder.join("bus.sock");
    let (tcp, unix) = (TcpListener::bind("127.0.0.1:0").unwrap(), UnixListener::bind(&path).unwrap());
    let parent = Parent::new(&[&tcp, &unix], "");
    let address = tcp.local_addr().unwrap();
    let mut bus = parent.start(&[]);
    bus.ready();
    let (over, served) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (path, over, served) = (&path, &over, &served);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let was_served = if number % 2 == 0 {
                        let stream = TcpStream::connect(address).expect("refused");
                        stream.set_read_timeout(Some(DEADLINE)).unwrap();
                        visit(stream)
                    } else {
                        match UnixStream::connect(path) {
                            Ok(stream) => {
                                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                                visit(stream)
                            }
                            // As many wait as may.
                            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
                            Err(error) => panic!("refused: {error}"),
                        }
                    };
                    served.fetch_add(u32::from(was_served), Ordering::Relaxed);
                }
            });
        }
        for _ in 0..5 {
            let (before, start) = (served.load(Ordering::Relaxed), Instant::now());
            while served.load(Ordering::Relaxed) < before + 50 && start.elapsed() < DEADLINE {
                std::thread::yield_now();
            }
            bus.end();
            // These two come while nobody is there.
            let mut early = Client::new(TcpStream::connect(address).unwrap());
            let mut other = Client::new(UnixStream::connect(&path).unwrap());
            early.say(b"CONNECT {\"verbose\":false}\r\nPING\r\n");
            other.say(b"CONNECT {\"verbose\":false}\r\nPING\r\n");
            bus = parent.start(&[]);
            bus.ready();
            assert!(early.expect("PONG\r\n").starts_with("INFO ") && other.expect("PONG\r\n").starts_with("INFO "));
        }
        over.store(true, Ordering::Relaxed);
    });
    bus.end();
    std::fs::remove_dir_all(folder).unwrap();
}
