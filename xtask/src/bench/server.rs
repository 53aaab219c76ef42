//! The servers under load: started the same way, their CPU time and memory read from /proc.

use super::table::ratio;
use crate::failure::{Context, Failure, Result};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nats-server.
    Reference,
    /// lunix-bus.
    Ours,
}

impl Kind {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reference => "nats-server",
            Self::Ours => "lunix-bus",
        }
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    /// From the start of the process to its first PONG.
    pub until_pong: Duration,
}

impl Server {
    /// Starts it on a free loopback port and waits for its first PONG.
    pub fn start(program: &Path) -> Result<Self> {
        Self::start_with(program, |_| Vec::new())
    }

    /// The same with further arguments, which may depend on the port.
    pub fn start_with(program: &Path, arguments: impl Fn(u16) -> Vec<String>) -> Result<Self> {
        let port = free_port()?;
        let begun = Instant::now();
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]).args(arguments(port));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().at(program)?;
        let mut server = Self { child, port, until_pong: Duration::ZERO };
        while begun.elapsed() < Duration::from_secs(10) {
            if let Ok(mut connection) = server.connect() {
                connection.sync()?;
                server.until_pong = begun.elapsed();
                return Ok(server);
            }
            std::thread::yield_now();
        }
        Err(Failure::new(format!("{} does not answer", program.display())))
    }

    /// A new connection over TCP that has said CONNECT.
    pub fn connect(&self) -> Result<Connection> {
        Self::greet(Connection::tcp(self.port)?)
    }

    /// A new connection to the abstract unix socket [`unix_name`], that has said CONNECT.
    pub fn connect_unix(&self) -> Result<Connection> {
        let address = SocketAddr::from_abstract_name(unix_name(self.port)).context("connect")?;
        let stream = UnixStream::connect_addr(&address).context("connect")?;
        stream.set_read_timeout(Some(READ_TIMEOUT)).context("connect")?;
        Self::greet(Connection::new(stream))
    }

    fn greet(mut connection: Connection) -> Result<Connection> {
        connection.line()?;
        connection.send(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":0}\r\n")?;
        Ok(connection)
    }

    /// CPU time of all its threads so far.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        let tasks = format!("/proc/{}/task", self.child.id());
        for task in fs::read_dir(&tasks).context(&tasks)?.flatten() {
            let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            nanos += text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Resident memory in KiB.
    pub fn rss_kib(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).context(&path)?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        Ok(line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0))
    }

    /// Context switches of all its threads so far.
    fn switches(&self) -> Result<u64> {
        let mut sum = 0;
        let tasks = format!("/proc/{}/task", self.child.id());
        for task in fs::read_dir(&tasks).context(&tasks)?.flatten() {
            let text = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let counts = text.lines().filter(|line| line.contains("ctxt_switches"));
            sum += counts.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(sum)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("cannot stop a server: {error}");
        }
    }
}

/// The abstract unix socket of a server on this port.
pub fn unix_name(port: u16) -> String {
    format!("lunix-bench-{port}")
}

/// A port of loopback that nobody uses.
pub fn free_port() -> Result<u16> {
    testkit::qemu::free_port().map_err(|error| Failure::new(error.to_string()))
}

/// After so long without a byte a benchmark has failed.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// What a client may be connected through.
pub trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// A client connection of the load tool.
pub struct Connection {
    pub reader: BufReader<Box<dyn Stream>>,
}

impl Connection {
    fn new(stream: impl Stream + 'static) -> Self {
        Self { reader: BufReader::with_capacity(256 * 1024, Box::new(stream)) }
    }

    /// Connects over TCP to this port of loopback.
    pub fn tcp(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).context("connect")?;
        stream.set_nodelay(true).context("connect")?;
        stream.set_read_timeout(Some(READ_TIMEOUT)).context("connect")?;
        Ok(Self::new(stream))
    }

    /// Writes bytes.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.reader.get_mut().write_all(bytes).context("send to the server")
    }

    /// Reads one line.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line).context("read from the server")?;
        Ok(line)
    }

    /// Waits until the server has taken everything sent before.
    pub fn sync(&mut self) -> Result<()> {
        self.send(b"PING\r\n")?;
        loop {
            match self.line()?.as_str() {
                "PONG\r\n" => return Ok(()),
                "" => return Err(Failure::new("the server closed the connection")),
                _ => {}
            }
        }
    }

    /// Reads exactly so many bytes and throws them away.
    pub fn skip(&mut self, bytes: u64) -> Result<()> {
        let read = std::io::copy(&mut (&mut self.reader).take(bytes), &mut std::io::sink()).context("read")?;
        if read == bytes { Ok(()) } else { Err(Failure::new("the server closed the connection")) }
    }
}

/// Start, memory and wake-ups of each server, with none, a thousand and again no client.
pub fn footprint(servers: &[(Kind, PathBuf); 2]) -> Result<()> {
    println!("\n| idle | nats-server | lunix-bus | ours / peer |\n|---|---:|---:|---:|");
    let rows = [measure(&servers[0].1)?, measure(&servers[1].1)?];
    for (name, peer, ours) in rows[0].iter().zip(&rows[1]).map(|((name, peer), (_, ours))| (name, *peer, *ours)) {
        println!("| {name} | {peer:.1} | {ours:.1} | {} |", ratio(ours, peer));
    }
    Ok(())
}

fn measure(program: &Path) -> Result<Vec<(&'static str, f64)>> {
    let mut starts: Vec<f64> = Vec::new();
    for _ in 0..9 {
        starts.push(Server::start(program)?.until_pong.as_secs_f64() * 1000.0);
    }
    let server = Server::start(program)?;
    std::thread::sleep(Duration::from_secs(3));
    let idle = server.rss_kib()?;
    let before = server.switches()?;
    std::thread::sleep(Duration::from_secs(10));
    let switches = server.switches()? - before;
    let mut clients = Vec::new();
    for number in 0..1000 {
        let mut client = server.connect()?;
        client.send(format!("SUB idle.{number} 1\r\n").as_bytes())?;
        client.sync()?;
        clients.push(client);
    }
    let many = server.rss_kib()?;
    drop(clients);
    std::thread::sleep(Duration::from_secs(2));
    #[expect(clippy::cast_precision_loss, reason = "a table for people")]
    let number = |value: u64| value as f64;
    Ok(vec![
        ("start to first PONG, ms (median of 9)", super::table::median(starts)),
        ("resident memory, KiB", number(idle)),
        ("resident memory with 1000 clients, KiB", number(many)),
        ("memory per idle client, KiB", number(many.saturating_sub(idle)) / 1000.0),
        ("resident memory after they left, KiB", number(server.rss_kib()?)),
        ("context switches in 10 s", number(switches)),
    ])
}
