//! Built without sealing, server and authorization service speak in plain text.

use super::Broker;
use std::borrow::Cow;

#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "with sealing they look, and may fail")]
impl Broker {
    pub(super) fn curve_key(&self) -> String {
        String::new()
    }

    pub(super) fn curve_headers(&self) -> Vec<u8> {
        Vec::new()
    }

    pub(super) fn seal(&mut self, text: Vec<u8>) -> Option<Vec<u8>> {
        Some(text)
    }

    pub(super) fn open<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        Some(Cow::Borrowed(text))
    }
}
