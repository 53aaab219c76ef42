//! Requests.

/// Room for the longest request.
const ROOM: usize = 64;

/// Number of generic netlink's own controller.
const CONTROLLER: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_NAME: u16 = 2;
/// Most bytes of a family's name, the NUL included (GENL_NAMSIZ).
const NAME_MAX: usize = 16;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;

/// What is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One message.
    One,
    /// All there are.
    Dump,
    /// Whether it was done.
    Done,
}

/// A request as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    bytes: [u8; ROOM],
    len: usize,
}

impl Request {
    /// The bytes to send.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// A request of family `kind` with at most one attribute; one of more than 40 bytes is left out.
    #[must_use]
    pub fn new(kind: u16, answer: Answer, sequence: u32, command: u8, attribute: Option<(u16, &[u8])>) -> Self {
        let flags = match answer {
            Answer::One => REQUEST,
            Answer::Dump => REQUEST | DUMP,
            Answer::Done => REQUEST | ACK,
        };
        let mut request = Self { bytes: [0; ROOM], len: 0 };
        request.put(&[0; 4]);
        request.put(&kind.to_ne_bytes());
        request.put(&flags.to_ne_bytes());
        request.put(&sequence.to_ne_bytes());
        request.put(&[0; 4]);
        request.put(&[command, 1, 0, 0]);
        if let Some((kind, value)) = attribute {
            let len = u16::try_from(4 + value.len()).unwrap_or_default();
            request.put(&len.to_ne_bytes());
            request.put(&kind.to_ne_bytes());
            request.put(value);
            request.len = request.len.next_multiple_of(4);
        }
        let len = u32::try_from(request.len).unwrap_or_default().to_ne_bytes();
        if let Some(place) = request.bytes.get_mut(..4) {
            place.copy_from_slice(&len);
        }
        request
    }

    fn put(&mut self, part: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.len..self.len + part.len()) {
            place.copy_from_slice(part);
            self.len += part.len();
        }
    }
}

/// Asks generic netlink's controller for the family of this name (at most 15 bytes).
#[must_use]
pub fn family(name: &[u8], sequence: u32) -> Request {
    let (mut text, mut len) = ([0; NAME_MAX], 1);
    for (place, &byte) in text.iter_mut().take(NAME_MAX - 1).zip(name) {
        *place = byte;
        len += 1;
    }
    Request::new(CONTROLLER, Answer::One, sequence, GET_FAMILY, text.get(..len).map(|name| (FAMILY_NAME, name)))
}
