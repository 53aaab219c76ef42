//! Headers of frames, and the payload of a closing one.

use crate::CONTROL_MAX;
use core::ops::Deref;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// Goes on with a message.
    Continuation,
    /// Begins a message of bytes.
    Binary,
    /// The last frame.
    Close,
    /// Asks for a pong.
    Ping,
    /// The answer.
    Pong,
}

/// The header of a whole, unmasked frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    bytes: [u8; 10],
    len: usize,
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The header of a frame with FIN for `len` bytes, which follow. `compressed`: they are, with permessage-deflate.
#[must_use]
pub fn header(opcode: Opcode, len: usize, compressed: bool) -> Header {
    let code = match opcode {
        Opcode::Continuation => 0,
        Opcode::Binary => 2,
        Opcode::Close => 8,
        Opcode::Ping => 9,
        Opcode::Pong => 10,
    };
    let first = 0x80 | if compressed { 0x40 } else { 0 } | code;
    let mut bytes = [0; 10];
    let len = match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ 0..=125), _) => put(&mut bytes, &[first, short], &[]),
        (_, Ok(middle)) => put(&mut bytes, &[first, 126], &middle.to_be_bytes()),
        (_, Err(_)) => put(&mut bytes, &[first, 127], &u64::try_from(len).unwrap_or(u64::MAX).to_be_bytes()),
    };
    Header { bytes, len }
}

fn put(bytes: &mut [u8; 10], one: &[u8], other: &[u8]) -> usize {
    for (place, byte) in bytes.iter_mut().zip(one.iter().chain(other)) {
        *place = *byte;
    }
    one.len() + other.len()
}

/// The payload of a closing frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    bytes: [u8; CONTROL_MAX],
    len: usize,
}

impl Close {
    /// A status (RFC 6455, section 7.4) and a reason in words; of a longer one the beginning, with `...` behind it.
    #[must_use]
    pub fn new(status: u16, reason: &str) -> Self {
        let mut close = Self { bytes: [0; CONTROL_MAX], len: 0 };
        close.push(&status.to_be_bytes());
        if reason.len() <= CONTROL_MAX - 2 {
            close.push(reason.as_bytes());
        } else {
            let end = (0..=CONTROL_MAX - 5).rev().find(|&end| reason.is_char_boundary(end)).unwrap_or(0);
            close.push(reason.get(..end).unwrap_or_default().as_bytes());
            close.push(b"...");
        }
        close
    }

    /// The answer to a closing frame with this payload: the same status and reason, none where there is none, 1002 for half a status
    /// and 1007 for a reason that is no text.
    #[must_use]
    pub fn answer(payload: &[u8]) -> Self {
        match payload {
            [] => Self { bytes: [0; CONTROL_MAX], len: 0 },
            [_] => Self::new(1002, "close frame payload cannot be 1 byte"),
            [_, _, reason @ ..] if core::str::from_utf8(reason).is_err() => {
                Self::new(1007, "invalid utf8 body in close frame")
            }
            payload => {
                let mut close = Self { bytes: [0; CONTROL_MAX], len: 0 };
                close.push(payload);
                close
            }
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let free = self.bytes.get_mut(self.len..).unwrap_or_default();
        for (place, byte) in free.iter_mut().zip(bytes) {
            *place = *byte;
            self.len += 1;
        }
    }
}

impl Deref for Close {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_length() {
        assert_eq!(&*header(Opcode::Binary, 0, false), [0x82, 0]);
        assert_eq!(&*header(Opcode::Binary, 125, true), [0xc2, 125]);
        assert_eq!(&*header(Opcode::Continuation, 126, false), [0x80, 126, 0, 126]);
        assert_eq!(&*header(Opcode::Binary, 65_535, false), [0x82, 126, 255, 255]);
        assert_eq!(&*header(Opcode::Binary, 65_536, false), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!((header(Opcode::Ping, 1, false)[0], header(Opcode::Pong, 1, false)[0]), (0x89, 0x8a));
    }

    #[test]
    fn closing_frames() {
        assert_eq!(&*Close::new(1000, "bye"), b"\x03\xe8bye");
        let long = Close::new(1002, &"ä".repeat(100));
        assert_eq!((long.len(), long.ends_with("ä...".as_bytes())), (125, true));
        assert_eq!(&*Close::answer(b""), b"");
        assert_eq!(&*Close::answer(b"\x03"), b"\x03\xeaclose frame payload cannot be 1 byte");
        assert_eq!(&*Close::answer(b"\x03\xe9x"), b"\x03\xe9x");
        assert_eq!(&*Close::answer(b"\x03\xe8\xff"), b"\x03\xefinvalid utf8 body in close frame");
    }
}
