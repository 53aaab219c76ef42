//! The hub's INFO.

use serde::Deserialize;

/// What a hub says about itself, and after our CONNECT about us. Fields that are absent or null have their default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Greeting {
    /// The hub's number, unique in the world.
    #[serde(deserialize_with = "or_default")]
    pub server_id: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub server_name: String,
    /// Our number over there; 0 from a port that is not for leaf nodes.
    #[serde(deserialize_with = "or_default")]
    pub client_id: u64,
    /// Addresses of leaf node ports of its cluster; `None` from a port that is not for leaf nodes.
    pub leafnode_urls: Option<Vec<String>>,
    /// What to sign.
    #[serde(deserialize_with = "or_default")]
    pub nonce: String,
    /// Whether headers are understood.
    #[serde(deserialize_with = "or_default")]
    pub headers: bool,
    /// Whether TLS must begin now.
    #[serde(deserialize_with = "or_default")]
    pub tls_required: bool,
    /// Whether our CONNECT is answered with another INFO.
    #[serde(deserialize_with = "or_default")]
    pub info_on_connect: bool,
    /// Whether this is that answer.
    #[serde(deserialize_with = "or_default")]
    pub connect_info: bool,
    /// What we may subscribe to over there.
    pub import: Option<Subjects>,
    /// What we may publish over there.
    pub export: Option<Subjects>,
}

/// Allowed and denied subjects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Subjects {
    /// Patterns; `None` or none: all.
    pub allow: Option<Vec<String>>,
    /// Patterns.
    pub deny: Option<Vec<String>>,
}

impl Greeting {
    /// Reads the JSON of INFO; `None` when it is none.
    #[must_use]
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// What the hub is called: its name, or its number when it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.server_name.is_empty() { &self.server_id } else { &self.server_name }
    }

    /// True when this came from a port for leaf nodes: those of clients and routes say less.
    #[must_use]
    pub fn is_of_a_hub(&self) -> bool {
        self.client_id != 0 && self.leafnode_urls.is_some()
    }
}

fn or_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(reader: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(reader)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_good_and_bad() {
        let hub = br#"{"server_id":"N1","server_name":"h","client_id":7,"leafnode_urls":["h:1"],"nonce":"n","headers":true,"x":{}} "#;
        let hub = Greeting::parse(hub).unwrap();
        assert!(hub.is_of_a_hub() && hub.headers && !hub.tls_required && !hub.connect_info);
        assert_eq!((hub.name(), hub.nonce.as_str()), ("h", "n"));
        let client_port = Greeting::parse(br#"{"server_id":"N1","client_id":7,"nonce":null}"#).unwrap();
        assert!(!client_port.is_of_a_hub());
        assert_eq!(client_port.name(), "N1");
        let answer =
            Greeting::parse(br#"{"connect_info":true,"import":{"allow":["a"]},"export":{"deny":["b"]}}"#).unwrap();
        assert_eq!(answer.import.unwrap().allow.unwrap(), ["a"]);
        for bad in [&b""[..], b"7", b"{", b"{} x", b"{\"client_id\":\"7\"}"] {
            assert_eq!(Greeting::parse(bad), None, "{}", bad.escape_ascii());
        }
    }
}
