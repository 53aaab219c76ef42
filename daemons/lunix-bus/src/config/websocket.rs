//! The keys of the `websocket` block.

use super::file::{address, duration, map, port, string, strings, truth, unexpected, wrong};
use super::tls::{self, Tls};
use crate::broker::Web;
use nats_conf::{Entry, Error, Item, Value};
use std::time::Duration;

/// Keys of nats-server that ask for what is not there.
const UNSUPPORTED: [&str; 3] = ["authorization", "authentication", "ping_interval"];

const KEYS: &str = "listen, host, port, no_tls, tls, same_origin, allowed_origins, compression, handshake_timeout, \
                    advertise, no_auth_user, jwt_cookie, user_cookie, pass_cookie, token_cookie, headers";

/// How long a handshake may take when nobody says so.
const PATIENCE: Duration = Duration::from_secs(2);

/// A `websocket` block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocket {
    /// What is told to clients and monitoring.
    pub told: Web,
    /// Its TLS.
    pub tls: Option<Tls>,
    /// How long the handshakes may take, TLS's included.
    pub timeout: Duration,
    /// Names of the cookies that stand for what CONNECT leaves out.
    pub cookies: CookieNames,
    /// Fields sent with every answer to a handshake, each a whole line.
    pub headers: String,
}

/// Names of cookies; `None`: not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieNames {
    /// Stands for `user`.
    pub user: Option<String>,
    /// Stands for `pass`.
    pub password: Option<String>,
    /// Stands for `auth_token`.
    pub token: Option<String>,
    /// Stands for `jwt`.
    pub jwt: Option<String>,
}

/// Reads the `websocket` block; `None` where it names no port, so that nothing listens.
pub(super) fn websocket(item: &Item) -> Result<Option<WebSocket>, Error> {
    if !cfg!(feature = "websocket") {
        return Err(wrong(item, "this build has no WebSocket"));
    }
    let mut web = WebSocket { timeout: PATIENCE, ..WebSocket::default() };
    let (mut no_tls, mut listens) = (false, false);
    for entry in map(item)?.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "no_tls" => no_tls = truth(&entry.item)?,
            "port" | "listen" => {
                listens = true;
                listen(entry, &mut web.told)?;
            }
            _ => apply(entry, &mut web)?,
        }
    }
    if listens && web.tls.is_none() && !no_tls {
        return Err(wrong(item, "a websocket listener needs tls, or no_tls: true"));
    }
    web.told.no_tls = web.tls.is_none();
    Ok(Some(web).filter(|_| listens))
}

fn listen(entry: &Entry, told: &mut Web) -> Result<(), Error> {
    if entry.key.eq_ignore_ascii_case("port") {
        told.port = port(&entry.item)?;
        return Ok(());
    }
    let (host, port) = address(&entry.item)?;
    told.port = port;
    told.host = host.unwrap_or_else(|| std::mem::take(&mut told.host));
    Ok(())
}

fn apply(entry: &Entry, web: &mut WebSocket) -> Result<(), Error> {
    let (item, told) = (&entry.item, &mut web.told);
    let key = entry.key.to_ascii_lowercase();
    match key.as_str() {
        "host" | "net" => told.host = string(item)?,
        "tls" => web.tls = Some(tls::tls(item)?),
        "same_origin" => told.same_origin = truth(item)?,
        "allowed_origins" | "allowed_origin" | "allow_origins" | "allow_origin" | "origins" | "origin" => {
            told.allowed_origins = strings(item)?;
        }
        "compression" => told.compression = truth(item)?,
        "handshake_timeout" => {
            web.timeout = duration(item)?;
            told.timeout = Some(web.timeout);
        }
        "advertise" => told.advertise = Some(advertised(item)?),
        "no_auth_user" => told.no_auth_user = Some(string(item)?),
        "user_cookie" => web.cookies.user = Some(string(item)?),
        "pass_cookie" => web.cookies.password = Some(string(item)?),
        "token_cookie" => web.cookies.token = Some(string(item)?),
        "jwt_cookie" if cfg!(feature = "jwt") => web.cookies.jwt = Some(string(item)?),
        "jwt_cookie" => return Err(Error::new(&entry.place, "this build knows no tokens (feature jwt)")),
        "headers" => web.headers = headers(item)?,
        name if UNSUPPORTED.contains(&name) => {
            return Err(Error::new(&entry.place, format!("field {:?} of nats-server is not supported", entry.key)));
        }
        _ => return Err(super::file::unknown(entry, KEYS)),
    }
    Ok(())
}

/// `host` or `host:port`. Without a cluster nobody is told, so it is only looked at.
fn advertised(item: &Item) -> Result<String, Error> {
    let text = string(item)?;
    let port = text.rsplit_once(':').filter(|(host, _)| !host.contains(':')).map(|(_, port)| port);
    let good = !text.is_empty() && port.is_none_or(|port| port.parse::<u16>().is_ok() || port == "-1");
    if good { Ok(text) } else { Err(wrong(item, "host or host:port is expected")) }
}

/// The fields as lines of a head.
fn headers(item: &Item) -> Result<String, Error> {
    let mut lines = String::new();
    for entry in map(item)?.iter() {
        let Value::String(value) = &entry.item.value else { return Err(unexpected(&entry.item, "a string")) };
        let good = !entry.key.is_empty()
            && entry.key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
            && !value.contains(char::is_control);
        if !good {
            return Err(Error::new(&entry.place, format!("{:?} makes no header line", entry.key)));
        }
        lines = format!("{lines}{}: {value}\r\n", entry.key);
    }
    Ok(lines)
}

#[cfg(test)]
#[cfg(feature = "websocket")]
mod tests {
    use super::*;
    use nats_conf::Nothing;

    fn read(block: &str) -> Result<Option<WebSocket>, String> {
        let map = nats_conf::parse("x.conf", &format!("websocket {{ {block} }}"), &mut Nothing).unwrap();
        websocket(map.get("websocket").unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn blocks_good() {
        let web = read(
            "listen: \"1.2.3.4:80\", no_tls: true, same_origin: true, allowed_origins: [\"http://a.com\"], compression: true
             handshake_timeout: 3s, advertise: \"a:1\", no_auth_user: x, user_cookie: u, pass_cookie: p, token_cookie: t
             headers { A: b, C: \"d e\" }",
        );
        let web = web.unwrap().unwrap();
        assert_eq!((web.told.host.as_str(), web.told.port, web.timeout), ("1.2.3.4", 80, Duration::from_secs(3)));
        assert!(web.told.same_origin && web.told.compression && web.told.allowed_origins == ["http://a.com"]);
        assert_eq!(web.headers, "A: b\r\nC: d e\r\n");
        assert_eq!(web.cookies.password.as_deref(), Some("p"));
        assert_eq!(read("no_tls: true").unwrap(), None);
        assert_eq!(read("port: -1, no_tls: true").unwrap().unwrap().timeout, PATIENCE);
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        for (block, text) in [
            ("port: 1", "needs tls, or no_tls: true"),
            ("port: 1, no_tls: true, bogus: 1", "x.conf:1:36: unknown field \"bogus\""),
            ("authorization { user: a }", "\"authorization\" of nats-server is not supported"),
            ("headers { A: [b] }", "a string is expected"),
            ("headers { \"A:\": b }", "makes no header line"),
            ("headers { A: \"b\\r\\nC: d\" }", "makes no header line"),
            ("advertise: \"a:x\"", "host or host:port is expected"),
        ] {
            let error = read(block).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
