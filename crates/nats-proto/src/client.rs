//! What a server reads from its clients.
//!
//! The parser consumes verbs as they come and keeps a control line and its payload in the caller's buffer until both are whole.
//! Unknown verbs are told at the first wrong byte, long lines before their end, oversized payloads at their control line.
//!
//! ```
//! use nats_proto::client::{Op, Parser};
//! let mut parser = Parser::new(4096, 1 << 20);
//! assert_eq!(parser.parse(b"pub greet 2\r\nhi")?, (4, None));
//! let (used, op) = parser.parse(b"greet 2\r\nhi\r\n")?;
//! let Some(Op::Pub { subject, payload, .. }) = op else { panic!("no publish") };
//! assert_eq!((used, subject, payload), (13, &b"greet"[..], &b"hi"[..]));
//! # Ok::<(), nats_proto::Error>(())
//! ```

use crate::Error;
use crate::automaton::{Automaton, Dialect, Form, Frame, Message, Said};
use crate::number::parse_size;
use crate::span::{Fields, Span};

/// One operation of a client. Every slice is a part of the input given to [`Parser::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// The client's options: JSON, not looked at here.
    Connect(&'a [u8]),
    /// Asks for PONG.
    Ping,
    /// Answers the server's PING.
    Pong,
    /// A message to deliver.
    Pub {
        /// Where to. Not validated here.
        subject: &'a [u8],
        /// Where answers go.
        reply: Option<&'a [u8]>,
        /// The header block of HPUB as sent; empty for PUB.
        headers: &'a [u8],
        /// The message's own bytes.
        payload: &'a [u8],
        /// How it was written: receivers get sizes with the digits the publisher chose.
        wire: Wire<'a>,
    },
    /// A new subscription.
    Sub {
        /// Pattern of subjects. Not validated here.
        subject: &'a [u8],
        /// Queue group.
        queue: Option<&'a [u8]>,
        /// The client's name for the subscription; any text without blanks.
        sid: &'a [u8],
    },
    /// The end of a subscription.
    Unsub {
        /// The client's name for it.
        sid: &'a [u8],
        /// End after this many messages in total since SUB; now when absent, zero or no number.
        max: Option<u64>,
    },
    /// INFO, which other servers send; clients have no business to.
    Info(&'a [u8]),
    /// +OK, which means nothing coming from a client.
    Ok,
    /// -ERR: the client gives up; the text as sent.
    Error(&'a [u8]),
}

/// Parts of a publish as they were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wire<'a> {
    /// Everything after the subject and one blank, up to the frame's end: what MSG has after its sid. Empty when the frame is not written
    /// in the plainest way, and MSG must be put together.
    pub tail: &'a [u8],
    /// Digits of HPUB's first size; empty for PUB.
    pub headers_len: &'a [u8],
    /// Digits of the (second) size.
    pub total_len: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Pub,
    Hpub,
    Sub,
    Unsub,
    Connect,
    Info,
    Error,
    Ping,
    Pong,
    Ok,
}

/// What clients say. The flag: whether headers are accepted.
#[derive(Clone, Copy, Debug)]
struct Client(bool);

impl Dialect for Client {
    type Verb = Verb;
    /// The digits of both sizes.
    type Extra = [Span; 2];
    type Op<'a> = Op<'a>;

    const OTHERS: &'static [Verb] = &[Verb::Pub, Verb::Pong];

    fn first(letter: u8) -> Option<Verb> {
        match letter {
            b'H' => Some(Verb::Hpub),
            b'P' => Some(Verb::Ping),
            b'S' => Some(Verb::Sub),
            b'U' => Some(Verb::Unsub),
            b'C' => Some(Verb::Connect),
            b'I' => Some(Verb::Info),
            b'+' => Some(Verb::Ok),
            b'-' => Some(Verb::Error),
            _ => None,
        }
    }

    fn word(verb: Verb) -> &'static [u8] {
        match verb {
            Verb::Pub => b"PUB",
            Verb::Hpub => b"HPUB",
            Verb::Sub => b"SUB",
            Verb::Unsub => b"UNSUB",
            Verb::Connect => b"CONNECT",
            Verb::Info => b"INFO",
            Verb::Error => b"-ERR",
            Verb::Ping => b"PING",
            Verb::Pong => b"PONG",
            Verb::Ok => b"+OK",
        }
    }

    fn form(verb: Verb) -> Form {
        match verb {
            Verb::Pub | Verb::Hpub | Verb::Sub | Verb::Unsub | Verb::Error => Form::Separated,
            Verb::Connect | Verb::Info => Form::Attached,
            Verb::Ping | Verb::Pong | Verb::Ok => Form::Bare,
        }
    }

    fn line<'a>(&self, verb: Verb, line: &'a [u8]) -> Result<Said<'a, Self>, Error> {
        Ok(match verb {
            Verb::Pub => Said::Frame(publish(line)?),
            Verb::Hpub => Said::Frame(header_publish(line, self.0)?),
            Verb::Sub => Said::Op(subscribe(line)?),
            Verb::Unsub => Said::Op(unsubscribe(line)?),
            Verb::Connect => Said::Op(Op::Connect(line)),
            Verb::Info => Said::Op(Op::Info(line)),
            Verb::Error => Said::Op(Op::Error(line)),
            Verb::Ping => Said::Op(Op::Ping),
            Verb::Pong => Said::Op(Op::Pong),
            Verb::Ok => Said::Op(Op::Ok),
        })
    }

    fn message(message: Message<'_, [Span; 2]>) -> Op<'_> {
        let Message { subject, reply, headers, payload, extra: [first, second], line } = message;
        let wire = Wire { tail: b"", headers_len: first.of(line), total_len: second.of(line) };
        Op::Pub { subject, reply, headers, payload, wire }
    }
}

/// A publish whose control line has arrived and whose payload has not, as [`Parser::pending`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending<'a> {
    /// Where to.
    pub subject: &'a [u8],
    /// Where answers go.
    pub reply: Option<&'a [u8]>,
    /// Bytes of headers.
    pub headers_len: usize,
    /// Bytes of headers and payload together.
    pub total_len: usize,
}

/// The server's side of one connection's byte stream.
#[derive(Clone, Debug)]
pub struct Parser(Automaton<Client>);

impl Parser {
    /// A parser at the start of a connection. `line_max`: bytes of a control line after its verb, without CR LF. `payload_max`:
    /// bytes of headers and payload together. Headers are accepted until [`Parser::set_headers`] says otherwise.
    #[must_use]
    pub fn new(line_max: usize, payload_max: usize) -> Self {
        Self(Automaton::new(Client(true), line_max, payload_max))
    }

    /// Changes the limits; a frame whose control line is accepted already stays accepted.
    pub fn set_limits(&mut self, line_max: usize, payload_max: usize) {
        self.0.set_limits(line_max, payload_max);
    }

    /// Whether HPUB is accepted from now on.
    pub fn set_headers(&mut self, accepted: bool) {
        self.0.dialect = Client(accepted);
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

    /// The publish whose payload is still on its way. `input`: the unconsumed bytes, as given to [`Parser::parse`].
    #[must_use]
    pub fn pending<'a>(&self, input: &'a [u8]) -> Option<Pending<'a>> {
        self.0.pending().map(|(frame, _)| Pending {
            subject: frame.subject.of(input),
            reply: frame.reply.map(|span| span.of(input)),
            headers_len: frame.headers_len,
            total_len: frame.total_len,
        })
    }

    /// The subject of the publish whose payload did not end as it must, after an error; `None` after another one. `input`: what was given to
    /// the call of [`Parser::parse`] that failed.
    #[must_use]
    pub fn broken_subject<'a>(&self, input: &'a [u8]) -> Option<&'a [u8]> {
        self.0.broken(input).map(|(frame, message)| frame.subject.of(message))
    }

    /// Reads on. `input`: all bytes of the connection that are not consumed yet, in one piece. Returns how many of them are done
    /// with, and the operation if one is complete; without one, call again when more bytes have been appended.
    ///
    /// # Errors
    /// The peer does not speak the protocol; the parser must not be used afterwards.
    #[inline]
    pub fn parse<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Op<'a>>), Error> {
        if self.0.is_idle()
            && let Some((used, op)) = self.whole_publish(input)
        {
            return Ok((used, Some(op)));
        }
        self.0.parse(input)
    }

    /// The plainest publish, if it is here from its first byte to its last: what nearly all of a busy connection's input is. Whatever
    /// is in any way unusual is left to the automaton.
    #[inline]
    fn whole_publish<'a>(&self, input: &'a [u8]) -> Option<(usize, Op<'a>)> {
        let [b'P' | b'p', b'U' | b'u', b'B' | b'b', b' ', line @ ..] = input else { return None };
        let mut blanks = [0_usize; 2];
        let mut count = 0;
        let mut end = None;
        for (at, &byte) in line.iter().take(self.0.line_max()).enumerate() {
            // Every byte that ends or splits something is at most a blank.
            if byte <= b' ' {
                match byte {
                    b' ' => *blanks.get_mut(count)? = at,
                    b'\r' => {
                        end = Some(at);
                        break;
                    }
                    _ => return None,
                }
                count += 1;
            }
        }
        let (end, [first, second]) = (end?, blanks);
        let (subject, reply, total_len) = match count {
            1 => (line.get(..first)?, None, line.get(first + 1..end)?),
            2 => (line.get(..first)?, Some(line.get(first + 1..second)?), line.get(second + 1..end)?),
            _ => return None,
        };
        if subject.is_empty() || reply.is_some_and(<[u8]>::is_empty) {
            return None;
        }
        let len = parse_size(total_len).filter(|&len| len <= self.0.payload_max())?;
        let body = line.get(end + 1..)?.strip_prefix(b"\n")?;
        let (payload, [b'\r', b'\n', ..]) = body.split_at_checked(len)? else { return None };
        let frame_len = end + 2 + len + 2;
        let wire = Wire { tail: line.get(first + 1..frame_len)?, headers_len: b"", total_len };
        Some((4 + frame_len, Op::Pub { subject, reply, headers: b"", payload, wire }))
    }
}

fn publish(line: &[u8]) -> Result<Frame<[Span; 2]>, Error> {
    let fields = Fields::<3>::split(line).ok_or(Error::BadArguments)?;
    let (subject, reply, size) = match *fields.as_slice() {
        [subject, size] => (subject, None, size),
        [subject, reply, size] => (subject, Some(reply), size),
        [..] => return Err(Error::BadArguments),
    };
    let total_len = parse_size(size.of(line)).ok_or(Error::BadArguments)?;
    Ok(Frame { subject, reply, extra: [Span::default(), size], headers_len: 0, total_len })
}

fn header_publish(line: &[u8], accepted: bool) -> Result<Frame<[Span; 2]>, Error> {
    let fields = Fields::<4>::split(line).ok_or(Error::BadArguments)?;
    let (subject, reply, headers, total) = match *fields.as_slice() {
        [subject, headers, total] => (subject, None, headers, total),
        [subject, reply, headers, total] => (subject, Some(reply), headers, total),
        [..] => return Err(Error::BadArguments),
    };
    let headers_len = parse_size(headers.of(line)).ok_or(Error::BadArguments)?;
    let total_len = parse_size(total.of(line)).ok_or(Error::BadArguments)?;
    if headers_len > total_len {
        return Err(Error::BadArguments);
    }
    if !accepted {
        return Err(Error::HeadersNotEnabled);
    }
    Ok(Frame { subject, reply, extra: [headers, total], headers_len, total_len })
}

fn subscribe(line: &[u8]) -> Result<Op<'_>, Error> {
    match *Fields::<3>::split_at_returns(line).ok_or(Error::BadArguments)?.as_slice() {
        [subject, sid] => Ok(Op::Sub { subject: subject.of(line), queue: None, sid: sid.of(line) }),
        [subject, queue, sid] => {
            Ok(Op::Sub { subject: subject.of(line), queue: Some(queue.of(line)), sid: sid.of(line) })
        }
        [..] => Err(Error::BadArguments),
    }
}

fn unsubscribe(line: &[u8]) -> Result<Op<'_>, Error> {
    match *Fields::<2>::split_at_returns(line).ok_or(Error::BadArguments)?.as_slice() {
        [sid] => Ok(Op::Unsub { sid: sid.of(line), max: None }),
        [sid, max] => {
            let max = parse_size(max.of(line)).map(|max| max as u64).filter(|&max| max > 0);
            Ok(Op::Unsub { sid: sid.of(line), max })
        }
        [..] => Err(Error::BadArguments),
    }
}
