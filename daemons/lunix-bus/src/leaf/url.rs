//! Where a hub is: `nats-leaf://[user:password@]host[:port]`.

use std::fmt;
use std::str::FromStr;

/// The port of a hub when none is given.
const DEFAULT_PORT: u16 = 7422;

/// What the URL proves to the hub.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// User and password.
    Password {
        /// The user.
        user: String,
        /// The password; may be empty.
        password: String,
    },
    /// A token.
    Token(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// One hub's address. Shown without what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// A name, or an address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User and password, or a token.
    pub secret: Option<Secret>,
    /// The scheme asks for TLS, whatever the hub says.
    pub tls: bool,
}

impl Url {
    /// True when both name the same host and port.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        (&self.host, self.port) == (&other.host, other.port)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Why a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// A WebSocket scheme: such remotes are not supported.
    WebSocket,
    /// Another scheme than `nats-leaf`, `nats`, `leaf` or `tls`.
    Scheme,
    /// No host, or a port that is no number from 1 to 65535.
    Host,
    /// A per cent sign that two hex digits do not follow.
    Escape,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WebSocket => "WebSocket remotes are not supported; nats-leaf://host:port is expected",
            Self::Scheme => "nats-leaf://host:port is expected",
            Self::Host => "host and port are expected, such as nats-leaf://hub.example:7422",
            Self::Escape => "two hex digits are expected after each % of user and password",
        })
    }
}

impl std::error::Error for UrlError {}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("nats-leaf", text));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "nats-leaf" | "nats" | "leaf" => false,
            "tls" => true,
            "ws" | "wss" => return Err(UrlError::WebSocket),
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (secret, place) = match rest.rsplit_once('@') {
            Some((secret, place)) => (Some(read_secret(secret)?), place),
            None => (None, rest),
        };
        let (host, port) = split_port(place).ok_or(UrlError::Host)?;
        Ok(Self { host, port, secret, tls })
    }
}

fn split_port(place: &str) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(inner) => {
            let (host, port) = inner.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok().filter(|&port| port > 0))?;
    let named = !host.is_empty() && !host.contains(['/', '?', '#', ' ']);
    named.then(|| (host.to_owned(), port))
}

fn read_secret(text: &str) -> Result<Secret, UrlError> {
    Ok(match text.split_once(':') {
        Some((user, password)) => Secret::Password { user: unescape(user)?, password: unescape(password)? },
        None => Secret::Token(unescape(text)?),
    })
}

fn unescape(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        let (high, low) = (digit().ok_or(UrlError::Escape)?, digit().ok_or(UrlError::Escape)?);
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_good_and_bad() {
        let read = |text: &str| text.parse::<Url>();
        let place = |text: &str| read(text).map(|url| (url.to_string(), url.tls));
        assert_eq!(place("nats-leaf://127.0.0.1:7000"), Ok(("127.0.0.1:7000".into(), false)));
        assert_eq!(place("hub.example"), Ok(("hub.example:7422".into(), false)));
        assert_eq!(place("tls://hub.example/"), Ok(("hub.example:7422".into(), true)));
        assert_eq!(place("nats://[::1]:9"), Ok(("[::1]:9".into(), false)));
        assert_eq!(place("LEAF://[fe80::1]"), Ok(("[fe80::1]:7422".into(), false)));
        let secret = |text: &str| read(text).unwrap().secret;
        let (user, password) = ("a@b".to_owned(), "p:ss".to_owned());
        assert_eq!(secret("nats-leaf://a%40b:p%3ass@h"), Some(Secret::Password { user, password }));
        assert_eq!(secret("nats-leaf://s3cret@h:1"), Some(Secret::Token("s3cret".into())));
        for (bad, why) in [
            ("ws://h", UrlError::WebSocket),
            ("wss://h:443/leafnode", UrlError::WebSocket),
            ("http://h", UrlError::Scheme),
            ("nats-leaf://", UrlError::Host),
            ("nats-leaf://h:0", UrlError::Host),
            ("nats-leaf://h:70000", UrlError::Host),
            ("nats-leaf://h/path", UrlError::Host),
            ("nats-leaf://[::1", UrlError::Host),
            ("nats-leaf://[::1]9", UrlError::Host),
            ("nats-leaf://%4@h", UrlError::Escape),
        ] {
            assert_eq!(read(bad), Err(why), "{bad}");
        }
    }
}
