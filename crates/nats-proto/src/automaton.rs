//! The automaton that every parser of this crate is: verbs letter by letter, control lines, payloads. Which verbs there are and what
//! stands on their lines, a [`Dialect`] says.

use crate::Error;
use crate::span::{Line, Span, find_line, is_blank};
use core::fmt::Debug;

/// What follows the last letter of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A blank, then the control line.
    Separated,
    /// The control line, perhaps after blanks.
    Attached,
    /// Nothing that matters, up to the line feed.
    Bare,
}

/// A message whose control line is read: places relative to the first byte after verb and blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<X> {
    pub(crate) subject: Span,
    pub(crate) reply: Option<Span>,
    /// What this dialect's messages have beside the others'.
    pub(crate) extra: X,
    pub(crate) headers_len: usize,
    pub(crate) total_len: usize,
}

/// What a control line says.
pub(crate) enum Said<'a, D: Dialect> {
    /// A whole operation.
    Op(D::Op<'a>),
    /// A payload follows.
    Frame(Frame<D::Extra>),
}

/// A message with its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a, X> {
    pub(crate) subject: &'a [u8],
    pub(crate) reply: Option<&'a [u8]>,
    pub(crate) extra: X,
    pub(crate) headers: &'a [u8],
    pub(crate) payload: &'a [u8],
    /// What the places in `extra` refer to.
    pub(crate) line: &'a [u8],
}

/// One direction of one kind of connection.
pub(crate) trait Dialect: Sized {
    type Verb: Copy + Debug + PartialEq + 'static;
    type Extra: Copy + Debug + PartialEq;
    type Op<'a>;

    /// Those verbs that [`Dialect::first`] does not name because they begin as another does.
    const OTHERS: &'static [Self::Verb];

    /// A verb that begins with this letter, a capital. No verb is the beginning of another.
    fn first(letter: u8) -> Option<Self::Verb>;

    /// The verb's letters, capitals.
    fn word(verb: Self::Verb) -> &'static [u8];

    fn form(verb: Self::Verb) -> Form;

    /// Reads a control line; that of a verb whose [`Form`] is `Bare` is empty.
    fn line<'a>(&self, verb: Self::Verb, line: &'a [u8]) -> Result<Said<'a, Self>, Error>;

    fn message(message: Message<'_, Self::Extra>) -> Self::Op<'_>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State<V, X> {
    /// Before an operation.
    Start,
    /// Inside a verb: so many letters matched, of this one and of those that begin alike.
    Letters(V, u32),
    /// A blank must follow.
    Separator(V),
    /// Blanks may follow.
    Blanks(V),
    /// Inside the control line: so many bytes hold no line feed.
    Arguments(V, usize),
    /// Ignoring everything up to the line feed.
    Rest(V),
    /// Waiting for the payload, which begins at this place.
    Payload(Frame<X>, usize),
}

/// What a part of the automaton did with the bytes it was given.
enum Step<O> {
    /// Consumed so many; another state goes on.
    On(usize),
    /// Consumed so many; needs more input.
    More(usize),
    /// Consumed so many and completed an operation.
    Op(usize, O),
}

/// One direction of one connection's byte stream.
#[derive(Clone, Debug)]
pub(crate) struct Automaton<D: Dialect> {
    pub(crate) dialect: D,
    state: State<D::Verb, D::Extra>,
    line_max: u32,
    payload_max: u32,
    /// Where in the last input the message began whose payload did not end as it must.
    broken_at: Option<usize>,
}

impl<D: Dialect> Automaton<D> {
    pub(crate) fn new(dialect: D, line_max: usize, payload_max: usize) -> Self {
        let mut automaton = Self { dialect, state: State::Start, line_max: 0, payload_max: 0, broken_at: None };
        automaton.set_limits(line_max, payload_max);
        automaton
    }

    /// Changes the limits; a frame whose control line is accepted already stays accepted.
    pub(crate) fn set_limits(&mut self, line_max: usize, payload_max: usize) {
        self.line_max = u32::try_from(line_max).unwrap_or(u32::MAX);
        self.payload_max = u32::try_from(payload_max).unwrap_or(u32::MAX);
    }

    pub(crate) fn line_max(&self) -> usize {
        self.line_max as usize
    }

    pub(crate) fn payload_max(&self) -> usize {
        self.payload_max as usize
    }

    /// True between operations.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Start)
    }

    /// The message whose payload is still on its way, and where that begins.
    pub(crate) fn pending(&self) -> Option<(Frame<D::Extra>, usize)> {
        if let State::Payload(frame, body) = self.state { Some((frame, body)) } else { None }
    }

    /// The message whose payload did not end as it must, after an error. `input`: what was given to the call that failed. Returns the
    /// part of the input that the message's places refer to.
    pub(crate) fn broken<'a>(&self, input: &'a [u8]) -> Option<(Frame<D::Extra>, &'a [u8])> {
        let (frame, _) = self.pending()?;
        Some((frame, input.get(self.broken_at?..)?))
    }

    /// Bytes that the unconsumed input must hold for the operation under way to be complete; `None` while that is unknown.
    pub(crate) fn wanted_len(&self) -> Option<usize> {
        self.pending().map(|(frame, body)| body + frame.total_len + 2)
    }

    pub(crate) fn parse<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<D::Op<'a>>), Error> {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let step = match self.state {
                State::Arguments(verb, scanned) => self.arguments(verb, scanned, rest),
                State::Payload(frame, body) => self.payload(frame, body, rest),
                State::Rest(verb) => self.rest(verb, rest),
                State::Start | State::Letters(..) | State::Separator(_) | State::Blanks(_) => self.letters(rest),
            };
            match step.inspect_err(|_| self.broken_at = Some(at))? {
                Step::On(used) => at += used,
                Step::More(used) => return Ok((at + used, None)),
                Step::Op(used, op) => return Ok((at + used, Some(op))),
            }
        }
    }

    /// Consumes verb and blanks.
    fn letters<'a>(&mut self, input: &'a [u8]) -> Result<Step<D::Op<'a>>, Error> {
        let mut bytes = input.iter();
        let mut state = self.state;
        let used = |bytes: core::slice::Iter<'_, u8>| input.len() - bytes.len();
        loop {
            let before = bytes.clone();
            let Some(&byte) = bytes.next() else {
                self.state = state;
                return Ok(Step::More(input.len()));
            };
            state = match state {
                State::Start => Self::first(byte)?,
                State::Letters(verb, matched) => Self::letter(verb, matched, byte)?,
                State::Separator(verb) | State::Blanks(verb) if is_blank(byte) => State::Blanks(verb),
                State::Separator(_) => return Err(Error::UnknownOperation),
                // The byte belongs to the control line.
                State::Blanks(verb) | State::Arguments(verb, _) => {
                    self.state = State::Arguments(verb, 0);
                    return Ok(Step::On(used(before)));
                }
                // The byte belongs to what is ignored.
                State::Rest(_) | State::Payload(..) => {
                    self.state = state;
                    return Ok(Step::On(used(before)));
                }
            };
        }
    }

    fn first(byte: u8) -> Result<State<D::Verb, D::Extra>, Error> {
        let verb = D::first(byte.to_ascii_uppercase()).ok_or(Error::UnknownOperation)?;
        Ok(State::Letters(verb, 1))
    }

    /// The state after one more letter; another verb may begin with the same ones.
    fn letter(verb: D::Verb, matched: u32, byte: u8) -> Result<State<D::Verb, D::Extra>, Error> {
        let (place, letter) = (matched as usize, byte.to_ascii_uppercase());
        let verb = match D::word(verb).get(place) {
            Some(&expected) if expected == letter => verb,
            Some(_) | None => Self::other(verb, place, letter).ok_or(Error::UnknownOperation)?,
        };
        Ok(if place + 1 < D::word(verb).len() { State::Letters(verb, matched + 1) } else { Self::behind(verb) })
    }

    /// A verb that shares its first `matched` letters with `verb` and goes on with `letter`.
    fn other(verb: D::Verb, matched: usize, letter: u8) -> Option<D::Verb> {
        let shared = D::word(verb).get(..matched)?;
        let fits =
            |&other: &D::Verb| D::word(other).get(matched) == Some(&letter) && D::word(other).starts_with(shared);
        D::OTHERS.iter().copied().find(fits)
    }

    fn behind(verb: D::Verb) -> State<D::Verb, D::Extra> {
        match D::form(verb) {
            Form::Separated => State::Separator(verb),
            Form::Attached => State::Blanks(verb),
            Form::Bare => State::Rest(verb),
        }
    }

    fn rest<'a>(&mut self, verb: D::Verb, input: &'a [u8]) -> Result<Step<D::Op<'a>>, Error> {
        let Some(feed) = memchr::memchr(b'\n', input) else { return Ok(Step::More(input.len())) };
        self.state = State::Start;
        match self.dialect.line(verb, &[])? {
            Said::Op(op) => Ok(Step::Op(feed + 1, op)),
            // Not reached: such a verb has no payload.
            Said::Frame(_) => Err(Error::UnknownOperation),
        }
    }

    fn arguments<'a>(&mut self, verb: D::Verb, scanned: usize, input: &'a [u8]) -> Result<Step<D::Op<'a>>, Error> {
        let (len, next) = match find_line(input, scanned, self.line_max as usize) {
            Line::Ends { len, next } => (len, next),
            Line::TooLong => return Err(Error::LineTooLong),
            Line::Open => {
                self.state = State::Arguments(verb, input.len());
                return Ok(Step::More(0));
            }
        };
        self.state = State::Start;
        match self.dialect.line(verb, input.get(..len).unwrap_or_default())? {
            Said::Op(op) => Ok(Step::Op(next, op)),
            Said::Frame(frame) if frame.headers_len > frame.total_len => Err(Error::BadArguments),
            Said::Frame(frame) if frame.total_len > self.payload_max as usize => Err(Error::PayloadTooLarge),
            Said::Frame(frame) => self.payload(frame, next, input),
        }
    }

    fn payload<'a>(&mut self, frame: Frame<D::Extra>, body: usize, input: &'a [u8]) -> Result<Step<D::Op<'a>>, Error> {
        let Frame { subject, reply, extra, headers_len, total_len } = frame;
        let (Some(content), end) =
            (input.get(body..body + total_len), input.get(body + total_len..).unwrap_or_default())
        else {
            self.state = State::Payload(frame, body);
            return Ok(Step::More(0));
        };
        match end {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] => {
                self.state = State::Payload(frame, body);
                return Ok(Step::More(0));
            }
            [..] => {
                self.state = State::Payload(frame, body);
                return Err(Error::UnknownOperation);
            }
        }
        self.state = State::Start;
        let (headers, payload) = content.split_at_checked(headers_len).ok_or(Error::BadArguments)?;
        let (subject, reply) = (subject.of(input), reply.map(|span| span.of(input)));
        let op = D::message(Message { subject, reply, extra, headers, payload, line: input });
        Ok(Step::Op(body + total_len + 2, op))
    }
}
