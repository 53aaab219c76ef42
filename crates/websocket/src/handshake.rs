//! The server's side of the opening handshake (RFC 6455, section 4.2).

use core::fmt;
use proto_http::Head;
use sha1_smol::Sha1;

/// What a key is hashed with (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Letters of Base64 (RFC 4648, section 4).
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A request that asks for a WebSocket as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade<'a> {
    /// The key to be answered.
    pub key: &'a str,
    /// The client offers permessage-deflate.
    pub deflate: bool,
}

/// A request that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The method is not GET.
    Method,
    /// There is no Host.
    Host,
    /// Upgrade, Connection, key or version are not what they must be; says which.
    Field(&'static str),
}

/// Looks at a request.
///
/// # Errors
/// [`Refusal`]
pub fn check<'a>(head: &Head<'a>) -> Result<Upgrade<'a>, Refusal> {
    if head.field("Host").is_none() {
        return Err(Refusal::Host);
    }
    if head.method != "GET" {
        return Err(Refusal::Method);
    }
    for (name, token) in [("Upgrade", "websocket"), ("Connection", "Upgrade")] {
        if !head.has_token(name, token) {
            return Err(Refusal::Field(name));
        }
    }
    let key = head.field("Sec-WebSocket-Key").filter(|key| is_key(key)).ok_or(Refusal::Field("Sec-WebSocket-Key"))?;
    if !head.has_token("Sec-WebSocket-Version", "13") {
        return Err(Refusal::Field("Sec-WebSocket-Version"));
    }
    let offers = head.values("Sec-WebSocket-Extensions").flat_map(|value| value.split(','));
    let mut names = offers.map(|offer| offer.split(';').next().unwrap_or_default().trim());
    let deflate = names.any(|name| name.eq_ignore_ascii_case("permessage-deflate"));
    Ok(Upgrade { key, deflate })
}

/// True for the Base64 of 16 bytes.
fn is_key(key: &str) -> bool {
    let Some(letters) = key.as_bytes().strip_suffix(b"==") else { return false };
    letters.len() == 22 && letters.iter().all(|letter| LETTERS.contains(letter))
}

/// The answer to a key: the value of `Sec-WebSocket-Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept([u8; 20]);

impl Accept {
    /// The answer to `key`.
    #[must_use]
    pub fn new(key: &str) -> Self {
        let mut hash = Sha1::new();
        hash.update(key.as_bytes());
        hash.update(GUID);
        Self(hash.digest().bytes())
    }
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in self.0.chunks(3) {
            let bits = group.iter().chain(&[0; 2]).take(3).fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
            for place in 0..4_usize {
                let letter = usize::try_from(bits >> (18 - 6 * place) & 63).ok().and_then(|number| LETTERS.get(number));
                let letter = letter.filter(|_| place <= group.len()).copied().unwrap_or(b'=');
                f.write_str(char::from(letter).encode_utf8(&mut [0; 4]))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n\
                        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

    fn looked_at(fields: &str) -> Result<bool, Refusal> {
        let mut text = [0; 1024];
        let whole = [fields.as_bytes(), b"\r\n"].into_iter().flatten();
        let mut len = 0;
        for (place, byte) in text.iter_mut().zip(whole) {
            *place = *byte;
            len += 1;
        }
        check(&Head::read(&text[..len]).unwrap()).map(|upgrade| upgrade.deflate)
    }

    #[test]
    fn the_answer_of_the_standard_s_example() {
        struct Text([u8; 40], usize);
        impl fmt::Write for Text {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                for byte in text.bytes() {
                    self.0[self.1] = byte;
                    self.1 += 1;
                }
                Ok(())
            }
        }
        let mut text = Text([0; 40], 0);
        fmt::write(&mut text, format_args!("{}", Accept::new("dGhlIHNhbXBsZSBub25jZQ=="))).unwrap();
        assert_eq!(&text.0[..text.1], b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn requests_good_and_bad() {
        assert_eq!(looked_at(GOOD), Ok(false));
        let mut lines = GOOD.split_inclusive("\r\n");
        lines.next();
        for (line, refusal) in lines.zip([
            Refusal::Host,
            Refusal::Field("Upgrade"),
            Refusal::Field("Connection"),
            Refusal::Field("Sec-WebSocket-Key"),
            Refusal::Field("Sec-WebSocket-Version"),
        ]) {
            let (before, after) = GOOD.split_once(line).unwrap();
            let mut text = [0; 512];
            for (place, byte) in text.iter_mut().zip(before.bytes().chain(after.bytes())) {
                *place = byte;
            }
            let text = core::str::from_utf8(&text[..GOOD.len() - line.len()]).unwrap();
            assert_eq!(looked_at(text), Err(refusal));
        }
        assert_eq!(looked_at("POST / H\r\nHost: x\r\n"), Err(Refusal::Method));
        for bad in ["short", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZ!==", "aaaaaaaaaaaaaaaaaaaaaaaaaa=="] {
            assert!(!is_key(bad), "{bad}");
        }
    }
}
