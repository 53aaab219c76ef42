//! What travels between server and authorization service, sealed where a curve key is configured for it.

use super::Broker;
use nats_keys::CurvePair;
use nats_proto::headers::Builder;
use std::borrow::Cow;

/// How sealed texts begin.
const SEALED: &[u8] = b"xkv1";

impl Broker {
    fn curve(&self) -> Option<CurvePair> {
        self.settings.callout.as_ref()?.curve_key.as_ref().map(|_| CurvePair::new(self.secrets.curve_secret()))
    }

    /// The server's public key for sealing; empty when nothing is sealed.
    pub(super) fn curve_key(&self) -> String {
        self.curve().map(|pair| pair.public().to_string()).unwrap_or_default()
    }

    /// The headers of a request, which tell the key it is sealed with.
    pub(super) fn curve_headers(&self) -> Vec<u8> {
        let key = self.curve_key();
        let headers = Builder::new().add("Nats-Server-Xkey", &key).map(Builder::finish);
        headers.ok().filter(|_| !key.is_empty()).unwrap_or_default()
    }

    /// Seals a request for the service.
    pub(super) fn seal(&mut self, text: Vec<u8>) -> Option<Vec<u8>> {
        let Some(pair) = self.curve() else { return Some(text) };
        let recipient = self.settings.callout.as_ref()?.curve_key.as_deref()?.parse().ok()?;
        let nonce = *self.secrets.draw(b"nonce").first_chunk()?;
        pair.seal(&text, &recipient, nonce).ok()
    }

    /// Opens an answer; one that is not sealed stays as it is.
    pub(super) fn open<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match self.curve() {
            Some(pair) if text.starts_with(SEALED) => {
                let sender = self.settings.callout.as_ref()?.curve_key.as_deref()?.parse().ok()?;
                pair.open(text, &sender).ok().map(Cow::Owned)
            }
            Some(_) | None => Some(Cow::Borrowed(text)),
        }
    }
}
