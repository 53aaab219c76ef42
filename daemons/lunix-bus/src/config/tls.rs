//! The keys of a `tls` block.

use super::file::{map, seconds, size, string, strings, truth, unexpected, wrong};
use nats_conf::{Entry, Error, Item, Value, parse_duration};
use std::path::PathBuf;
use std::time::Duration;

/// How long a listener with `handshake_first: auto` waits for the client to begin.
const AUTO: Duration = Duration::from_millis(50);

/// Cipher suites there are, by the names that nats-server knows.
pub const CIPHER_SUITES: [&str; 11] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
];

/// Groups for the key exchange there are, by the names that nats-server knows.
pub const CURVES: [&str; 3] = ["X25519", "CurveP256", "CurveP384"];

/// Keys of nats-server that ask for what is not there.
const UNSUPPORTED: [&str; 9] = [
    "certs",
    "cert_store",
    "cert_match",
    "cert_match_by",
    "cert_match_skip_invalid",
    "ca_certs_match",
    "ocsp_peer",
    "allow_insecure_cipher_suites",
    "verify_cert_and_check_known_urls",
];

const KEYS: &str = "cert_file, key_file, ca_file, verify, verify_and_map, timeout, handshake_first, min_version, \
                    cipher_suites, curve_preferences, pinned_certs, connection_rate_limit";

/// A `tls` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chain in PEM, the own certificate first.
    pub cert_file: Option<PathBuf>,
    /// Its private key in PEM.
    pub key_file: Option<PathBuf>,
    /// Certificates in PEM that vouch for the peer.
    pub ca_file: Option<PathBuf>,
    /// The peer must show a certificate.
    pub verify: bool,
    /// The peer's certificate says which user it is; implies `verify`.
    pub map: bool,
    /// The other server's certificate is not looked at. Concerns connections that we make.
    pub insecure: bool,
    /// How long a handshake may take.
    pub timeout: Duration,
    /// Whether the handshake comes before INFO.
    pub first: HandshakeFirst,
    /// TLS 1.2 is not spoken.
    pub only_1_3: bool,
    /// Names out of [`CIPHER_SUITES`]; empty: all.
    pub cipher_suites: Vec<String>,
    /// Names out of [`CURVES`], the preferred one first; empty: all.
    pub curves: Vec<String>,
    /// SHA-256 of the public keys of the only peers that are let in; empty: all.
    pub pinned: Vec<[u8; 32]>,
    /// Handshakes begun in one second; the rest is refused.
    pub rate_limit: Option<usize>,
}

/// Whether the TLS handshake comes before INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandshakeFirst {
    /// INFO comes first, in the clear.
    #[default]
    No,
    /// The handshake comes first, whatever the client does.
    Yes,
    /// The handshake comes first if the client begins it within this time.
    Within(Duration),
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            cert_file: None,
            key_file: None,
            ca_file: None,
            verify: false,
            map: false,
            insecure: false,
            timeout: Duration::from_secs(2),
            first: HandshakeFirst::No,
            only_1_3: false,
            cipher_suites: Vec::new(),
            curves: Vec::new(),
            pinned: Vec::new(),
            rate_limit: None,
        }
    }
}

/// Reads a `tls` block.
pub(super) fn tls(item: &Item) -> Result<Tls, Error> {
    if !cfg!(feature = "tls") {
        return Err(wrong(item, "this build has no TLS"));
    }
    let mut tls = Tls::default();
    for entry in map(item)?.iter() {
        apply(entry, &mut tls)?;
    }
    Ok(tls)
}

fn apply(entry: &Entry, tls: &mut Tls) -> Result<(), Error> {
    let item = &entry.item;
    let key = entry.key.to_ascii_lowercase();
    match key.as_str() {
        "cert_file" => tls.cert_file = Some(string(item)?.into()),
        "key_file" => tls.key_file = Some(string(item)?.into()),
        "ca_file" => tls.ca_file = Some(string(item)?.into()),
        "verify" => tls.verify |= truth(item)?,
        "verify_and_map" => {
            tls.map = truth(item)?;
            tls.verify |= tls.map;
        }
        "insecure" => tls.insecure = truth(item)?,
        "timeout" => tls.timeout = seconds(item)?,
        "handshake_first" | "first" | "immediate" => tls.first = handshake_first(item)?,
        "min_version" => tls.only_1_3 = min_version(item)?,
        "cipher_suites" => tls.cipher_suites = names(entry, &CIPHER_SUITES, "cipher suite")?,
        "curve_preferences" => tls.curves = names(entry, &CURVES, "curve")?,
        "pinned_certs" => tls.pinned = pins(item)?,
        "connection_rate_limit" => tls.rate_limit = Some(size(item, 0, 1 << 30)?).filter(|&limit| limit > 0),
        name if UNSUPPORTED.contains(&name) => {
            return Err(Error::new(&entry.place, format!("field {:?} of nats-server is not supported", entry.key)));
        }
        _ => return Err(super::file::unknown(entry, KEYS)),
    }
    Ok(())
}

fn handshake_first(item: &Item) -> Result<HandshakeFirst, Error> {
    match &item.value {
        Value::Bool(false) => Ok(HandshakeFirst::No),
        Value::Bool(true) => Ok(HandshakeFirst::Yes),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "false" | "off" => Ok(HandshakeFirst::No),
            "true" | "on" => Ok(HandshakeFirst::Yes),
            "auto" | "auto_fallback" => Ok(HandshakeFirst::Within(AUTO)),
            text => parse_duration(text)
                .map(HandshakeFirst::Within)
                .ok_or_else(|| wrong(item, "true, false, auto or a duration is expected")),
        },
        Value::Integer(_) | Value::Float(_) | Value::Array(_) | Value::Map(_) => {
            Err(unexpected(item, "true, false, auto or a duration"))
        }
    }
}

/// Whether TLS 1.2 is too old.
fn min_version(item: &Item) -> Result<bool, Error> {
    match string(item)?.as_str() {
        "1.2" => Ok(false),
        "1.3" => Ok(true),
        "1.0" | "1.1" => Err(wrong(item, "TLS 1.2 is the oldest version there is")),
        _ => Err(wrong(item, "\"1.2\" or \"1.3\" is expected")),
    }
}

fn names(entry: &Entry, known: &[&str], what: &str) -> Result<Vec<String>, Error> {
    let Value::Array(items) = &entry.item.value else { return Err(unexpected(&entry.item, "an array")) };
    if items.is_empty() {
        return Err(Error::new(&entry.place, format!("at least one {what} is expected")));
    }
    let one = |item: &Item| {
        let name = string(item)?;
        let listed = known.iter().find(|known| known.eq_ignore_ascii_case(&name));
        let listed = listed.map(|name| (*name).to_owned());
        listed.ok_or_else(|| wrong(item, format!("{what} {name} is not supported; there are {}", known.join(", "))))
    };
    items.iter().map(one).collect()
}

fn pins(item: &Item) -> Result<Vec<[u8; 32]>, Error> {
    let Value::Array(items) = &item.value else { return Err(unexpected(item, "an array")) };
    let one = |(item, text): (&Item, String)| {
        digest(&text).ok_or_else(|| {
            wrong(item, format!("{text:?} does not look like the SHA-256 of a public key in hexadecimal digits"))
        })
    };
    items.iter().zip(strings(item)?).map(one).collect()
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, digits) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use super::*;
    use nats_conf::Nothing;

    fn read(block: &str) -> Result<Tls, String> {
        let map = nats_conf::parse("x.conf", &format!("tls {{ {block} }}"), &mut Nothing).unwrap();
        tls(map.get("tls").unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn blocks_good() {
        let pin = "1a5cb26063b67afc0d2413c2ad76cae68d7d061808f2e3019f65526a73add635";
        let all = format!(
            "cert_file: a, key_file: b, ca_file: c, verify_and_map: true, timeout: 0.5, handshake_first: auto, min_version: \"1.3\"
             cipher_suites: [TLS_AES_128_GCM_SHA256], curve_preferences: [X25519, CurveP256], connection_rate_limit: 5
             pinned_certs: [{pin}]"
        );
        let tls = read(&all).unwrap();
        assert!(tls.verify && tls.map && tls.only_1_3);
        assert_eq!((tls.timeout, tls.first), (Duration::from_millis(500), HandshakeFirst::Within(AUTO)));
        assert_eq!((tls.cipher_suites.len(), tls.curves.len(), tls.rate_limit), (1, 2, Some(5)));
        assert_eq!(tls.pinned.first().map(|pin| (pin[0], pin[31])), Some((0x1a, 0x35)));
        assert_eq!(read("handshake_first: 300ms").unwrap().first, HandshakeFirst::Within(Duration::from_millis(300)));
        assert_eq!(read("first: true").unwrap().first, HandshakeFirst::Yes);
        assert_eq!(read("").unwrap(), Tls::default());
    }

    #[test]
    fn what_is_not_there_is_refused_by_name_and_place() {
        for (block, text) in [
            ("bogus: 1", "x.conf:1:7: unknown field \"bogus\""),
            ("ocsp_peer: true", "\"ocsp_peer\" of nats-server is not supported"),
            ("min_version: \"1.1\"", "TLS 1.2 is the oldest"),
            ("min_version: 1.3", "a string is expected"),
            ("cipher_suites: []", "at least one cipher suite"),
            (
                "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]",
                "TLS_RSA_WITH_RC4_128_SHA is not supported; there are TLS_AES",
            ),
            ("curve_preferences: [CurveP521]", "curve CurveP521 is not supported; there are X25519"),
            ("pinned_certs: [xx]", "\"xx\" does not look like"),
            ("handshake_first: x", "true, false, auto or a duration is expected"),
            ("handshake_first: 5", "true, false, auto or a duration is expected"),
            ("verify: 1", "true or false is expected"),
        ] {
            let error = read(block).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
