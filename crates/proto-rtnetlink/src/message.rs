//! The messages of a datagram.

use crate::{Address, Link, Neighbour, Route, padded, u16_at, u32_at};
use core::fmt;

/// Bytes of a message's header.
pub(crate) const HEADER_LEN: usize = 16;

const ERROR: u16 = 2;
const DONE: u16 = 3;
const OVERRUN: u16 = 4;
const NEW_LINK: u16 = 16;
const DEL_LINK: u16 = 17;
const NEW_ADDRESS: u16 = 20;
const DEL_ADDRESS: u16 = 21;
const NEW_ROUTE: u16 = 24;
const DEL_ROUTE: u16 = 25;
const NEW_NEIGHBOUR: u16 = 28;
const DEL_NEIGHBOUR: u16 = 29;

/// More messages follow, the last of which says so (NLM_F_MULTI).
const MULTI: u16 = 0x2;
/// The dump was disturbed by a change and must be asked for again (NLM_F_DUMP_INTR).
const INTERRUPTED: u16 = 0x10;
/// The new thing takes the place of an old one (NLM_F_REPLACE).
const REPLACES: u16 = 0x100;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is: a number below 16 is netlink's own, others belong to the protocol.
    pub kind: u16,
    /// Flags, `NLM_F_*`.
    pub flags: u16,
    /// The number of the request that it answers; 0 in what is multicast.
    pub sequence: u32,
    /// What follows the header, without padding.
    pub payload: &'a [u8],
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was sent.
    Done,
    /// It was refused with this `errno`, or acknowledged with 0.
    Refused(i32),
    /// Data was lost.
    Overrun,
}

/// What a message announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// It is there, or different from before.
    New(News<'a>),
    /// It is gone.
    Gone(News<'a>),
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// An interface.
    Link(Link<'a>),
    /// An address of an interface.
    Address(Address),
    /// A route.
    Route(Route),
    /// A neighbour.
    Neighbour(Neighbour<'a>),
}

impl<'a> Message<'a> {
    /// What an rtnetlink message announces; `None` for everything else, and for one whose fixed part is cut short.
    #[must_use]
    pub fn change(&self) -> Option<Change<'a>> {
        let news = match self.kind {
            NEW_LINK | DEL_LINK => News::Link(Link::read(self.payload)?),
            NEW_ADDRESS | DEL_ADDRESS => News::Address(Address::read(self.payload)?),
            NEW_ROUTE | DEL_ROUTE => News::Route(Route::read(self.payload)?),
            NEW_NEIGHBOUR | DEL_NEIGHBOUR => News::Neighbour(Neighbour::read(self.payload)?),
            _ => return None,
        };
        let is_gone = matches!(self.kind, DEL_LINK | DEL_ADDRESS | DEL_ROUTE | DEL_NEIGHBOUR);
        Some(if is_gone { Change::Gone(news) } else { Change::New(news) })
    }

    /// How an answer ends, if this message says so.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        match self.kind {
            DONE => Some(Outcome::Done),
            // The kernel gives the error as a negative number.
            ERROR => Some(Outcome::Refused(u32_at(self.payload, 0)?.cast_signed().wrapping_neg())),
            OVERRUN => Some(Outcome::Overrun),
            _ => None,
        }
    }

    /// True when a dump was disturbed by a change: what it gave may be inconsistent.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.flags & INTERRUPTED != 0
    }

    /// True for a message of an answer that ends with [`Outcome::Done`].
    #[must_use]
    pub fn is_one_of_many(&self) -> bool {
        self.flags & MULTI != 0
    }

    /// True when what is new takes the place of something old. Has a meaning in announcements of routes only.
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.flags & REPLACES != 0
    }
}

/// Why the rest of a datagram cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Fewer bytes than a header, or than the header says.
    Truncated,
    /// A message claims to be shorter than its own header.
    Length(u32),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("netlink message is cut short"),
            Self::Length(len) => write!(f, "netlink message claims a length of {len} bytes, less than its header"),
        }
    }
}

impl core::error::Error for Fault {}

/// The messages of a datagram, in order. After a fault there are no more.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    /// Reads messages from a datagram.
    #[must_use]
    pub fn new(datagram: &'a [u8]) -> Self {
        Self(datagram)
    }

    fn first(&self) -> Result<(Message<'a>, &'a [u8]), Fault> {
        let bytes = self.0;
        let len = u32_at(bytes, 0).ok_or(Fault::Truncated)?;
        let size = usize::try_from(len).map_err(|_| Fault::Truncated)?;
        if size < HEADER_LEN {
            return Err(Fault::Length(len));
        }
        let message = Message {
            kind: u16_at(bytes, 4).ok_or(Fault::Truncated)?,
            flags: u16_at(bytes, 6).ok_or(Fault::Truncated)?,
            sequence: u32_at(bytes, 8).ok_or(Fault::Truncated)?,
            payload: bytes.get(HEADER_LEN..size).ok_or(Fault::Truncated)?,
        };
        Ok((message, bytes.get(padded(size)..).unwrap_or_default()))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let first = self.first();
        self.0 = first.as_ref().map_or(&[], |&(_, rest)| rest);
        Some(first.map(|(message, _)| message))
    }
}
