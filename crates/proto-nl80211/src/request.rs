//! Requests.

/// Room for the longest request.
const ROOM: usize = 40;

/// Number of generic netlink's own controller.
const CONTROLLER: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_NAME: u16 = 2;
const GET_INTERFACE: u8 = 5;
const GET_STATION: u8 = 17;
const INDEX: u16 = 3;

const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;

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

    fn new(kind: u16, flags: u16, sequence: u32, command: u8, attribute: Option<(u16, &[u8])>) -> Self {
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

/// Asks generic netlink's controller for `nl80211`.
#[must_use]
pub fn family(sequence: u32) -> Request {
    Request::new(CONTROLLER, REQUEST, sequence, GET_FAMILY, Some((FAMILY_NAME, b"nl80211\0")))
}

/// Asks for all Wi-Fi interfaces. `family`: the family's number.
#[must_use]
pub fn interfaces(family: u16, sequence: u32) -> Request {
    Request::new(family, REQUEST | DUMP, sequence, GET_INTERFACE, None)
}

/// Asks for the other ends of an interface's links.
#[must_use]
pub fn stations(family: u16, sequence: u32, index: u32) -> Request {
    Request::new(family, REQUEST | DUMP, sequence, GET_STATION, Some((INDEX, &index.to_ne_bytes())))
}
