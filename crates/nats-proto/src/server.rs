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
use crate::number::{parse_size, parse_u64};
use crate::span::{Fields, Line, Span, find_line, is_blank};

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

impl Verb {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Info => b"INFO",
            Self::Msg => b"MSG",
            Self::Hmsg => b"HMSG",
            Self::Ping => b"PING",
            Self::Pong => b"PONG",
            Self::Ok => b"+OK",
            Self::Error => b"-ERR",
        }
    }

    const fn after(self) -> State {
        match self {
            Self::Msg | Self::Hmsg => State::Separator(self),
            Self::Info | Self::Error => State::Blanks(self),
            Self::Ping | Self::Pong | Self::Ok => State::Rest(self),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    subject: Span,
    sid: u64,
    reply: Option<Span>,
    headers_len: usize,
    total_len: usize,
    body: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    /// After the P that PING and PONG share.
    P,
    Letters(Verb, usize),
    Separator(Verb),
    Blanks(Verb),
    Arguments(Verb, usize),
    Rest(Verb),
    Payload(Frame),
}

enum Step<'a> {
    On(usize),
    More(usize),
    Op(usize, Op<'a>),
}

/// The client's side of one connection's byte stream.
#[derive(Clone, Debug)]
pub struct Parser {
    state: State,
    line_max: usize,
    payload_max: usize,
}

impl Parser {
    /// A parser at the start of a connection. `line_max`: bytes of a control line after its verb, without CR LF; INFO is one, and
    /// that of a large cluster takes several kilobytes. `payload_max`: bytes of headers and payload together.
    #[must_use]
    pub const fn new(line_max: usize, payload_max: usize) -> Self {
        Self { state: State::Start, line_max, payload_max }
    }

    /// Bytes that the unconsumed input must hold for the operation under way to be complete; `None` while that is unknown.
    #[must_use]
    pub fn wanted_len(&self) -> Option<usize> {
        match self.state {
            State::Payload(frame) => Some(frame.body + frame.total_len + 2),
            State::Start
            | State::P
            | State::Letters(..)
            | State::Separator(_)
            | State::Blanks(_)
            | State::Arguments(..)
            | State::Rest(_) => None,
        }
    }

    /// Reads on. `input`: all bytes of the connection that are not consumed yet, in one piece. Returns how many of them are done
    /// with, and the operation if one is complete; without one, call again when more bytes have been appended.
    ///
    /// # Errors
    /// The peer does not speak the protocol; the parser must not be used afterwards.
    pub fn parse<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Op<'a>>), Error> {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let step = match self.state {
                State::Arguments(verb, scanned) => self.arguments(verb, scanned, rest)?,
                State::Payload(frame) => self.payload(frame, rest)?,
                State::Rest(verb) => self.rest(verb, rest),
                State::Start | State::P | State::Letters(..) | State::Separator(_) | State::Blanks(_) => {
                    self.letters(rest)?
                }
            };
            match step {
                Step::On(used) => at += used,
                Step::More(used) => return Ok((at + used, None)),
                Step::Op(used, op) => return Ok((at + used, Some(op))),
            }
        }
    }

    fn letters<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, Error> {
        for (at, &byte) in input.iter().enumerate() {
            match self.after(byte)? {
                State::Arguments(verb, _) => {
                    self.state = State::Arguments(verb, 0);
                    return Ok(Step::On(at));
                }
                State::Rest(verb) => {
                    self.state = State::Rest(verb);
                    return Ok(Step::On(at + 1));
                }
                next @ (State::Start
                | State::P
                | State::Letters(..)
                | State::Separator(_)
                | State::Blanks(_)
                | State::Payload(_)) => self.state = next,
            }
        }
        Ok(Step::More(input.len()))
    }

    fn after(&self, byte: u8) -> Result<State, Error> {
        match (self.state, byte.to_ascii_uppercase()) {
            (State::Start, b'M') => Ok(State::Letters(Verb::Msg, 1)),
            (State::Start, b'H') => Ok(State::Letters(Verb::Hmsg, 1)),
            (State::Start, b'I') => Ok(State::Letters(Verb::Info, 1)),
            (State::Start, b'+') => Ok(State::Letters(Verb::Ok, 1)),
            (State::Start, b'-') => Ok(State::Letters(Verb::Error, 1)),
            (State::Start, b'P') => Ok(State::P),
            (State::P, b'I') => Ok(State::Letters(Verb::Ping, 2)),
            (State::P, b'O') => Ok(State::Letters(Verb::Pong, 2)),
            (State::Letters(verb, matched), letter) if verb.word().get(matched) == Some(&letter) => {
                let whole = matched + 1 == verb.word().len();
                Ok(if whole { verb.after() } else { State::Letters(verb, matched + 1) })
            }
            (State::Separator(verb) | State::Blanks(verb), b' ' | b'\t') => Ok(State::Blanks(verb)),
            (State::Blanks(verb), _) => Ok(State::Arguments(verb, 0)),
            (State::Start | State::P | State::Letters(..) | State::Separator(_), _) => Err(Error::UnknownOperation),
            // Not reached: `parse` calls this for the states above only.
            (State::Arguments(..) | State::Rest(_) | State::Payload(_), _) => Err(Error::UnknownOperation),
        }
    }

    fn rest<'a>(&mut self, verb: Verb, input: &'a [u8]) -> Step<'a> {
        match memchr::memchr(b'\n', input) {
            None => Step::More(input.len()),
            Some(feed) => {
                self.state = State::Start;
                Step::Op(feed + 1, simple(verb))
            }
        }
    }

    fn arguments<'a>(&mut self, verb: Verb, scanned: usize, input: &'a [u8]) -> Result<Step<'a>, Error> {
        let (len, next) = match find_line(input, scanned, self.line_max) {
            Line::Ends { len, next } => (len, next),
            Line::TooLong => return Err(Error::LineTooLong),
            Line::Open => {
                self.state = State::Arguments(verb, input.len());
                return Ok(Step::More(0));
            }
        };
        let line = input.get(..len).unwrap_or_default();
        self.state = State::Start;
        let frame = match verb {
            Verb::Msg => message(line, next)?,
            Verb::Hmsg => header_message(line, next)?,
            Verb::Info => return Ok(Step::Op(next, Op::Info(line))),
            Verb::Error => return Ok(Step::Op(next, Op::Error(unquoted(line)))),
            Verb::Ping | Verb::Pong | Verb::Ok => return Ok(Step::Op(next, simple(verb))),
        };
        if frame.total_len > self.payload_max {
            return Err(Error::PayloadTooLarge);
        }
        self.payload(frame, input)
    }

    fn payload<'a>(&mut self, frame: Frame, input: &'a [u8]) -> Result<Step<'a>, Error> {
        let Frame { subject, sid, reply, headers_len, total_len, body } = frame;
        let (Some(content), end) =
            (input.get(body..body + total_len), input.get(body + total_len..).unwrap_or_default())
        else {
            self.state = State::Payload(frame);
            return Ok(Step::More(0));
        };
        match end {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] => {
                self.state = State::Payload(frame);
                return Ok(Step::More(0));
            }
            [..] => return Err(Error::UnknownOperation),
        }
        self.state = State::Start;
        let (headers, payload) = content.split_at_checked(headers_len).ok_or(Error::BadArguments)?;
        let reply = reply.map(|span| span.of(input));
        Ok(Step::Op(body + total_len + 2, Op::Message { subject: subject.of(input), sid, reply, headers, payload }))
    }
}

fn simple(verb: Verb) -> Op<'static> {
    match verb {
        Verb::Ping => Op::Ping,
        Verb::Pong => Op::Pong,
        Verb::Ok => Op::Ok,
        // Not reached: these verbs have a control line.
        Verb::Info | Verb::Msg | Verb::Hmsg | Verb::Error => Op::Error(b""),
    }
}

fn message(line: &[u8], body: usize) -> Result<Frame, Error> {
    let fields = Fields::<4>::split(line).ok_or(Error::BadArguments)?;
    let (subject, sid, reply, size) = match *fields.as_slice() {
        [subject, sid, size] => (subject, sid, None, size),
        [subject, sid, reply, size] => (subject, sid, Some(reply), size),
        [..] => return Err(Error::BadArguments),
    };
    let sid = parse_u64(sid.of(line)).ok_or(Error::BadArguments)?;
    let total_len = parse_size(size.of(line)).ok_or(Error::BadArguments)?;
    Ok(Frame { subject, sid, reply, headers_len: 0, total_len, body })
}

fn header_message(line: &[u8], body: usize) -> Result<Frame, Error> {
    let fields = Fields::<5>::split(line).ok_or(Error::BadArguments)?;
    let (subject, sid, reply, headers, total) = match *fields.as_slice() {
        [subject, sid, headers, total] => (subject, sid, None, headers, total),
        [subject, sid, reply, headers, total] => (subject, sid, Some(reply), headers, total),
        [..] => return Err(Error::BadArguments),
    };
    let sid = parse_u64(sid.of(line)).ok_or(Error::BadArguments)?;
    let headers_len = parse_size(headers.of(line)).ok_or(Error::BadArguments)?;
    let total_len = parse_size(total.of(line)).ok_or(Error::BadArguments)?;
    if headers_len > total_len {
        return Err(Error::BadArguments);
    }
    Ok(Frame { subject, sid, reply, headers_len, total_len, body })
}

/// The text of -ERR without trailing blanks and the quotes around it.
fn unquoted(line: &[u8]) -> &[u8] {
    let mut text = line;
    while let [before @ .., last] = text
        && is_blank(*last)
    {
        text = before;
    }
    match text {
        [b'\'', inner @ .., b'\''] => inner,
        bare => bare,
    }
}
