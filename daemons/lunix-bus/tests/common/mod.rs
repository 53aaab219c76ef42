//! A server process and raw clients for it. Every wait has a deadline.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before the test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);

/// A running server, killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// Port of monitoring, when the log told one before the clients' port.
    pub(crate) http_port: u16,
    /// Port for WebSockets, when the log told one before the clients' port.
    pub(crate) web_port: u16,
    log: Option<BufReader<ChildStderr>>,
}

/// Our own binary.
pub(crate) fn ours() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lunix-bus"))
}

/// The reference server, where `NATS_SERVER` names it.
pub(crate) fn reference() -> Option<Command> {
    std::env::var_os("NATS_SERVER").map(Command::new)
}

/// A fresh directory for one test.
pub(crate) fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lunix-bus-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

impl Server {
    /// Starts `command` on a free port of 127.0.0.1 and waits until it is ready.
    pub(crate) fn start(mut command: Command, arguments: &[&str]) -> Self {
        command.args(["-a", "127.0.0.1", "-p", "-1"]).args(arguments);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut server =
            Self { port: 0, http_port: 0, web_port: 0, log: child.stderr.take().map(BufReader::new), child };
        loop {
            let line = server.log_line("127.0.0.1:");
            let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
            if line.contains("websocket clients on") {
                server.web_port = port;
                continue;
            }
            if line.contains("client connections on") {
                server.port = port;
                break;
            }
            server.http_port = port;
        }
        server.log_line("Server is ready");
        server
    }

    /// Reads the log up to a line that holds `wanted`.
    pub(crate) fn log_line(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            let len = self.log.as_mut().unwrap().read_line(&mut line).unwrap();
            assert!(len > 0, "log ended before {wanted:?}");
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// Throws away what it logs from now on, so that it never waits for a reader.
    pub(crate) fn ignore_log(&mut self) {
        let mut log = self.log.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    }

    pub(crate) fn client(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Client { stream, seen: Vec::new() }
    }

    /// The status and body of a monitoring page.
    pub(crate) fn page(&self, target: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// A monitoring page read as JSON.
    pub(crate) fn json(&self, target: &str) -> serde_json::Value {
        let (status, body) = self.page(target);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        // The shell's own: `kill` as a program is not on every machine.
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resident memory in KiB.
    pub(crate) fn rss_kib(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
    }
}

/// The reference, where there is, and ours, with the same configuration file. `{dir}` in it stands for the file's directory.
pub(crate) fn both(name: &str, configuration: &str) -> Vec<Server> {
    let reference = reference().map(|command| with_file(&format!("{name}-reference"), command, configuration));
    reference.into_iter().chain([with_file(name, ours(), configuration)]).collect()
}

/// A server with a configuration file.
pub(crate) fn with_file(name: &str, command: Command, configuration: &str) -> Server {
    let directory = directory(name);
    let file = directory.join("bus.conf");
    std::fs::write(&file, configuration.replace("{dir}", directory.to_str().unwrap())).unwrap();
    Server::start(command, &["-c", file.to_str().unwrap()])
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A raw client.
pub(crate) struct Client<S> {
    pub(crate) stream: S,
    seen: Vec<u8>,
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, seen: Vec::new() }
    }

    /// Sends; a server that has closed already is no error.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads until `enough` is satisfied or the connection ends; returns everything since the last call, and whether it ended.
    pub(crate) fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> (Vec<u8>, bool) {
        let mut buffer = [0; 65_536];
        while !enough(&self.seen) {
            match self.stream.read(&mut buffer) {
                Ok(0) => return (std::mem::take(&mut self.seen), true),
                Ok(len) => self.seen.extend_from_slice(buffer.get(..len).unwrap()),
                // A read with a time limit is interrupted when the process is stopped or traced.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return (std::mem::take(&mut self.seen), true);
                }
                Err(error) => panic!("{error} after {:?}", self.seen.escape_ascii().to_string()),
            }
        }
        (std::mem::take(&mut self.seen), false)
    }

    /// Reads up to `end`.
    pub(crate) fn expect(&mut self, end: &str) -> String {
        let (bytes, ended) = self.read_until(|seen| seen.ends_with(end.as_bytes()));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!ended, "connection ended after {text:?}, before {end:?}");
        text
    }

    /// Reads INFO, connects quietly and waits for the answer.
    pub(crate) fn connect(&mut self) {
        self.expect("\r\n");
        self.say(b"CONNECT {\"verbose\":false,\"headers\":true}\r\nPING\r\n");
        self.expect("PONG\r\n");
    }

    /// Reads INFO and returns its value for `key`; null when it has none.
    pub(crate) fn info(&mut self, key: &str) -> serde_json::Value {
        let text = self.expect("\r\n");
        let mut info: serde_json::Value = serde_json::from_str(text.strip_prefix("INFO ").unwrap()).unwrap();
        info.get_mut(key).map(serde_json::Value::take).unwrap_or_default()
    }

    /// Says something; returns what is heard up to a PONG or the end, which reads `<end>`. A PING of the server does not count.
    pub(crate) fn answer(&mut self, said: &str) -> String {
        self.say(said.as_bytes());
        let (heard, ended) = self.read_until(|seen| seen.windows(6).any(|six| six == b"PONG\r\n"));
        let heard = String::from_utf8_lossy(&heard).replace("PING\r\n", "");
        if ended { heard + "<end>" } else { heard }
    }

    /// Proves that the server serves this client.
    pub(crate) fn ping(&mut self) {
        self.say(b"PING\r\n");
        self.expect("PONG\r\n");
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> String {
        let (bytes, ended) = self.read_until(|_| false);
        assert!(ended);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Whether we can connect as other users; if not, says that the running test is skipped.
pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skip("only root can connect as other users");
    }
    is_root
}

/// Notes that the running test cannot be made here.
pub(crate) fn skip(why: &str) {
    testkit::skip::note(std::thread::current().name().unwrap_or("lunix-bus"), why);
}

/// Runs `work` as user `uid`, in the group of that number and in `groups`. The kernel keeps credentials per thread.
pub(crate) fn as_user<T: Send>(uid: u32, groups: &[u32], work: impl FnOnce() -> T + Send) -> T {
    let (user, group) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(uid));
    let groups: Vec<_> = groups.iter().map(|&gid| rustix::fs::Gid::from_raw(gid)).collect();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            rustix::thread::set_thread_groups(&groups).unwrap();
            rustix::thread::set_thread_res_gid(group, group, group).unwrap();
            rustix::thread::set_thread_res_uid(user, user, user).unwrap();
            work()
        });
        thread.join().unwrap()
    })
}
