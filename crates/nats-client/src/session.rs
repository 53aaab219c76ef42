//! The protocol of one connection, without I/O.

use crate::Address;
use nats_proto::headers::Headers;
use nats_proto::{encode, server};
use std::fmt;

/// Longest control line taken from a server. INFO of a large cluster is the longest there is.
const LINE_MAX: usize = 64 * 1024;

/// The payload limit until the server has told its own.
const PAYLOAD_MAX: usize = 64 * 1024 * 1024;

/// Who we say we are in CONNECT.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    name: String,
    user: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

impl Identity {
    /// An identity with a name to show in the server's connection list, and no credentials.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The same with the credentials of a bus URL.
    #[must_use]
    pub fn with_credentials(mut self, address: &Address) -> Self {
        self.user.clone_from(&address.user);
        self.password.clone_from(&address.password);
        self.token.clone_from(&address.token);
        self
    }

    fn connect(&self) -> String {
        let mut json = String::from("{\"verbose\":false,\"pedantic\":false,\"lang\":\"rust\",\"protocol\":1");
        json.push_str(",\"headers\":true,\"no_responders\":true,\"version\":\"");
        json.push_str(env!("CARGO_PKG_VERSION"));
        json.push('"');
        let fields = [("user", &self.user), ("pass", &self.password), ("auth_token", &self.token)];
        push_field(&mut json, "name", &self.name);
        for (key, value) in fields {
            if let Some(value) = value {
                push_field(&mut json, key, value);
            }
        }
        json.push('}');
        json
    }
}

fn push_field(json: &mut String, key: &str, value: &str) {
    json.push_str(",\"");
    json.push_str(key);
    json.push_str("\":\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}

/// A received message. Everything is a slice of the session's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Number of the subscription it came for.
    pub sid: u64,
    /// Subject it was published to.
    pub subject: &'a [u8],
    /// Subject for answers.
    pub reply: Option<&'a [u8]>,
    /// The header block, empty without headers.
    pub headers: &'a [u8],
    /// The payload.
    pub payload: &'a [u8],
}

impl Message<'_> {
    /// True for the server's answer to a request that nobody can serve (status 503 and no payload).
    #[must_use]
    pub fn is_no_responders(&self) -> bool {
        is_no_responders(self.headers, self.payload)
    }
}

pub(crate) fn is_no_responders(headers: &[u8], payload: &[u8]) -> bool {
    payload.is_empty() && Headers::parse(headers).is_ok_and(|headers| headers.status() == Some(503))
}

/// What a server told us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The server has accepted us.
    Open {
        /// The largest payload it takes, in bytes.
        max_payload: usize,
    },
    /// A message for one of our subscriptions.
    Message(Message<'a>),
    /// The answer to the oldest [`Session::ping`] not yet answered.
    Pong,
    /// An error in the server's words; it closes the connection itself where that is due.
    Refused(&'a str),
}

/// Why a connection cannot go on, or a command was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The peer does not speak NATS; the parser's sentence.
    Protocol(String),
    /// The output waiting for the server is at its limit; the command was not taken.
    Full,
    /// The payload is larger than the server's limit; the command was not taken.
    TooLarge {
        /// The server's limit in bytes.
        max_payload: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(why) => write!(f, "the server does not speak NATS: {why}"),
            Self::Full => f.write_str("output buffer full"),
            Self::TooLarge { max_payload } => {
                write!(f, "payload larger than the server's limit of {max_payload} bytes")
            }
        }
    }
}

impl std::error::Error for Error {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    AwaitInfo,
    AwaitPong,
    Open,
}

/// One connection's protocol state. Commands append to [`output`](Session::output); [`receive`](Session::receive) takes what the
/// socket gave.
#[derive(Debug)]
pub struct Session {
    parser: server::Parser,
    input: Vec<u8>,
    parsed: usize,
    output: Vec<u8>,
    output_max: usize,
    phase: Phase,
    identity: Identity,
    max_payload: usize,
}

impl Session {
    /// A session that waits for the server's INFO. At most `output_max` bytes wait for the server; more is [`Error::Full`].
    #[must_use]
    pub fn new(identity: Identity, output_max: usize) -> Self {
        Self {
            parser: server::Parser::new(LINE_MAX, PAYLOAD_MAX),
            input: Vec::new(),
            parsed: 0,
            output: Vec::new(),
            output_max,
            phase: Phase::AwaitInfo,
            identity,
            max_payload: PAYLOAD_MAX,
        }
    }

    /// Appends bytes from the server; [`next`](Session::next) then tells what they say.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.parsed > 0 {
            self.input.drain(..self.parsed);
            self.parsed = 0;
        }
        self.input.extend_from_slice(bytes);
    }

    /// Gives buffers back that a burst made large.
    pub fn shrink(&mut self) {
        const KEEP: usize = 16 * 1024;
        if self.parsed == self.input.len() {
            self.input.clear();
            self.parsed = 0;
            self.input.shrink_to(KEEP);
        }
        if self.output.is_empty() {
            self.output.shrink_to(KEEP);
        }
    }

    /// The next thing the received bytes say; `None` when they are used up. Pings are answered on the way.
    ///
    /// # Errors
    /// [`Error::Protocol`]: close the connection.
    #[expect(clippy::should_implement_trait, reason = "the items borrow from the session")]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Error> {
        loop {
            let rest = self.input.get(self.parsed..).unwrap_or_default();
            let (consumed, op) = self.parser.parse(rest).map_err(|error| Error::Protocol(error.to_string()))?;
            self.parsed += consumed;
            let Some(op) = op else { return Ok(None) };
            match op {
                server::Op::Info(json) => self.max_payload = info_max_payload(json).unwrap_or(self.max_payload),
                server::Op::Ping => encode::pong(&mut self.output),
                server::Op::Ok => {}
                server::Op::Error(text) => {
                    return Ok(Some(Event::Refused(std::str::from_utf8(text).unwrap_or("unreadable error"))));
                }
                server::Op::Pong if self.phase == Phase::AwaitPong => {
                    self.phase = Phase::Open;
                    return Ok(Some(Event::Open { max_payload: self.max_payload }));
                }
                server::Op::Pong => return Ok(Some(Event::Pong)),
                server::Op::Message { subject, sid, reply, headers, payload } => {
                    return Ok(Some(Event::Message(Message { sid, subject, reply, headers, payload })));
                }
            }
            if self.phase == Phase::AwaitInfo {
                self.phase = Phase::AwaitPong;
                encode::connect(&mut self.output, self.identity.connect());
                encode::ping(&mut self.output);
            }
        }
    }

    /// Bytes to send to the server.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Takes `count` sent bytes from the output.
    pub fn sent(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
    }

    /// Publishes a message. `headers` is a whole block as `headers::Builder` makes it, or empty.
    ///
    /// # Errors
    /// [`Error::Full`] and [`Error::TooLarge`]; nothing was taken then.
    pub fn publish(&mut self, subject: &str, reply: Option<&str>, headers: &[u8], payload: &[u8]) -> Result<(), Error> {
        if headers.len() + payload.len() > self.max_payload {
            return Err(Error::TooLarge { max_payload: self.max_payload });
        }
        // An empty buffer takes any message, so that none is too large for ever.
        if !self.output.is_empty()
            && self.output.len() + subject.len() + headers.len() + payload.len() > self.output_max
        {
            return Err(Error::Full);
        }
        encode::publish(&mut self.output, subject, reply.map(str::as_bytes), headers, payload);
        Ok(())
    }

    /// Subscribes; messages will carry `sid`.
    pub fn subscribe(&mut self, subject: &str, queue: Option<&str>, sid: u64) {
        encode::subscribe(&mut self.output, subject, queue.map(str::as_bytes), sid);
    }

    /// Ends a subscription, at once or after `max` messages in all.
    pub fn unsubscribe(&mut self, sid: u64, max: Option<u64>) {
        encode::unsubscribe(&mut self.output, sid, max);
    }

    /// Asks for a [`Event::Pong`]: when it comes, the server has taken everything that was sent before.
    pub fn ping(&mut self) {
        encode::ping(&mut self.output);
    }
}

/// Finds `"max_payload":N` in INFO. The one field this client needs is no reason to link a JSON library.
fn info_max_payload(json: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(json).ok()?;
    let (_, after) = text.split_once("\"max_payload\":")?;
    let digits = after.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"INFO {\"server_id\":\"x\",\"max_payload\":100} \r\nPONG\r\n";

    fn open() -> Session {
        let mut session = Session::new(Identity::new("t"), 200);
        session.receive(HELLO);
        assert_eq!(session.next().unwrap(), Some(Event::Open { max_payload: 100 }));
        session.sent(usize::MAX);
        session
    }

    #[test]
    fn every_cut_of_a_conversation_tells_the_same() {
        let bytes = [HELLO, b"MSG a.b 7 r 5\r\nhello\r\nPING\r\n+OK\r\nPONG\r\n-ERR 'Slow'\r\n"].concat();
        for cut in 0..=bytes.len() {
            let mut session = Session::new(Identity::new("t"), 200);
            let mut told = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                session.receive(part);
                while let Some(event) = session.next().unwrap() {
                    told.push(format!("{event:?}"));
                }
            }
            assert_eq!(told.len(), 4, "cut at {cut}: {told:?}");
            assert!(told[1].contains("sid: 7") && told[3].contains("Slow"), "cut at {cut}: {told:?}");
            assert!(session.output().ends_with(b"PONG\r\n"));
        }
    }

    #[test]
    fn limits_refuse_without_taking_anything() {
        let mut session = open();
        assert_eq!(session.publish("a", None, b"", &[0; 101]), Err(Error::TooLarge { max_payload: 100 }));
        session.publish("a", None, b"", &[0; 100]).unwrap();
        let before = session.output().len();
        assert_eq!(session.publish("a", None, b"", &[0; 100]), Err(Error::Full));
        assert_eq!(session.output().len(), before);
    }

    #[test]
    fn a_peer_that_does_not_speak_nats_is_an_error() {
        let mut session = Session::new(Identity::new("t"), 200);
        session.receive(b"HTTP/1.1 400 Bad Request\r\n");
        assert!(matches!(session.next(), Err(Error::Protocol(_))));
    }

    #[test]
    fn credentials_are_escaped_in_connect() {
        let address: Address = "nats://a%22b:c%5c@127.0.0.1".parse().unwrap();
        let json = Identity::new("n").with_credentials(&address).connect();
        assert!(json.ends_with(r#","name":"n","user":"a\"b","pass":"c\\"}"#), "{json}");
    }
}
