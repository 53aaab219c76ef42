//! Frames out of a stream.

use crate::{CONTROL_MAX, Error};

/// What [`Decoder::feed`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Bytes of a message, unmasked in place. `last`: the message ends with them; they may be empty then.
    Payload {
        /// The bytes.
        bytes: &'a [u8],
        /// They are compressed.
        compressed: bool,
        /// The message ends here.
        last: bool,
    },
    /// The peer asks for a pong with [`Decoder::control`].
    Ping,
    /// The answer to a ping of ours.
    Pong,
    /// The peer closes, with [`Decoder::control`]; nothing of interest follows.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    First,
    Second,
    /// Bytes of the length that are still to come.
    Length(u8),
    /// The same of the key.
    Key(u8),
    Payload,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Data,
    Ping,
    Pong,
    Close,
}

/// Takes frames apart.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    kind: Kind,
    /// The frame under way has FIN.
    last: bool,
    /// A message is under way, and whether it is compressed.
    message: bool,
    compressed: bool,
    masked: bool,
    left: u64,
    key: [u8; 4],
    /// Which byte of the key is next.
    turn: u8,
    /// Payload of a control frame.
    control: [u8; CONTROL_MAX],
    control_len: u8,
    must_mask: bool,
    deflate: bool,
}

impl Decoder {
    /// A decoder of a peer's frames. `must_mask`: the peer is a client and did not agree on doing without.
    #[must_use]
    pub const fn new(must_mask: bool) -> Self {
        Self {
            state: State::First,
            kind: Kind::Data,
            last: false,
            message: false,
            compressed: false,
            masked: false,
            left: 0,
            key: [0; 4],
            turn: 0,
            control: [0; CONTROL_MAX],
            control_len: 0,
            must_mask,
            deflate: false,
        }
    }

    /// Lets messages be compressed.
    pub const fn allow_compression(&mut self) {
        self.deflate = true;
    }

    /// The payload of the control frame that was found last; at most [`CONTROL_MAX`] bytes.
    #[must_use]
    pub fn control(&self) -> &[u8] {
        self.control.get(..usize::from(self.control_len)).unwrap_or_default()
    }

    /// True between two messages.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::First && !self.message
    }

    /// Takes bytes up to the next item. Returns how many were taken, and the item; without one all were.
    ///
    /// # Errors
    /// What the peer did wrong, at the first byte that shows it. Feed nothing afterwards.
    pub fn feed<'a>(&mut self, input: &'a mut [u8]) -> Result<(usize, Option<Item<'a>>), Error> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if self.state == State::Payload {
                break;
            }
            at += 1;
            self.step(byte)?;
            if self.state == State::Payload && self.left == 0 {
                return Ok((at, Some(self.end(&[]))));
            }
        }
        let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len() - at);
        if self.state != State::Payload || take == 0 {
            return Ok((at, None));
        }
        let payload = input.get_mut(at..at + take).unwrap_or_default();
        self.unmask(payload);
        self.left -= take as u64;
        at += take;
        if self.kind == Kind::Data {
            let (bytes, compressed) = (&*payload, self.compressed);
            if self.left == 0 {
                return Ok((at, Some(self.end(bytes))));
            }
            return Ok((at, Some(Item::Payload { bytes, compressed, last: false })));
        }
        for &byte in &*payload {
            if let Some(place) = self.control.get_mut(usize::from(self.control_len)) {
                *place = byte;
                self.control_len += 1;
            }
        }
        let item = if self.left == 0 { Some(self.end(&[])) } else { None };
        Ok((at, item))
    }

    fn step(&mut self, byte: u8) -> Result<(), Error> {
        match self.state {
            State::First => self.first(byte)?,
            State::Second => self.second(byte)?,
            State::Length(missing) => {
                self.left = self.left << 8 | u64::from(byte);
                if missing > 1 {
                    self.state = State::Length(missing - 1);
                } else if self.left >> 63 != 0 {
                    return Err(Error::Length);
                } else {
                    self.state = self.after_length();
                }
            }
            State::Key(missing) => {
                if let Some(place) = self.key.get_mut(4 - usize::from(missing)) {
                    *place = byte;
                }
                self.state = if missing > 1 { State::Key(missing - 1) } else { State::Payload };
            }
            State::Payload => {}
        }
        Ok(())
    }

    fn first(&mut self, byte: u8) -> Result<(), Error> {
        self.last = byte & 0x80 != 0;
        let compressed = byte & 0x40 != 0;
        if byte & 0x30 != 0 || (compressed && !self.deflate) {
            return Err(Error::Reserved);
        }
        self.kind = match byte & 0x0f {
            0 if !self.message || compressed => return Err(Error::Continuation),
            1 | 2 if self.message => return Err(Error::Unfinished),
            0 => Kind::Data,
            1 | 2 => {
                self.compressed = compressed;
                Kind::Data
            }
            8..=10 if !self.last => return Err(Error::SplitControl),
            8..=10 if compressed => return Err(Error::Reserved),
            8 => Kind::Close,
            9 => Kind::Ping,
            10 => Kind::Pong,
            _ => return Err(Error::Opcode),
        };
        if self.kind == Kind::Data {
            self.message = true;
        } else {
            self.control_len = 0;
        }
        self.state = State::Second;
        Ok(())
    }

    fn second(&mut self, byte: u8) -> Result<(), Error> {
        self.masked = byte & 0x80 != 0;
        if self.must_mask && !self.masked {
            return Err(Error::NotMasked);
        }
        (self.left, self.turn) = (0, 0);
        self.state = match byte & 0x7f {
            126 | 127 if self.kind != Kind::Data => return Err(Error::LongControl),
            126 => State::Length(2),
            127 => State::Length(8),
            short => {
                self.left = u64::from(short);
                self.after_length()
            }
        };
        Ok(())
    }

    const fn after_length(&self) -> State {
        if self.masked { State::Key(4) } else { State::Payload }
    }

    /// The frame is over.
    fn end<'a>(&mut self, bytes: &'a [u8]) -> Item<'a> {
        self.state = State::First;
        match self.kind {
            Kind::Ping => Item::Ping,
            Kind::Pong => Item::Pong,
            Kind::Close => Item::Close,
            Kind::Data => {
                self.message = !self.last;
                Item::Payload { bytes, compressed: self.compressed, last: self.last }
            }
        }
    }

    fn unmask(&mut self, payload: &mut [u8]) {
        if !self.masked {
            return;
        }
        self.key.rotate_left(usize::from(self.turn));
        let key = u32::from_ne_bytes(self.key);
        let wide = u64::from(key) << 32 | u64::from(key);
        let (words, rest) = payload.as_chunks_mut::<8>();
        for word in words {
            *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(self.key.iter().cycle()) {
            *byte ^= key;
        }
        // From now on the key begins where the payload stopped.
        self.turn = u8::try_from(rest.len() % 4).unwrap_or(0);
    }
}
