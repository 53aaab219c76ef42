//! A NATS client for tests: blocking, small, written from the protocol's documentation alone, so that it can judge ours.
//!
//! It understands what a test needs: connect with user and password, subscribe, publish, request, wait for messages.
//! Protocol: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub subject: String,
    /// Where an answer goes; empty when none is wanted.
    pub reply: String,
    /// The header block, `NATS/1.0…` with its lines; empty when there is none.
    pub header: String,
    /// Its bytes.
    pub payload: Vec<u8>,
}

impl Message {
    /// The payload as text, with U+FFFD for what is no UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    /// The payload as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or(Value::Null)
    }
}

trait Stream: Read + Write + Send {
    fn limit(&self, deadline: Deadline) -> std::io::Result<()>;
}

impl Stream for TcpStream {
    fn limit(&self, deadline: Deadline) -> std::io::Result<()> {
        self.set_read_timeout(Some(deadline.left_or_tick()))
    }
}

impl Stream for UnixStream {
    fn limit(&self, deadline: Deadline) -> std::io::Result<()> {
        self.set_read_timeout(Some(deadline.left_or_tick()))
    }
}

/// A connection to a bus.
pub struct Bus {
    stream: BufReader<Box<dyn Stream>>,
    /// The unfinished line, kept over a timeout.
    partial: Vec<u8>,
    messages: VecDeque<Message>,
    next_sid: u32,
    info: Value,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bus({})", self.info)
    }
}

impl Bus {
    /// Connects to `nats://[user:pass@]host:port` or `unix:///path` and waits until the server has answered a PING.
    ///
    /// # Errors
    /// When it refuses, answers `-ERR` or does not answer in time.
    pub fn connect(url: &str, deadline: Deadline) -> Result<Self> {
        let (stream, options) = open(url)?;
        let mut bus = Self {
            stream: BufReader::new(stream),
            partial: Vec::new(),
            messages: VecDeque::new(),
            next_sid: 0,
            info: Value::Null,
        };
        let first = bus.read_line(deadline)?;
        let info =
            first.strip_prefix("INFO ").ok_or_else(|| Error::unexpected(format!("{url}: not INFO but {first:?}")))?;
        bus.info =
            serde_json::from_str(info).map_err(|error| Error::unexpected(format!("{url}: {error} in {info}")))?;
        bus.send(format!("CONNECT {options}\r\n").as_bytes())?;
        bus.flush(deadline)?;
        Ok(bus)
    }

    /// What the server said about itself.
    #[must_use]
    pub const fn info(&self) -> &Value {
        &self.info
    }

    /// Subscribes; messages come out of [`Self::next`]. The server has the subscription when this returns.
    ///
    /// # Errors
    /// When the connection fails or the server answers `-ERR`.
    pub fn subscribe(&mut self, subject: &str) -> Result<()> {
        self.next_sid += 1;
        self.send(format!("SUB {subject} {}\r\n", self.next_sid).as_bytes())?;
        self.flush(Deadline::seconds(10))
    }

    /// Publishes; the server has the message when this returns.
    ///
    /// # Errors
    /// When the connection fails or the server answers `-ERR`.
    pub fn publish(&mut self, subject: &str, payload: &[u8]) -> Result<()> {
        self.send(&[format!("PUB {subject} {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat())?;
        self.flush(Deadline::seconds(10))
    }

    /// Publishes as soon as somebody is subscribed, exactly once.
    ///
    /// The message asks for an answer, so a server that finds nobody says 503; it is then sent again until one listens.
    ///
    /// # Errors
    /// When nobody listens in time.
    pub fn publish_when_heard(&mut self, subject: &str, payload: &[u8], deadline: Deadline) -> Result<()> {
        let inbox = format!("_INBOX.testkit.heard.{}", std::process::id());
        self.subscribe(&inbox)?;
        while deadline.left().is_some() {
            self.send(&[format!("PUB {subject} {inbox} {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat())?;
            self.flush(Deadline::seconds(10))?;
            let before = self.messages.len();
            self.messages.retain(|message| message.subject != inbox);
            if self.messages.len() == before {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Err(Error::Timeout(format!("a subscriber of {subject}"), String::new()))
    }

    /// Publishes with an inbox and returns the first answer.
    ///
    /// # Errors
    /// When nobody answers in time; the server's 503 is an answer, with its status in the header.
    pub fn request(&mut self, subject: &str, payload: &[u8], deadline: Deadline) -> Result<Message> {
        let inbox = format!("_INBOX.testkit.{}.{}", std::process::id(), self.next_sid);
        self.subscribe(&inbox)?;
        self.send(&[format!("PUB {subject} {inbox} {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat())?;
        self.next_where(deadline, &format!("an answer from {subject}"), |message| message.subject == inbox)
    }

    /// The next message, whatever its subject.
    ///
    /// # Errors
    /// When none comes in time or the connection ends.
    pub fn next(&mut self, deadline: Deadline) -> Result<Message> {
        self.next_where(deadline, "a message", |_| true)
    }

    /// The next message that `matches`; others before it stay queued. `what` names it in the error.
    ///
    /// # Errors
    /// When none comes in time (the error lists those that did) or the connection ends.
    pub fn next_where(
        &mut self,
        deadline: Deadline,
        what: &str,
        matches: impl Fn(&Message) -> bool,
    ) -> Result<Message> {
        let mut looked_at = 0;
        loop {
            if let Some(index) = self.messages.iter().skip(looked_at).position(&matches) {
                let found = self.messages.remove(looked_at + index);
                return found.ok_or_else(|| Error::unexpected("the queue changed"));
            }
            looked_at = self.messages.len();
            self.receive(deadline).map_err(|error| match error {
                Error::Timeout(..) => Error::Timeout(what.to_owned(), self.seen()),
                other @ (Error::Io(..) | Error::Unexpected(..)) => other,
            })?;
        }
    }

    /// All messages that came up to now: everything the server sent before it answers a PING.
    ///
    /// # Errors
    /// When the connection ends.
    pub fn drain(&mut self) -> Result<Vec<Message>> {
        self.flush(Deadline::seconds(10))?;
        Ok(self.messages.drain(..).collect())
    }

    /// Sends PING and waits for PONG: everything sent before has been served.
    ///
    /// # Errors
    /// When the connection fails, the server answers `-ERR`, or not in time.
    pub fn flush(&mut self, deadline: Deadline) -> Result<()> {
        self.send(b"PING\r\n")?;
        while !self.receive(deadline)? {}
        Ok(())
    }

    fn seen(&self) -> String {
        self.messages.iter().fold(String::new(), |text, message| text + &message.subject + " " + &message.text() + "\n")
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(bytes).map_err(Error::io("write to the bus"))
    }

    /// Takes in one protocol line with what belongs to it; true when it was a PONG.
    fn receive(&mut self, deadline: Deadline) -> Result<bool> {
        let line = self.read_line(deadline)?;
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match *words.as_slice() {
            ["PONG"] => return Ok(true),
            ["PING"] => self.send(b"PONG\r\n")?,
            ["MSG", subject, _, size] => self.read_message(deadline, subject, "", "0", size)?,
            ["MSG", subject, _, reply, size] => self.read_message(deadline, subject, reply, "0", size)?,
            ["HMSG", subject, _, head, size] => self.read_message(deadline, subject, "", head, size)?,
            ["HMSG", subject, _, reply, head, size] => self.read_message(deadline, subject, reply, head, size)?,
            ["+OK" | "INFO", ..] => {}
            _ => return Err(Error::unexpected(format!("the bus says: {line}"))),
        }
        Ok(false)
    }

    fn read_message(&mut self, deadline: Deadline, subject: &str, reply: &str, header: &str, size: &str) -> Result<()> {
        let bad = |_| Error::unexpected(format!("a size that is no number: {header} {size}"));
        let (header_size, size): (usize, usize) = (header.parse().map_err(bad)?, size.parse().map_err(bad)?);
        // Once the line is here the rest is on its way; give it the time that is left and a little more.
        self.stream.get_ref().limit(Deadline::seconds(10)).map_err(Error::io("set the bus timeout"))?;
        let _ = deadline;
        let mut payload = vec![0; size + 2];
        self.stream.read_exact(&mut payload).map_err(Error::io("read a message"))?;
        payload.truncate(size);
        let rest = payload.split_off(header_size.min(size));
        let header = String::from_utf8_lossy(&payload).into_owned();
        self.messages.push_back(Message {
            subject: subject.to_owned(),
            reply: reply.to_owned(),
            header,
            payload: rest,
        });
        Ok(())
    }

    fn read_line(&mut self, deadline: Deadline) -> Result<String> {
        let timeout = || Error::Timeout("a line from the bus".to_owned(), String::new());
        loop {
            deadline.left().ok_or_else(timeout)?;
            self.stream.get_ref().limit(deadline).map_err(Error::io("set the bus timeout"))?;
            match self.stream.read_until(b'\n', &mut self.partial) {
                Ok(0) => return Err(Error::unexpected("the bus closed the connection")),
                Ok(_) if self.partial.ends_with(b"\n") => {
                    let line = std::mem::take(&mut self.partial);
                    return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
                }
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(error) => return Err(Error::Io("read from the bus".to_owned(), error)),
            }
        }
    }
}

fn open(url: &str) -> Result<(Box<dyn Stream>, Value)> {
    let mut options = json!({"verbose": false, "pedantic": false, "headers": true, "no_responders": true, "lang": "rust", "name": "testkit", "version": "0", "protocol": 1});
    if let Some(path) = url.strip_prefix("unix://") {
        let stream = UnixStream::connect(path).map_err(Error::io(format!("connect to {url}")))?;
        return Ok((Box::new(stream), options));
    }
    let address =
        url.strip_prefix("nats://").ok_or_else(|| Error::unexpected(format!("{url}: neither nats:// nor unix://")))?;
    let (credentials, address) = address.rsplit_once('@').unwrap_or(("", address));
    if let (Some((user, password)), Some(object)) = (credentials.split_once(':'), options.as_object_mut()) {
        object.insert("user".to_owned(), user.into());
        object.insert("pass".to_owned(), password.into());
    }
    let stream = TcpStream::connect(address).map_err(Error::io(format!("connect to {address}")))?;
    Ok((Box::new(stream), options))
}
