//! Numbers in a row of bytes, little-endian, one after the other: how records are written and read.

/// Puts values into a fixed number of bytes; what does not fit is told by [`Writer::is_whole`].
#[derive(Debug)]
pub(super) struct Writer<'b> {
    bytes: &'b mut [u8],
    at: usize,
    whole: bool,
}

impl<'b> Writer<'b> {
    pub(super) fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, at: 0, whole: true }
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        let end = self.at.saturating_add(value.len());
        match self.bytes.get_mut(self.at..end) {
            Some(place) => place.iter_mut().zip(value).for_each(|(slot, &byte)| *slot = byte),
            None => self.whole = false,
        }
        self.at = end;
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// A number above zero, or zero for none: process ids, descriptors from 3 up.
    pub(super) fn positive(&mut self, value: Option<i32>) {
        self.u32(value.map_or(0, i32::cast_unsigned));
    }

    /// Text of at most 255 bytes behind its length.
    pub(super) fn text(&mut self, value: &str) {
        match u8::try_from(value.len()) {
            Ok(length) => {
                self.u8(length);
                self.bytes(value.as_bytes());
            }
            Err(_) => self.whole = false,
        }
    }

    /// True when everything fitted.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }
}

/// Takes the values back in the same order. Beyond the end everything is zero.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (value, rest) = self.rest.split_first_chunk().map_or(([0; N], &[][..]), |(value, rest)| (*value, rest));
        self.rest = rest;
        value
    }

    pub(super) fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.take())
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    /// Zero and what is no number of that kind is none.
    pub(super) fn positive(&mut self) -> Option<i32> {
        Some(self.u32().cast_signed()).filter(|&value| value > 0)
    }

    /// `None` when it is no text.
    pub(super) fn text(&mut self) -> Option<&'b str> {
        let length = usize::from(self.u8());
        let (value, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(value).ok()
    }
}
