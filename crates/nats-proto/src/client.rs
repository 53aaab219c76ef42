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
use crate::number::parse_size;
use crate::span::{Fields, Line, Span, find_line};

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

impl Verb {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Pub => b"PUB",
            Self::Hpub => b"HPUB",
            Self::Sub => b"SUB",
            Self::Unsub => b"UNSUB",
            Self::Connect => b"CONNECT",
            Self::Info => b"INFO",
            Self::Error => b"-ERR",
            Self::Ping => b"PING",
            Self::Pong => b"PONG",
            Self::Ok => b"+OK",
        }
    }

    /// What follows the verb's last letter.
    const fn after(self) -> State {
        match self {
            Self::Pub | Self::Hpub | Self::Sub | Self::Unsub | Self::Error => State::Separator(self),
            Self::Connect | Self::Info => State::Blanks(self),
            Self::Ping | Self::Pong | Self::Ok => State::Rest(self),
        }
    }
}

/// A publish whose control line is read: places relative to the first byte after verb and blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    subject: Span,
    reply: Option<Span>,
    headers_len: usize,
    total_len: usize,
    /// The digits of both sizes.
    digits: [Span; 2],
    body: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before an operation.
    Start,
    /// After the P that PUB, PING and PONG share.
    P,
    /// Inside a verb: so many letters matched.
    Letters(Verb, usize),
    /// A blank must follow.
    Separator(Verb),
    /// Blanks may follow.
    Blanks(Verb),
    /// Inside the control line: so many bytes hold no line feed.
    Arguments(Verb, usize),
    /// Ignoring everything up to the line feed.
    Rest(Verb),
    /// Waiting for the payload.
    Payload(Frame),
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
pub struct Parser {
    state: State,
    line_max: u32,
    payload_max: u32,
    headers: bool,
}

impl Parser {
    /// A parser at the start of a connection. `line_max`: bytes of a control line after its verb, without CR LF. `payload_max`:
    /// bytes of headers and payload together. Headers are accepted until [`Parser::set_headers`] says otherwise.
    #[must_use]
    pub fn new(line_max: usize, payload_max: usize) -> Self {
        let mut parser = Self { state: State::Start, line_max: 0, payload_max: 0, headers: true };
        parser.set_limits(line_max, payload_max);
        parser
    }

    /// Changes the limits; a frame whose control line is accepted already stays accepted.
    pub fn set_limits(&mut self, line_max: usize, payload_max: usize) {
        self.line_max = u32::try_from(line_max).unwrap_or(u32::MAX);
        self.payload_max = u32::try_from(payload_max).unwrap_or(u32::MAX);
    }

    /// Whether HPUB is accepted from now on.
    pub fn set_headers(&mut self, accepted: bool) {
        self.headers = accepted;
    }

    /// True between operations: nothing of a next one has been seen.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Start
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

    /// The publish whose payload is still on its way. `input`: the unconsumed bytes, as given to [`Parser::parse`].
    #[must_use]
    pub fn pending<'a>(&self, input: &'a [u8]) -> Option<Pending<'a>> {
        match self.state {
            State::Payload(frame) => Some(Pending {
                subject: frame.subject.of(input),
                reply: frame.reply.map(|span| span.of(input)),
                headers_len: frame.headers_len,
                total_len: frame.total_len,
            }),
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
    #[inline]
    pub fn parse<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Op<'a>>), Error> {
        if self.state == State::Start
            && let Some((used, op)) = self.whole_publish(input)
        {
            return Ok((used, Some(op)));
        }
        self.step_by_step(input)
    }

    /// The plainest publish, if it is here from its first byte to its last: what nearly all of a busy connection's input is. Whatever
    /// is in any way unusual is left to the automaton.
    #[inline]
    fn whole_publish<'a>(&self, input: &'a [u8]) -> Option<(usize, Op<'a>)> {
        let [b'P' | b'p', b'U' | b'u', b'B' | b'b', b' ', line @ ..] = input else { return None };
        let mut blanks = [0_usize; 2];
        let mut count = 0;
        let mut end = None;
        for (at, &byte) in line.iter().take(self.line_max as usize).enumerate() {
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
        let len = parse_size(total_len).filter(|&len| len <= self.payload_max as usize)?;
        let body = line.get(end + 1..)?.strip_prefix(b"\n")?;
        let (payload, [b'\r', b'\n', ..]) = body.split_at_checked(len)? else { return None };
        let frame_len = end + 2 + len + 2;
        let wire = Wire { tail: line.get(first + 1..frame_len)?, headers_len: b"", total_len };
        Some((4 + frame_len, Op::Pub { subject, reply, headers: b"", payload, wire }))
    }

    fn step_by_step<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Op<'a>>), Error> {
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

    /// Consumes verb and blanks.
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

    /// The state that follows one byte of verb or blank. `Arguments` means that the byte belongs to the control line.
    fn after(&self, byte: u8) -> Result<State, Error> {
        match (self.state, byte.to_ascii_uppercase()) {
            (State::Start, b'P') => Ok(State::P),
            (State::Start, b'H') => Ok(State::Letters(Verb::Hpub, 1)),
            (State::Start, b'S') => Ok(State::Letters(Verb::Sub, 1)),
            (State::Start, b'U') => Ok(State::Letters(Verb::Unsub, 1)),
            (State::Start, b'C') => Ok(State::Letters(Verb::Connect, 1)),
            (State::Start, b'I') => Ok(State::Letters(Verb::Info, 1)),
            (State::Start, b'+') => Ok(State::Letters(Verb::Ok, 1)),
            (State::Start, b'-') => Ok(State::Letters(Verb::Error, 1)),
            (State::P, b'U') => Ok(State::Letters(Verb::Pub, 2)),
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
        let (len, next) = match find_line(input, scanned, self.line_max as usize) {
            Line::Ends { len, next } => (len, next),
            Line::TooLong => return Err(Error::LineTooLong),
            Line::Open => {
                self.state = State::Arguments(verb, input.len());
                return Ok(Step::More(0));
            }
        };
        let line = input.get(..len).unwrap_or_default();
        self.state = State::Start;
        let op = match verb {
            Verb::Pub => {
                let frame = publish(line, next)?;
                return self.accept(frame, input);
            }
            Verb::Hpub => {
                let frame = header_publish(line, next)?;
                if !self.headers {
                    return Err(Error::HeadersNotEnabled);
                }
                return self.accept(frame, input);
            }
            Verb::Sub => subscribe(line)?,
            Verb::Unsub => unsubscribe(line)?,
            Verb::Connect => Op::Connect(line),
            Verb::Info => Op::Info(line),
            Verb::Error => Op::Error(line),
            Verb::Ping | Verb::Pong | Verb::Ok => simple(verb),
        };
        Ok(Step::Op(next, op))
    }

    fn accept<'a>(&mut self, frame: Frame, input: &'a [u8]) -> Result<Step<'a>, Error> {
        if frame.total_len > self.payload_max as usize {
            return Err(Error::PayloadTooLarge);
        }
        self.payload(frame, input)
    }

    fn payload<'a>(&mut self, frame: Frame, input: &'a [u8]) -> Result<Step<'a>, Error> {
        let Frame { subject, reply, headers_len, total_len, digits: [first, second], body } = frame;
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
        let wire = Wire { tail: b"", headers_len: first.of(input), total_len: second.of(input) };
        let op =
            Op::Pub { subject: subject.of(input), reply: reply.map(|span| span.of(input)), headers, payload, wire };
        Ok(Step::Op(body + total_len + 2, op))
    }
}

/// What a part of the parser did with the bytes it was given.
enum Step<'a> {
    /// Consumed so many; another state goes on.
    On(usize),
    /// Consumed so many; needs more input.
    More(usize),
    /// Consumed so many and completed an operation.
    Op(usize, Op<'a>),
}

fn simple(verb: Verb) -> Op<'static> {
    match verb {
        Verb::Ping => Op::Ping,
        Verb::Pong => Op::Pong,
        Verb::Ok => Op::Ok,
        Verb::Info => Op::Info(b""),
        // Not reached: these verbs have a control line.
        Verb::Pub | Verb::Hpub | Verb::Sub | Verb::Unsub | Verb::Connect | Verb::Error => Op::Error(b""),
    }
}

fn publish(line: &[u8], body: usize) -> Result<Frame, Error> {
    let fields = Fields::<3>::split(line).ok_or(Error::BadArguments)?;
    let (subject, reply, size) = match *fields.as_slice() {
        [subject, size] => (subject, None, size),
        [subject, reply, size] => (subject, Some(reply), size),
        [..] => return Err(Error::BadArguments),
    };
    let total_len = parse_size(size.of(line)).ok_or(Error::BadArguments)?;
    Ok(Frame { subject, reply, headers_len: 0, total_len, digits: [Span::default(), size], body })
}

fn header_publish(line: &[u8], body: usize) -> Result<Frame, Error> {
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
    Ok(Frame { subject, reply, headers_len, total_len, digits: [headers, total], body })
}

fn subscribe(line: &[u8]) -> Result<Op<'_>, Error> {
    match *Fields::<3>::split(line).ok_or(Error::BadArguments)?.as_slice() {
        [subject, sid] => Ok(Op::Sub { subject: subject.of(line), queue: None, sid: sid.of(line) }),
        [subject, queue, sid] => {
            Ok(Op::Sub { subject: subject.of(line), queue: Some(queue.of(line)), sid: sid.of(line) })
        }
        [..] => Err(Error::BadArguments),
    }
}

fn unsubscribe(line: &[u8]) -> Result<Op<'_>, Error> {
    match *Fields::<2>::split(line).ok_or(Error::BadArguments)?.as_slice() {
        [sid] => Ok(Op::Unsub { sid: sid.of(line), max: None }),
        [sid, max] => {
            let max = parse_size(max.of(line)).map(|max| max as u64).filter(|&max| max > 0);
            Ok(Op::Unsub { sid: sid.of(line), max })
        }
        [..] => Err(Error::BadArguments),
    }
}
