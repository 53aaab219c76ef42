//! What a client reads from its server.
//!
//! ```
//! use nats_proto::server::{Op, Parser};
//! let mut parser = Parser::new(1 << 16, 1 << 20);
//! let (used, op) = parser.parse(b"INFO {\"max_payload\":1048576} \r\n")?;
//! assert_eq!((used, op), (31, Some(Op::Info(b"{\"max_payload\":1048576} "))));
//! # Ok::<(), nats_proto::Error>(())
//! ```

use crate::Error;
use crate::automaton::{Automaton, Dialect, Form, Frame, Message, Said};
use crate::number::{parse_size, parse_u64};
use crate::span::{Fields, unquoted};

/// One operation of a server. Every slice is a part of the input given to [`Parser::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// What the server says about itself: JSON, not looked at here; blanks may follow it.
    Info(&'a [u8]),
    /// A message for one of our subscriptions.
    Message {
        /// The subject it was published to.
        subject: &'a [u8],
        /// The subscription, by the number we gave it.
        sid: u64,
        /// Where answers go.
        reply: Option<&'a [u8]>,
        /// The header block of HMSG as sent (see [`crate::headers`]); empty for MSG.
        headers: &'a [u8],
        /// The message's own bytes.
        payload: &'a [u8],
    },
    /// Asks for PONG.
    Ping,
    /// Answers our PING: everything sent before it has been processed.
    Pong,
    /// The server took an operation (verbose mode).
    Ok,
    /// The server's complaint, without the quotes around it.
    Error(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Info,
    Msg,
    Hmsg,
    Ping,
    Pong,
    Ok,
    Error,
}

/// What servers say to clients.
#[derive(Clone, Copy, Debug)]
struct Server;

impl Dialect for Server {
    type Verb = Verb;
    /// The sid.
    type Extra = u64;
    type Op<'a> = Op<'a>;

    const OTHERS: &'static [Verb] = &[Verb::Pong];

    fn first(letter: u8) -> Option<Verb> {
        match letter {
            b'M' => Some(Verb::Msg),
            b'H' => Some(Verb::Hmsg),
            b'P' => Some(Verb::Ping),
            b'I' => Some(Verb::Info),
            b'+' => Some(Verb::Ok),
            b'-' => Some(Verb::Error),
            _ => None,
        }
    }

    fn word(verb: Verb) -> &'static [u8] {
        match verb {
            Verb::Info => b"INFO",
            Verb::Msg => b"MSG",
            Verb::Hmsg => b"HMSG",
            Verb::Ping => b"PING",
            Verb::Pong => b"PONG",
            Verb::Ok => b"+OK",
            Verb::Error => b"-ERR",
        }
    }

    fn form(verb: Verb) -> Form {
        match verb {
            Verb::Msg | Verb::Hmsg => Form::Separated,
            Verb::Info | Verb::Error => Form::Attached,
            Verb::Ping | Verb::Pong | Verb::Ok => Form::Bare,
        }
    }

    fn line<'a>(&self, verb: Verb, line: &'a [u8]) -> Result<Said<'a, Self>, Error> {
        Ok(match verb {
            Verb::Msg => Said::Frame(message(line)?),
            Verb::Hmsg => Said::Frame(header_message(line)?),
            Verb::Info => Said::Op(Op::Info(line)),
            Verb::Error => Said::Op(Op::Error(unquoted(line))),
            Verb::Ping => Said::Op(Op::Ping),
            Verb::Pong => Said::Op(Op::Pong),
            Verb::Ok => Said::Op(Op::Ok),
        })
    }

    fn message(message: Message<'_, u64>) -> Op<'_> {
        let Message { subject, reply, extra: sid, headers, payload, .. } = message;
        Op::Message { subject, sid, reply, headers, payload }
    }
}

/// The client's side of one connection's byte stream.
#[derive(Clone, Debug)]
pub struct Parser(Automaton<Server>);

impl Parser {
    /// A parser at the start of a connection. `line_max`: bytes of a control line after its verb, without CR LF; INFO is one, and
    /// that of a large cluster takes several kilobytes. `payload_max`: bytes of headers and payload together.
    #[must_use]
    pub fn new(line_max: usize, payload_max: usize) -> Self {
        Self(Automaton::new(Server, line_max, payload_max))
    }

    /// Bytes that the unconsumed input must hold for the operation under way to be complete; `None` while that is unknown.
    #[must_use]
    pub fn wanted_len(&self) -> Option<usize> {
        self.0.wanted_len()
    }

    /// Reads on. `input`: all bytes of the connection that are not consumed yet, in one piece. Returns how many of them are done
    /// with, and the operation if one is complete; without one, call again when more bytes have been appended.
    ///
    /// # Errors
    /// The peer does not speak the protocol; the parser must not be used afterwards.
    pub fn parse<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Op<'a>>), Error> {
        self.0.parse(input)
    }
}

fn message(line: &[u8]) -> Result<Frame<u64>, Error> {
    let fields = Fields::<4>::split(line).ok_or(Error::BadArguments)?;
    let (subject, sid, reply, size) = match *fields.as_slice() {
        [subject, sid, size] => (subject, sid, None, size),
        [subject, sid, reply, size] => (subject, sid, Some(reply), size),
        [..] => return Err(Error::BadArguments),
    };
    let sid = parse_u64(sid.of(line)).ok_or(Error::BadArguments)?;
    let total_len = parse_size(size.of(line)).ok_or(Error::BadArguments)?;
    Ok(Frame { subject, reply, extra: sid, headers_len: 0, total_len })
}

fn header_message(line: &[u8]) -> Result<Frame<u64>, Error> {
    let fields = Fields::<5>::split(line).ok_or(Error::BadArguments)?;
    let (subject, sid, reply, headers, total) = match *fields.as_slice() {
        [subject, sid, headers, total] => (subject, sid, None, headers, total),
        [subject, sid, reply, headers, total] => (subject, sid, Some(reply), headers, total),
        [..] => return Err(Error::BadArguments),
    };
    let sid = parse_u64(sid.of(line)).ok_or(Error::BadArguments)?;
    let headers_len = parse_size(headers.of(line)).ok_or(Error::BadArguments)?;
    let total_len = parse_size(total.of(line)).ok_or(Error::BadArguments)?;
    Ok(Frame { subject, reply, extra: sid, headers_len, total_len })
}
