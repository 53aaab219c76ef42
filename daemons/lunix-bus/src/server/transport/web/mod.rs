//! One WebSocket without its socket: the request, frames in both directions, compression.

mod deflate;
mod request;

use crate::broker::{Reason, WebFacts};
use crate::config::WebSocket;
use deflate::{Deflate, Inflate};
use proto_http::Scanner;
use request::Answer;
use std::cell::RefCell;
use std::io::IoSlice;
use std::rc::Rc;
use std::time::Duration;
use websocket::{Close, Decoder, Item, Opcode, header};

/// Longest request.
const HEAD_MAX: usize = 8192;
/// Output shorter than this is not worth compressing.
const COMPRESSED_MIN: usize = 64;
/// Input that may be compressed is looked at in pieces of this size, so that what one becomes is bounded: deflate makes at most
/// 1032 bytes of one.
const PIECE_MAX: usize = 256;

/// What the WebSockets of a listener share.
#[derive(Debug)]
pub(super) struct Shared {
    settings: WebSocket,
    packer: RefCell<Deflate>,
}

impl Shared {
    pub(super) fn new(settings: &WebSocket) -> Option<Rc<Self>> {
        Some(Rc::new(Self { settings: settings.clone(), packer: RefCell::default() }))
    }

    /// How long the handshakes may take.
    pub(super) fn patience(&self) -> Duration {
        self.settings.timeout
    }
}

/// A WebSocket.
#[derive(Debug)]
pub(super) struct Web {
    shared: Rc<Shared>,
    secure: bool,
    scanner: Scanner,
    /// The request, while it is read.
    head: Vec<u8>,
    decoder: Decoder,
    compresses: bool,
    inflate: Option<Box<Inflate>>,
}

/// What bytes of a WebSocket mean, and how many of them were taken.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nothing yet: all are taken.
    Nothing,
    /// The request is good; the answer to it stands in the buffer.
    Upgraded(usize, WebFacts),
    /// The request is refused; the answer to it stands in the buffer, the reason here.
    Refused(String),
    /// Bytes of the protocol stand in the input, from here to there.
    Bytes(usize, usize),
    /// Bytes of the protocol stand in the buffer.
    Inflated(usize),
    /// The buffer holds a frame to answer with.
    Asked(usize),
    /// Nothing follows; the buffer holds the last frame to answer with.
    Closed,
    /// What the peer sent makes no sense; the buffer holds the last frame to answer with, the reason here.
    Wrong(&'static str),
}

impl Web {
    /// A WebSocket whose request is to come. `secure`: it comes through TLS.
    pub(super) fn new(shared: &Rc<Shared>, secure: bool) -> Option<Self> {
        Some(Self {
            shared: Rc::clone(shared),
            secure,
            scanner: Scanner::new(HEAD_MAX),
            head: Vec::new(),
            decoder: Decoder::new(true),
            compresses: false,
            inflate: None,
        })
    }

    /// Takes bytes of the request.
    pub(super) fn request(&mut self, input: &[u8], answer: &mut Vec<u8>) -> Heard {
        answer.clear();
        let scanned = self.scanner.feed(input);
        let end = match scanned {
            Ok(Some(end)) => end,
            Ok(None) => {
                self.head.extend_from_slice(input);
                return Heard::Nothing;
            }
            Err(error) => {
                answer.extend_from_slice(request::MALFORMED);
                return Heard::Refused(error.to_string());
            }
        };
        let mut head = std::mem::take(&mut self.head);
        head.extend_from_slice(input.get(..end).unwrap_or_default());
        match request::answer(&head, &self.shared.settings, self.secure, answer) {
            Answer::Refused(text) => Heard::Refused(text),
            Answer::Upgraded { facts, compresses, masks } => {
                self.decoder = Decoder::new(masks);
                self.compresses = compresses;
                if compresses {
                    self.decoder.allow_compression();
                }
                Heard::Upgraded(end, facts)
            }
        }
    }

    /// Takes bytes of frames, up to the next that mean something.
    pub(super) fn feed(&mut self, input: &mut [u8], buffer: &mut Vec<u8>) -> Heard {
        buffer.clear();
        let len = if self.compresses { input.len().min(PIECE_MAX) } else { input.len() };
        let input = input.get_mut(..len).unwrap_or_default();
        match self.decoder.feed(input) {
            Ok((used, None)) => Heard::Bytes(used, 0),
            Ok((used, Some(Item::Payload { bytes, compressed: false, .. }))) => Heard::Bytes(used, bytes.len()),
            Ok((used, Some(Item::Payload { bytes, compressed: true, last }))) => {
                let inflate = self.inflate.get_or_insert_with(Inflate::new);
                let good = inflate.feed(bytes, last, buffer);
                if last {
                    self.inflate = None;
                }
                if good { Heard::Inflated(used) } else { wrong("invalid compressed data", 1007, buffer) }
            }
            Ok((used, Some(Item::Pong))) => Heard::Bytes(used, 0),
            Ok((used, Some(Item::Ping))) => {
                frame(Opcode::Pong, self.decoder.control(), buffer);
                Heard::Asked(used)
            }
            Ok((_, Some(Item::Close))) => {
                frame(Opcode::Close, &Close::answer(self.decoder.control()), buffer);
                Heard::Closed
            }
            Err(error) => wrong(error.text(), 1002, buffer),
        }
    }

    /// Puts `len` bytes in `parts`, the first of which is free for that, into a frame and hands them to `send`.
    pub(super) fn frame(&self, parts: &[IoSlice<'_>], len: usize, send: impl FnOnce(&[IoSlice<'_>])) {
        let worth = self.compresses && len > COMPRESSED_MIN;
        let compressed = if worth { self.shared.packer.borrow_mut().deflate(parts) } else { None };
        if let Some(body) = compressed {
            let head = header(Opcode::Binary, body.len(), true);
            return send(&[IoSlice::new(&head), IoSlice::new(&body)]);
        }
        let head = header(Opcode::Binary, len, false);
        let mut all = [IoSlice::new(&[]); super::layered::PARTS_MAX];
        for (place, part) in all.iter_mut().zip(parts.iter()) {
            *place = IoSlice::new(part);
        }
        if let Some(first) = all.first_mut() {
            *first = IoSlice::new(&head);
        }
        send(all.get(..parts.len()).unwrap_or_default());
    }

    /// The last frame, for a connection that ends for `reason`.
    pub(super) fn farewell(reason: Reason, buffer: &mut Vec<u8>) {
        buffer.clear();
        frame(Opcode::Close, &Close::new(status(reason), reason.text()), buffer);
    }

    pub(super) fn held(&self) -> usize {
        self.head.capacity() + self.inflate.as_ref().map_or(0, |_| size_of::<Inflate>())
    }
}

fn wrong(text: &'static str, status: u16, buffer: &mut Vec<u8>) -> Heard {
    frame(Opcode::Close, &Close::new(status, text), buffer);
    Heard::Wrong(text)
}

fn frame(opcode: Opcode, payload: &[u8], buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend_from_slice(&header(opcode, payload.len(), false));
    buffer.extend_from_slice(payload);
}

/// The status (RFC 6455, section 7.4.1) that the reference gives for a reason.
const fn status(reason: Reason) -> u16 {
    match reason {
        Reason::Gone => 1000,
        Reason::Shutdown => 1001,
        Reason::Protocol | Reason::ClientProtocol => 1002,
        Reason::Broken | Reason::Stale => 1006,
        Reason::Authentication
        | Reason::AuthenticationTimeout
        | Reason::MaxConnections
        | Reason::MaxAccountConnections
        | Reason::MaxSubscriptions
        | Reason::Expired
        | Reason::Revoked
        | Reason::MaxControlLine
        | Reason::SlowPending
        | Reason::SlowWrite
        | Reason::Memory
        | Reason::UserMemory => 1008,
        Reason::MaxPayload => 1009,
        Reason::Pinned | Reason::WrongPort => 1011,
        Reason::TlsHandshake => 1015,
    }
}
