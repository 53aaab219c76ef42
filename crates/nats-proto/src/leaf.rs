//! What a hub sends to a leaf node.
//!
//! Where a client subscribes by number, a leaf node is told subjects: `LS+` is interest of the other side, `LS-` its end, and messages
//! name their subject and the queue groups that are to deliver them.
//!
//! ```
//! use nats_proto::leaf::{Op, Parser};
//! let mut parser = Parser::new(1 << 16, 1 << 20);
//! let (used, op) = parser.parse(b"LMSG work + answers q1 q2 2\r\nhi\r\n")?;
//! let Some(Op::Message { subject, reply, queues, payload, .. }) = op else { unreachable!() };
//! assert_eq!((used, subject, reply, payload), (33, &b"work"[..], Some(&b"answers"[..]), &b"hi"[..]));
//! assert!(queues.iter().eq([b"q1", b"q2"]));
//! # Ok::<(), nats_proto::Error>(())
//! ```

use crate::Error;
use crate::automaton::{Automaton, Dialect, Form, Frame, Message, Said};
use crate::number::parse_size;
use crate::span::{Fields, Span, is_blank, unquoted};
use core::fmt;

/// One operation of a hub. Every slice is a part of the input given to [`Parser::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// What the hub says about itself or, later, about us: JSON, not looked at here; blanks may follow it.
    Info(&'a [u8]),
    /// Asks for PONG.
    Ping,
    /// Answers our PING.
    Pong,
    /// The hub took an operation; none asks for this.
    Ok,
    /// The hub's complaint, without the quotes around it.
    Error(&'a [u8]),
    /// The other side wants messages.
    Interest {
        /// Pattern of subjects. Not validated here.
        subject: &'a [u8],
        /// Queue group, and how many members it has over there; a weight that is no number counts as zero.
        queue: Option<(&'a [u8], u32)>,
    },
    /// The other side wants them no more.
    NoInterest {
        /// Pattern of subjects, as it was announced.
        subject: &'a [u8],
        /// Queue group, as it was announced.
        queue: Option<&'a [u8]>,
    },
    /// A message.
    Message {
        /// Where to. Not validated here.
        subject: &'a [u8],
        /// Where answers go.
        reply: Option<&'a [u8]>,
        /// The queue groups of ours that are to deliver it; none without.
        queues: Queues<'a>,
        /// The header block of HMSG as sent; empty for LMSG.
        headers: &'a [u8],
        /// The message's own bytes.
        payload: &'a [u8],
    },
}

/// Names of queue groups as they stand on a line.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Queues<'a>(&'a [u8]);

impl<'a> Queues<'a> {
    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.0.split(|&byte| is_blank(byte)).filter(|name| !name.is_empty())
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when `name` is among them.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.iter().any(|known| known == name)
    }
}

impl fmt::Debug for Queues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.escape_ascii())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Lmsg,
    Hmsg,
    Plus,
    Minus,
    Ping,
    Pong,
    Info,
    Error,
    Ok,
}

/// What hubs say to leaf nodes.
#[derive(Clone, Copy, Debug)]
struct Hub;

impl Dialect for Hub {
    type Verb = Verb;
    /// The queue groups.
    type Extra = Span;
    type Op<'a> = Op<'a>;

    const OTHERS: &'static [Verb] = &[Verb::Plus, Verb::Minus, Verb::Pong];

    fn first(letter: u8) -> Option<Verb> {
        match letter {
            b'L' => Some(Verb::Lmsg),
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
            Verb::Lmsg => b"LMSG",
            Verb::Hmsg => b"HMSG",
            Verb::Plus => b"LS+",
            Verb::Minus => b"LS-",
            Verb::Ping => b"PING",
            Verb::Pong => b"PONG",
            Verb::Info => b"INFO",
            Verb::Error => b"-ERR",
            Verb::Ok => b"+OK",
        }
    }

    fn form(verb: Verb) -> Form {
        match verb {
            Verb::Lmsg | Verb::Hmsg | Verb::Plus | Verb::Minus => Form::Separated,
            Verb::Info | Verb::Error => Form::Attached,
            Verb::Ping | Verb::Pong | Verb::Ok => Form::Bare,
        }
    }

    fn line<'a>(&self, verb: Verb, line: &'a [u8]) -> Result<Said<'a, Self>, Error> {
        Ok(match verb {
            Verb::Lmsg => Said::Frame(message(line, false)?),
            Verb::Hmsg => Said::Frame(message(line, true)?),
            Verb::Plus => Said::Op(interest(line)?),
            Verb::Minus => Said::Op(no_interest(line)?),
            Verb::Info => Said::Op(Op::Info(line)),
            Verb::Error => Said::Op(Op::Error(unquoted(line))),
            Verb::Ping => Said::Op(Op::Ping),
            Verb::Pong => Said::Op(Op::Pong),
            Verb::Ok => Said::Op(Op::Ok),
        })
    }

    fn message(message: Message<'_, Span>) -> Op<'_> {
        let Message { subject, reply, extra, headers, payload, line } = message;
        Op::Message { subject, reply, queues: Queues(extra.of(line)), headers, payload }
    }
}

/// The leaf node's side of one connection's byte stream.
#[derive(Clone, Debug)]
pub struct Parser(Automaton<Hub>);

impl Parser {
    /// A parser at the start of a connection. `line_max`: bytes of a control line after its verb, without CR LF; INFO is one, with the
    /// addresses of all hubs and our permissions. `payload_max`: bytes of headers and payload together.
    #[must_use]
    pub fn new(line_max: usize, payload_max: usize) -> Self {
        Self(Automaton::new(Hub, line_max, payload_max))
    }

    /// True between operations: nothing of a next one has been seen.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.is_idle()
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

fn interest(line: &[u8]) -> Result<Op<'_>, Error> {
    match *Fields::<3>::split(line).ok_or(Error::BadArguments)?.as_slice() {
        [subject] => Ok(Op::Interest { subject: subject.of(line), queue: None }),
        [subject, queue, weight] => {
            let weight = parse_size(weight.of(line)).and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0);
            Ok(Op::Interest { subject: subject.of(line), queue: Some((queue.of(line), weight)) })
        }
        [..] => Err(Error::BadArguments),
    }
}

fn no_interest(line: &[u8]) -> Result<Op<'_>, Error> {
    match *Fields::<2>::split(line).ok_or(Error::BadArguments)?.as_slice() {
        [subject] => Ok(Op::NoInterest { subject: subject.of(line), queue: None }),
        [subject, queue] => Ok(Op::NoInterest { subject: subject.of(line), queue: Some(queue.of(line)) }),
        [..] => Err(Error::BadArguments),
    }
}

/// `subject [reply] sizes`, `subject + reply queues sizes` or `subject | queues sizes`: there may be any number of queues.
fn message(line: &[u8], with_headers: bool) -> Result<Frame<Span>, Error> {
    let mut rest = Span::whole(line);
    let subject = rest.take_first(line).ok_or(Error::BadArguments)?;
    let total_len = size(rest.take_last(line), line)?;
    let headers_len = if with_headers { size(rest.take_last(line), line)? } else { 0 };
    let first = rest.take_first(line);
    let second = rest.take_first(line);
    let (reply, queues) = match (first, second, first.map_or(&[][..], |mark| mark.of(line))) {
        (None, ..) => (None, Span::default()),
        (Some(reply), None, _) => (Some(reply), Span::default()),
        (Some(_), Some(reply), b"+") => (Some(reply), rest.trimmed(line)),
        (Some(_), Some(queue), b"|") => (None, queue.up_to(rest.trimmed(line))),
        (Some(_), Some(_), _) => return Err(Error::BadArguments),
    };
    Ok(Frame { subject, reply, extra: queues, headers_len, total_len })
}

fn size(digits: Option<Span>, line: &[u8]) -> Result<usize, Error> {
    digits.and_then(|digits| parse_size(digits.of(line))).ok_or(Error::BadArguments)
}
