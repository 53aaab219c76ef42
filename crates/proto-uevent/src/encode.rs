//! Writing messages: for tests, for replaying a recording, for programs that stand in for udevd.

use crate::action::Action;
use crate::udev;

/// Writes one message into a buffer of the caller's. Once the buffer is full nothing more is written and the message is void.
#[derive(Debug)]
pub struct Encoder<'b> {
    buffer: &'b mut [u8],
    used: Option<usize>,
}

impl<'b> Encoder<'b> {
    /// Begins the kernel's form: `action@devpath`.
    #[must_use]
    pub fn kernel(buffer: &'b mut [u8], action: Action, devpath: &[u8]) -> Self {
        let mut encoder = Self { buffer, used: Some(0) };
        encoder.put(&[action.as_str().as_bytes(), b"@", devpath, b"\0"]);
        encoder
    }

    /// Begins udevd's form; the header is filled in by [`Encoder::finish_udev`].
    #[must_use]
    pub fn udev(buffer: &'b mut [u8]) -> Self {
        let mut encoder = Self { buffer, used: Some(0) };
        encoder.put(&[&[0; udev::HEADER_BYTES]]);
        encoder
    }

    /// Appends a property. The caller sees to it that neither part holds a NUL and the key no `=`.
    pub fn property(&mut self, key: &[u8], value: &[u8]) -> &mut Self {
        self.put(&[key, b"=", value, b"\0"]);
        self
    }

    /// The message; `None` when the buffer was too small.
    #[must_use]
    pub fn finish(self) -> Option<&'b [u8]> {
        self.buffer.get(..self.used?)
    }

    /// The message with udevd's header; `None` when the buffer was too small.
    #[must_use]
    pub fn finish_udev(self, subsystem: &[u8], devtype: Option<&[u8]>, tags_bloom: u64) -> Option<&'b [u8]> {
        let used = self.used?;
        let length = u32::try_from(used.checked_sub(udev::HEADER_BYTES)?).ok()?;
        let place = self.buffer.get_mut(..udev::HEADER_BYTES)?;
        place.copy_from_slice(&udev::header(subsystem, devtype, tags_bloom, length));
        self.buffer.get(..used)
    }

    fn put(&mut self, parts: &[&[u8]]) {
        for part in parts {
            let Some(start) = self.used else { return };
            let place = start.checked_add(part.len()).and_then(|end| self.buffer.get_mut(start..end));
            self.used = place.map(|place| {
                place.copy_from_slice(part);
                start + part.len()
            });
        }
    }
}
