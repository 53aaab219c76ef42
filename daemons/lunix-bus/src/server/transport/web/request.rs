//! The request that opens a WebSocket, and the answer to it.

use crate::broker::{Cookies, WebFacts};
use crate::config::WebSocket;
use proto_http::Head;
use websocket::{Accept, Refusal, check};

/// What the reference's library says about something that is no request.
pub(super) const MALFORMED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
                                      Connection: close\r\n\r\n400 Bad Request";
/// The same where there is no Host.
const HOSTLESS: &[u8] = b"HTTP/1.1 400 Bad Request: missing required Host header\r\n\
                          Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
                          400 Bad Request: missing required Host header";

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// The WebSocket is open. `masks`: the client's frames must be masked.
    Upgraded { facts: WebFacts, compresses: bool, masks: bool },
    /// It is refused, for this reason.
    Refused(String),
}

/// Looks at a whole request and writes the answer. `secure`: it came through TLS.
pub(super) fn answer(bytes: &[u8], settings: &WebSocket, secure: bool, out: &mut Vec<u8>) -> Answer {
    let Ok(head) = Head::read(bytes) else {
        out.extend_from_slice(MALFORMED);
        return Answer::Refused("malformed request".into());
    };
    if !head.target.starts_with('/') {
        out.extend_from_slice(MALFORMED);
        return Answer::Refused(format!("no path: {:?}", head.target));
    }
    let mut refuse = |status: &str, why: String| {
        let title = status.get(4..).unwrap_or_default();
        let body = if head.method == "HEAD" { String::new() } else { format!("{title}\n") };
        let text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\n\
             X-Content-Type-Options: nosniff\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            title.len() + 1
        );
        out.extend_from_slice(text.as_bytes());
        Answer::Refused(why)
    };
    let upgrade = match check(&head) {
        Ok(upgrade) => upgrade,
        Err(Refusal::Method) => return refuse("405 Method Not Allowed", "request method must be GET".into()),
        Err(Refusal::Field(name)) => return refuse("400 Bad Request", format!("invalid value for header {name}")),
        Err(Refusal::Host) => {
            out.extend_from_slice(HOSTLESS);
            return Answer::Refused("no Host".into());
        }
    };
    if let "/mqtt" | "/leafnode" = head.path() {
        return refuse("404 Not Found", format!("nothing is served at {}", head.path()));
    }
    if let Err(why) = check_origin(&head, settings, secure) {
        return refuse("403 Forbidden", format!("origin not allowed: {why}"));
    }
    let compresses = settings.told.compression && upgrade.deflate;
    let masks = head.field("Nats-No-Masking") != Some("true");
    let text = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n{}{}{}\r\n",
        Accept::new(upgrade.key),
        if compresses {
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
        } else {
            ""
        },
        if masks { "" } else { "Nats-No-Masking: true\r\n" },
        settings.headers,
    );
    out.extend_from_slice(text.as_bytes());
    Answer::Upgraded { facts: facts(&head, settings), compresses, masks }
}

/// What of the request matters later.
fn facts(head: &Head<'_>, settings: &WebSocket) -> WebFacts {
    let cookie = |name: &Option<String>| name.as_deref().and_then(|name| cookie(head, name));
    let names = &settings.cookies;
    let cookies = Cookies {
        user: cookie(&names.user),
        password: cookie(&names.password),
        token: cookie(&names.token),
        jwt: cookie(&names.jwt),
    };
    WebFacts { cookies }
}

/// The value of a cookie (RFC 6265, section 4.2), without the quotes that may be around it.
fn cookie(head: &Head<'_>, name: &str) -> Option<String> {
    let mut pairs = head.values("Cookie").flat_map(|value| value.split(';'));
    let value = pairs.find_map(|pair| pair.trim().split_once('=').filter(|(known, _)| known.trim() == name))?.1.trim();
    Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value).to_owned())
}

/// Whether a page of this origin may connect. What sends no origin is no browser, and may.
fn check_origin(head: &Head<'_>, settings: &WebSocket, secure: bool) -> Result<(), &'static str> {
    let (same, allowed) = (settings.told.same_origin, &settings.told.allowed_origins);
    let Some(origin) = head.field("Origin").or_else(|| head.field("Sec-WebSocket-Origin")) else { return Ok(()) };
    if !same && allowed.is_empty() {
        return Ok(());
    }
    let origin = Origin::read(origin).ok_or("not an origin")?;
    if same
        && Some((origin.host.as_str(), origin.port))
            != place(head, secure).as_ref().map(|(host, port)| (host.as_str(), *port))
    {
        return Err("not same origin");
    }
    let listed = allowed.iter().filter_map(|known| Origin::read(known)).any(|known| known == origin);
    if allowed.is_empty() || listed { Ok(()) } else { Err("not in the allowed list") }
}

/// Host and port that the request was sent to.
fn place(head: &Head<'_>, secure: bool) -> Option<(String, u16)> {
    split(head.field("Host")?, if secure { 443 } else { 80 })
}

/// An origin (RFC 6454).
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = split(rest.split(['/', '?', '#']).next()?, if scheme == "https" { 443 } else { 80 })?;
        Some(Self { scheme, host, port })
    }
}

/// Host in small letters, and port.
fn split(text: &str, default: u16) -> Option<(String, u16)> {
    let end_of_address = text.rfind(']').unwrap_or(0);
    let (host, port) = match text.get(end_of_address..)?.rfind(':') {
        Some(at) => (text.get(..end_of_address + at)?, text.get(end_of_address + at + 1..)?.parse().ok()?),
        None => (text, default),
    };
    Some((host.to_ascii_lowercase(), port)).filter(|(host, _)| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(settings: &WebSocket, fields: &str) -> (String, Option<WebFacts>) {
        let head = format!(
            "GET / HTTP/1.1\r\nHost: bus.local:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
        );
        let mut out = Vec::new();
        let facts = match answer(head.as_bytes(), settings, false, &mut out) {
            Answer::Upgraded { facts, .. } => Some(facts),
            Answer::Refused(_) => None,
        };
        (String::from_utf8(out).unwrap(), facts)
    }

    #[test]
    fn origins_let_in_and_not() {
        let mut settings = WebSocket::default();
        let good = |settings: &WebSocket, origin: &str| asked(settings, &format!("Origin: {origin}\r\n")).1.is_some();
        assert!(good(&settings, "http://evil.org"));
        settings.told.same_origin = true;
        assert!(good(&settings, "http://bus.local:8080") && good(&settings, "https://BUS.local:8080"));
        assert!(
            !good(&settings, "http://bus.local")
                && !good(&settings, "null")
                && !good(&settings, "http://evil.org:8080")
        );
        assert!(asked(&settings, "").1.is_some());
        settings.told.same_origin = false;
        settings.told.allowed_origins = vec!["http://a.org".into(), "https://[::1]:8443".into()];
        assert!(
            good(&settings, "http://a.org")
                && good(&settings, "http://A.org:80")
                && good(&settings, "https://[::1]:8443")
        );
        assert!(
            !good(&settings, "https://a.org")
                && !good(&settings, "http://b.org")
                && !good(&settings, "http://a.org.evil")
        );
        assert!(asked(&settings, "Origin: http://b.org\r\n").0.starts_with("HTTP/1.1 403 Forbidden\r\n"));
    }

    #[test]
    fn cookies_are_found() {
        let mut settings = WebSocket::default();
        settings.cookies.user = Some("u".into());
        settings.cookies.token = Some("t".into());
        let facts = asked(&settings, "Cookie: a=b; u=\"me\"; tt=no\r\nCookie: t=x=y\r\n").1;
        let facts = facts.unwrap();
        assert_eq!((facts.cookies.user.as_deref(), facts.cookies.token.as_deref()), (Some("me"), Some("x=y")));
        assert_eq!(facts.cookies.password, None);
    }

    #[test]
    fn the_answer_says_what_was_agreed_on() {
        let mut settings = WebSocket { headers: "A: b\r\n".into(), ..WebSocket::default() };
        let fields =
            "Nats-No-Masking: true\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        let text = asked(&settings, fields).0;
        assert!(text.ends_with("Nats-No-Masking: true\r\nA: b\r\n\r\n") && !text.contains("Extensions"), "{text}");
        settings.told.compression = true;
        assert!(
            asked(&settings, fields)
                .0
                .contains("permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n")
        );
    }
}
