//! One connection through TLS, WebSocket frames, or both.

use super::tls::Tls;
use super::web::Web;
use crate::broker::Way;
use reactor::Instant;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

/// Bytes of the broker's output that are encrypted or framed at once. The next follow when these are written, so no more wait here.
pub(super) const LOAD_MAX: usize = 32 * 1024;
/// Pieces of them.
const PIECES_MAX: usize = 32;
/// The same with one for the frame around them.
pub(super) const PARTS_MAX: usize = PIECES_MAX + 1;
/// Answers to pings are left out when more than this waits.
const ANSWERS_MAX: usize = 1024;

/// How far a connection is on its way to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The first byte decides whether this is TLS.
    Undecided,
    /// TLS is settled.
    Handshake,
    /// The request for a WebSocket is read.
    Request,
    /// The client is served.
    Open,
}

/// A connection.
#[derive(Debug)]
pub(in crate::server) struct Layered {
    pub(super) stage: Stage,
    pub(super) tls: Option<Tls>,
    pub(super) web: Option<Web>,
    /// When the way to the protocol must be open, or what is undecided is decided.
    pub(super) due: Option<Instant>,
    /// The client was told INFO in the clear, and has said something.
    pub(super) greeted: bool,
    pub(super) is_heard: bool,
    /// What TLS agreed on, until the WebSocket is open, too.
    pub(super) way: Option<Box<Way>>,
    /// Framed output that does not go through TLS, and how much of it is written.
    out: Vec<u8>,
    written: usize,
    /// Bytes of the broker's output that are encrypted or framed and not all written.
    pub(super) taken: usize,
    /// Input that is not taken in yet, because what it decompresses to is too much for one turn.
    pub(super) backlog: Vec<u8>,
    /// What to say at the end, in the place of what the reason says, and whether it is said.
    pub(super) last: Option<Vec<u8>>,
    pub(super) over: bool,
}

impl Layered {
    pub(super) fn new(stage: Stage, tls: Option<Tls>, web: Option<Web>, greeted: bool) -> Self {
        Self {
            stage,
            tls,
            web,
            due: None,
            greeted,
            is_heard: false,
            way: None,
            out: Vec::new(),
            written: 0,
            taken: 0,
            backlog: Vec::new(),
            last: None,
            over: false,
        }
    }

    /// True while the broker's output goes out as it is: INFO before the handshake, and an error in its place.
    pub(super) fn is_clear(&self) -> bool {
        matches!(self.stage, Stage::Undecided | Stage::Handshake)
    }

    pub(super) fn has_output(&self) -> bool {
        self.written < self.out.len() || self.tls.as_ref().is_some_and(Tls::has_output)
    }

    pub(super) fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Takes as much of the broker's output as may wait here.
    pub(super) fn load<'a>(&mut self, waiting: impl Iterator<Item = &'a [u8]>) {
        let mut parts = [IoSlice::new(&[]); PARTS_MAX];
        let (mut count, mut len) = (1, 0);
        for (place, piece) in parts.iter_mut().skip(1).zip(waiting) {
            let piece = piece.get(..piece.len().min(LOAD_MAX - len)).unwrap_or_default();
            *place = IoSlice::new(piece);
            (count, len) = (count + 1, len + piece.len());
            if len == LOAD_MAX {
                break;
            }
        }
        self.taken += len;
        let parts = parts.get(..count).unwrap_or_default();
        match &mut self.web {
            None => send(&mut self.tls, &mut self.out, parts),
            Some(web) => web.frame(parts, len, |parts| send(&mut self.tls, &mut self.out, parts)),
        }
    }

    /// Sends something of the WebSocket's own.
    pub(super) fn say(&mut self, parts: &[&[u8]]) {
        for part in parts {
            send(&mut self.tls, &mut self.out, &[IoSlice::new(part)]);
        }
    }

    /// True when there is room for one more answer to a ping.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() - self.written < ANSWERS_MAX && self.taken == 0
    }

    /// Writes what waits. Returns whether everything is written.
    pub(super) fn flush(&mut self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match rustix::io::write(socket, rest) {
                Ok(len) => self.written += len,
                Err(rustix::io::Errno::AGAIN) => return Ok(false),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        (self.out, self.written) = (Vec::new(), 0);
        self.tls.as_mut().map_or(Ok(true), |tls| tls.flush(socket))
    }

    /// Bytes that the connection holds.
    pub(super) fn held(&self) -> usize {
        let waiting = if self.tls.is_some() { self.taken } else { self.out.capacity() };
        let tls = self.tls.as_ref().map_or(0, Tls::held);
        size_of::<Self>() + waiting + tls + self.web.as_ref().map_or(0, Web::held) + self.backlog.capacity()
    }
}

fn send(tls: &mut Option<Tls>, out: &mut Vec<u8>, parts: &[IoSlice<'_>]) {
    match tls {
        Some(tls) => tls.send(parts),
        None => parts.iter().for_each(|part| out.extend_from_slice(part)),
    }
}
