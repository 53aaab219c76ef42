//! Where the bus is: `nats://[user[:password]@]host[:port]`, `nats://token@host` or `unix:///path`.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The port of a NATS server when none is given.
const DEFAULT_PORT: u16 = 4222;

/// The socket of the bus on a lunix machine.
const SYSTEM_SOCKET: &str = "/run/lunix/bus.sock";

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A unix stream socket in the file system; with a leading `@`, in the abstract name space.
    Unix(PathBuf),
}

/// A parsed bus URL. Shown without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// User name, when the URL has a user and a password.
    pub user: Option<String>,
    /// Password, when the URL has one.
    pub password: Option<String>,
    /// Token, when the URL has one word before the `@`.
    pub token: Option<String>,
}

/// Why a bus URL is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Neither `nats://` nor `unix://`.
    Scheme(String),
    /// The host has no address, or the port is no number up to 65535.
    Host(String),
    /// A per cent sign that two hex digits do not follow.
    Escape(String),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(url) => write!(f, "bus address {url}: expected nats://host:port or unix:///path"),
            Self::Host(host) => write!(f, "bus address: cannot resolve {host}: expected host:port"),
            Self::Escape(part) => write!(f, "bus address: broken %-escape in {part}"),
        }
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// The address given, else that of `NATS_URL`, else the system's own socket on a machine that has its folder (the bus itself may
    /// come later), else `127.0.0.1:4222`.
    ///
    /// # Errors
    /// Those of parsing the URL.
    pub fn choose(given: Option<&str>) -> Result<Self, AddressError> {
        let from_environment = std::env::var("NATS_URL").ok().filter(|url| !url.is_empty());
        match given.map(str::to_owned).or(from_environment) {
            Some(url) => url.parse(),
            None if Path::new(SYSTEM_SOCKET).parent().is_some_and(Path::exists) => Ok(Self::unix(SYSTEM_SOCKET)),
            None => Ok(Self::bare(Endpoint::Tcp(SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT))))),
        }
    }

    /// The address of a unix socket.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::bare(Endpoint::Unix(path.into()))
    }

    fn bare(endpoint: Endpoint) -> Self {
        Self { endpoint, user: None, password: None, token: None }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Parses a URL and resolves its host, which may block: do it before the loop starts.
    fn from_str(url: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
        match scheme {
            "unix" if !rest.is_empty() => Ok(Self::unix(rest)),
            "nats" | "tcp" => tcp(rest.trim_end_matches('/')),
            _ => Err(AddressError::Scheme(url.to_owned())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Tcp(address) => write!(f, "nats://{address}"),
            Endpoint::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

fn tcp(rest: &str) -> Result<Address, AddressError> {
    let (credentials, host) = match rest.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, rest),
    };
    let mut address = Address::bare(Endpoint::Tcp(resolve(host)?));
    match credentials.map(|both| both.split_once(':')) {
        Some(Some((user, password))) => {
            address.user = Some(unescape(user)?);
            address.password = Some(unescape(password)?);
        }
        Some(None) => address.token = credentials.map(unescape).transpose()?,
        None => {}
    }
    Ok(address)
}

fn resolve(host: &str) -> Result<SocketAddr, AddressError> {
    let wrong = || AddressError::Host(host.to_owned());
    let has_port = host.rsplit_once(':').is_some_and(|(name, _)| !name.contains(':') || name.ends_with(']'));
    let with_port = if has_port { host.to_owned() } else { format!("{host}:{DEFAULT_PORT}") };
    with_port.to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)
}

fn unescape(part: &str) -> Result<String, AddressError> {
    let wrong = || AddressError::Escape(part.to_owned());
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
        bytes.push(high * 16 + low);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        url.parse().unwrap()
    }

    #[test]
    fn good_addresses() {
        let tcp = |text: &str| Endpoint::Tcp(text.parse().unwrap());
        assert_eq!(parse("nats://127.0.0.1:4333").endpoint, tcp("127.0.0.1:4333"));
        assert_eq!(parse("127.0.0.1").endpoint, tcp("127.0.0.1:4222"));
        assert_eq!(parse("nats://[::1]").endpoint, tcp("[::1]:4222"));
        assert_eq!(parse("nats://[::1]:9/").endpoint, tcp("[::1]:9"));
        assert_eq!(parse("unix:///run/b.sock").endpoint, Endpoint::Unix("/run/b.sock".into()));
        let full = parse("nats://a%40b:p%3ass@127.0.0.1:1");
        assert_eq!((full.user.as_deref(), full.password.as_deref(), full.token), (Some("a@b"), Some("p:ss"), None));
        assert_eq!(parse("nats://s3cret@127.0.0.1").token.as_deref(), Some("s3cret"));
    }

    #[test]
    fn bad_addresses_name_what_is_wrong() {
        let sentence = |url: &str| url.parse::<Address>().unwrap_err().to_string();
        assert_eq!(sentence("http://x"), "bus address http://x: expected nats://host:port or unix:///path");
        assert_eq!(sentence("unix://"), "bus address unix://: expected nats://host:port or unix:///path");
        assert_eq!(sentence("nats://127.0.0.1:x"), "bus address: cannot resolve 127.0.0.1:x: expected host:port");
        assert_eq!(sentence("nats://%4@127.0.0.1"), "bus address: broken %-escape in %4");
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(parse("nats://u:p@127.0.0.1:1").to_string(), "nats://127.0.0.1:1");
    }
}
