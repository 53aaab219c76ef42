//! The INFO line.

use super::client::{Client, Peer};
use super::json;
use super::settings::Settings;
use nats_proto::encode;

/// The version of the protocol's reference whose behaviour is offered; clients switch features by it.
pub const REFERENCE_VERSION: &str = "2.15.1";

/// Which INFO it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first one.
    First,
    /// After CONNECT.
    Connected,
    /// The server is about to end.
    LameDuck,
}

/// Writes the JSON of INFO.
pub(crate) fn json(
    out: &mut Vec<u8>,
    settings: &Settings,
    client: &Client,
    account: &str,
    must_prove: bool,
    kind: Kind,
) {
    let peer = client.peer;
    out.push(b'{');
    text(out, "server_id", &settings.server_id);
    text(out, "server_name", &settings.server_name);
    text(out, "version", REFERENCE_VERSION);
    bare(out, "proto", "1");
    text(out, "go", concat!("lunix-bus ", env!("CARGO_PKG_VERSION")));
    let way = client.way.as_deref();
    let web = settings.web.as_ref().filter(|_| way.is_some_and(|way| way.web.is_some()));
    let (host, port) = web.map_or((&settings.host, settings.port), |web| (&web.host, web.port));
    text(out, "host", host);
    number(out, "port", u64::from(port));
    bare(out, "headers", "true");
    if must_prove {
        bare(out, "auth_required", "true");
    }
    if let Peer::Tcp(_) = peer {
        security(out, settings, client);
    }
    number(out, "max_payload", client.payload_max(settings) as u64);
    number(out, "client_id", client.id);
    if let Peer::Tcp(address) = peer {
        text(out, "client_ip", &address.ip().to_canonical().to_string());
    }
    #[cfg(feature = "jwt")]
    if let Some(nonce) = client.nonce.as_deref() {
        text(out, "nonce", std::str::from_utf8(nonce).unwrap_or_default());
    }
    if kind == Kind::LameDuck {
        bare(out, "ldm", "true");
    }
    if kind == Kind::Connected {
        bare(out, "connect_info", "true");
        text(out, "remote_account", account);
    }
    out.push(b'}');
}

/// What the client must know about TLS. Those of a WebSocket are told about its listener, and `tls_verify` of the other, as the
/// reference does.
fn security(out: &mut Vec<u8>, settings: &Settings, client: &Client) {
    let own = settings.security.clone().unwrap_or_default();
    let web = client.way.as_deref().is_some_and(|way| way.web.is_some());
    let web_tls = settings.web.as_ref().is_some_and(|web| web.security.is_some());
    // Who began with the handshake where it is optional is told that it was needed.
    let began = client.entered && !client.told;
    let (required, available) =
        if web { (web_tls, web_tls) } else { (own.required || began && own.available, own.available) };
    for (name, value) in [("tls_required", required), ("tls_verify", own.verify), ("tls_available", available)] {
        if value {
            bare(out, name, "true");
        }
    }
}

fn key(out: &mut Vec<u8>, key: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    json::quote(out, value);
}

fn bare(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    out.extend_from_slice(value.as_bytes());
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    encode::decimal(out, value);
}
