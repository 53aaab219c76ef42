//! WebSocket (RFC 6455), the server's and the client's side of frames and the server's side of the handshake; permessage-deflate
//! (RFC 7692) is negotiated here and done elsewhere. No input or output, no allocation.
//!
//! ```text
//! frame   = FIN RSV1 RSV2 RSV3 opcode(4) MASK length(7) [length(16|64)] [key(32)] payload
//! message = data frame of opcode 1 or 2, then continuations (0) up to one with FIN; control frames (8, 9, 10) may come in between
//! ```
//! Text and binary messages are the same stream of bytes here, and where a frame or message ends is only told because compression has
//! to know.
//!
//! ```
//! use websocket::{Decoder, Item, Opcode, header};
//!
//! // A masked frame of five bytes.
//! let mut input = *b"\x82\x85\x01\x02\x03\x04IGMLS";
//! input[6..].copy_from_slice(&[b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1]);
//! let mut decoder = Decoder::new(true);
//! let (used, item) = decoder.feed(&mut input).unwrap();
//! assert_eq!((used, item), (11, Some(Item::Payload { bytes: b"hello", compressed: false, last: true })));
//!
//! assert_eq!(&*header(Opcode::Binary, 5, false), b"\x82\x05");
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod handshake;

pub use decode::{Decoder, Item};
pub use encode::{Close, Header, Opcode, header};
pub use handshake::{Accept, Refusal, Upgrade, check};

/// Bytes of a control frame's payload, at most.
pub const CONTROL_MAX: usize = 125;

/// What a peer did wrong with its frames; the text is sent with the closing frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A frame of a client is not masked.
    NotMasked,
    /// A control frame is too long.
    LongControl,
    /// A control frame is not whole.
    SplitControl,
    /// A message begins before the one before it ended.
    Unfinished,
    /// A continuation of nothing, or one that says it is compressed.
    Continuation,
    /// An opcode that there is not.
    Opcode,
    /// Bits that mean nothing here, or compression that was not agreed on.
    Reserved,
    /// A length of more than 63 bits.
    Length,
}

impl Error {
    /// The error in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotMasked => "mask bit missing",
            Self::LongControl => "control frame length bigger than maximum allowed of 125 bytes",
            Self::SplitControl => "control frame does not have final bit set",
            Self::Unfinished => "new message started before final frame for previous message was received",
            Self::Continuation => "invalid continuation frame",
            Self::Opcode => "unknown opcode",
            Self::Reserved => "reserved bits are set",
            Self::Length => "frame length is not valid",
        }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Error {}
