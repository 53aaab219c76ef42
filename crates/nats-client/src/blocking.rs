//! A session on a socket that the caller waits for: for command-line tools and tests.

use crate::Address;
use crate::session::{Error, Event, Identity, Session, is_no_responders};
use crate::socket::{Read, Socket};
use reactor::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt;
use std::io;
use std::time::Duration;

/// Most bytes waiting to be sent.
const OUTPUT_MAX: usize = 64 * 1024 * 1024;

/// Why a call failed.
#[derive(Debug)]
pub enum Failure {
    /// There is no connection to be had, or it broke.
    Bus(io::Error),
    /// The bus refused something, in its own words.
    Refused(String),
    /// Nothing came within the time.
    Timeout,
    /// Nobody serves the requested subject (status 503).
    NoResponders,
    /// The peer does not speak NATS, or the payload is too large.
    Session(Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => write!(f, "{error}"),
            Self::Refused(text) => f.write_str(text),
            Self::Timeout => f.write_str("no answer in time"),
            Self::NoResponders => f.write_str("nobody serves this subject"),
            Self::Session(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Bus(error)
    }
}

/// A received message with memory of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Number of the subscription it came for.
    pub sid: u64,
    /// Subject it was published to.
    pub subject: String,
    /// Subject for answers.
    pub reply: Option<String>,
    /// The header block, empty without headers.
    pub headers: Vec<u8>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Owned {
    /// True for the answer that nobody serves the subject.
    #[must_use]
    pub fn is_no_responders(&self) -> bool {
        is_no_responders(&self.headers, &self.payload)
    }
}

/// A connection whose calls wait. Messages that arrive while a call waits for something else are kept for [`Connection::next`].
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    session: Session,
    kept: std::collections::VecDeque<Owned>,
    pongs: usize,
    sid_last: u64,
}

enum Told {
    Open,
    Message(Owned),
    Pong,
    Refused(String),
}

impl Connection {
    /// Connects and waits until the bus has accepted us.
    ///
    /// # Errors
    /// [`Failure::Bus`], [`Failure::Refused`] (wrong credentials), [`Failure::Timeout`].
    pub fn open(address: &Address, name: &str, timeout: Duration) -> Result<Self, Failure> {
        let deadline = Instant::now() + timeout;
        let (socket, connected) = Socket::connect(&address.endpoint)?;
        if !connected {
            wait(&socket, PollFlags::OUT, Some(deadline))?;
            socket.outcome()?;
        }
        let session = Session::new(Identity::new(name).with_credentials(address), OUTPUT_MAX);
        let mut this = Self { socket, session, kept: Default::default(), pongs: 0, sid_last: 0 };
        loop {
            match this.advance(Some(deadline))? {
                Told::Open => return Ok(this),
                Told::Refused(text) => return Err(Failure::Refused(text)),
                Told::Message(_) | Told::Pong => {}
            }
        }
    }

    /// Subscribes and returns the subscription's number.
    pub fn subscribe(&mut self, subject: &str, queue: Option<&str>) -> u64 {
        self.sid_last += 1;
        self.session.subscribe(subject, queue, self.sid_last);
        self.sid_last
    }

    /// Queues a message; [`flush`](Connection::flush) or any waiting call sends it.
    ///
    /// # Errors
    /// [`Failure::Session`] when the payload is too large.
    pub fn publish(
        &mut self,
        subject: &str,
        reply: Option<&str>,
        headers: &[u8],
        payload: &[u8],
    ) -> Result<(), Failure> {
        self.session.publish(subject, reply, headers, payload).map_err(Failure::Session)
    }

    /// Sends everything and waits until the bus has taken it.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the bus refused anything of it (a permission, a subject); [`Failure::Timeout`].
    pub fn flush(&mut self, timeout: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + timeout;
        self.session.ping();
        let target = self.pongs + 1;
        while self.pongs < target {
            match self.advance(Some(deadline))? {
                Told::Message(message) => self.kept.push_back(message),
                Told::Refused(text) => return Err(Failure::Refused(text)),
                Told::Open | Told::Pong => {}
            }
        }
        Ok(())
    }

    /// The next message, waiting until `deadline` (`None`: as long as it takes).
    ///
    /// # Errors
    /// [`Failure::Timeout`], [`Failure::Refused`], [`Failure::Bus`] when the connection broke.
    pub fn next(&mut self, deadline: Option<Instant>) -> Result<Owned, Failure> {
        if let Some(message) = self.kept.pop_front() {
            return Ok(message);
        }
        loop {
            match self.advance(deadline)? {
                Told::Message(message) => return Ok(message),
                Told::Refused(text) => return Err(Failure::Refused(text)),
                Told::Open | Told::Pong => {}
            }
        }
    }

    /// Sends a request and waits for the first answer.
    ///
    /// # Errors
    /// [`Failure::NoResponders`], [`Failure::Timeout`], and those of [`next`](Connection::next).
    pub fn request(&mut self, subject: &str, payload: &[u8], timeout: Duration) -> Result<Owned, Failure> {
        let deadline = Instant::now() + timeout;
        let inbox = format!("_INBOX.{}.{:x}.{}", std::process::id(), Instant::now().as_nanos(), self.sid_last + 1);
        let sid = self.subscribe(&inbox, None);
        self.session.unsubscribe(sid, Some(1));
        self.publish(subject, Some(&inbox), b"", payload)?;
        loop {
            match self.advance(Some(deadline))? {
                Told::Message(message) if message.sid == sid && message.is_no_responders() => {
                    return Err(Failure::NoResponders);
                }
                Told::Message(message) if message.sid == sid => return Ok(message),
                Told::Message(message) => self.kept.push_back(message),
                Told::Refused(text) => return Err(Failure::Refused(text)),
                Told::Open | Told::Pong => {}
            }
        }
    }

    /// Sends, receives and parses until the bus has told something.
    fn advance(&mut self, deadline: Option<Instant>) -> Result<Told, Failure> {
        loop {
            if let Some(told) = self.parsed()? {
                return Ok(told);
            }
            while !self.session.output().is_empty() {
                match self.socket.write(self.session.output())? {
                    0 => break,
                    count => self.session.sent(count),
                }
            }
            let more = if self.session.output().is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            wait(&self.socket, PollFlags::IN | more, deadline)?;
            let mut buffer = [0; 64 * 1024];
            match self.socket.read(&mut buffer)? {
                Read::Bytes(count) => self.session.receive(buffer.get(..count).unwrap_or_default()),
                Read::Nothing => {}
                Read::End => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            }
        }
    }

    fn parsed(&mut self) -> Result<Option<Told>, Failure> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(match self.session.next().map_err(Failure::Session)? {
            Some(Event::Open { .. }) => Some(Told::Open),
            Some(Event::Pong) => {
                self.pongs += 1;
                Some(Told::Pong)
            }
            Some(Event::Refused(text)) => Some(Told::Refused(text.to_owned())),
            Some(Event::Message(message)) => Some(Told::Message(Owned {
                sid: message.sid,
                subject: text(message.subject),
                reply: message.reply.map(text),
                headers: message.headers.to_vec(),
                payload: message.payload.to_vec(),
            })),
            None => None,
        })
    }
}

fn wait(socket: &Socket, flags: PollFlags, deadline: Option<Instant>) -> Result<(), Failure> {
    let limit = deadline.map(|at| at.since(Instant::now()));
    if limit == Some(Duration::ZERO) {
        return Err(Failure::Timeout);
    }
    let limit = limit.and_then(|span| Timespec::try_from(span).ok());
    match poll(&mut [PollFd::new(socket, flags)], limit.as_ref()) {
        Ok(0) => Err(Failure::Timeout),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(Failure::Bus(errno.into())),
    }
}
