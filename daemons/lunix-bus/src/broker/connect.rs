//! The options a client sends with CONNECT.

use super::client::{ABOUT_MAX, About, Options};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use zeroize::Zeroize;

/// What a CONNECT says; never for the log. Absent and null keys are `None`. Keys are compared without regard to case, as the reference does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) verbose: Option<bool>,
    pub(crate) pedantic: Option<bool>,
    pub(crate) echo: Option<bool>,
    pub(crate) headers: Option<bool>,
    pub(crate) no_responders: Option<bool>,
    pub(crate) protocol: Option<i64>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) jwt: Option<String>,
    pub(crate) nkey: Option<String>,
    pub(crate) signature: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) lang: Option<String>,
    pub(crate) version: Option<String>,
}

impl Connect {
    /// Reads the JSON of a CONNECT; `None` when it is none or a known key has the wrong type.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        // What is no UTF-8 is replaced, as the reference does.
        let text = String::from_utf8_lossy(json);
        let mut reader = serde_json::Deserializer::from_str(&text);
        let connect = reader.deserialize_option(ConnectVisitor).ok()?;
        reader.end().ok()?;
        Some(connect)
    }

    /// Forgets what is secret, once it has served.
    pub(crate) fn wipe(&mut self) {
        for secret in [&mut self.password, &mut self.token, &mut self.jwt, &mut self.signature].into_iter().flatten() {
            secret.zeroize();
        }
    }

    /// What the client says about itself, if it says anything; longer texts are cut.
    pub(crate) fn about(self) -> Option<Box<About>> {
        let short = |text: Option<String>| {
            let mut text = text.unwrap_or_default();
            while text.len() > ABOUT_MAX {
                text.pop();
            }
            text.shrink_to_fit();
            text
        };
        let (name, lang) = (short(self.name), short(self.lang));
        let about = About { name, lang, version: short(self.version), user: short(self.user) };
        (about != About::default()).then(|| Box::new(about))
    }
}

impl Options {
    /// Takes over what `connect` says; the rest stays.
    pub(crate) fn merge(&mut self, connect: &Connect) {
        self.verbose = connect.verbose.unwrap_or(self.verbose);
        self.pedantic = connect.pedantic.unwrap_or(self.pedantic);
        self.echo = connect.echo.unwrap_or(self.echo);
        self.headers = connect.headers.unwrap_or(self.headers);
        self.no_responders = connect.no_responders.unwrap_or(self.no_responders);
        self.protocol = connect.protocol.unwrap_or(self.protocol);
    }
}

impl Connect {
    /// Whether it says who the client is; empty texts say nothing.
    pub(crate) fn names_somebody(&self) -> bool {
        let is_said = |field: &Option<String>| field.as_ref().is_some_and(|text| !text.is_empty());
        [&self.user, &self.password, &self.token, &self.jwt, &self.nkey].into_iter().any(is_said)
    }
}

struct ConnectVisitor;

impl<'de> Visitor<'de> for ConnectVisitor {
    type Value = Connect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the options of a client")
    }

    fn visit_none<E>(self) -> Result<Connect, E> {
        Ok(Connect::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Connect, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Connect, A::Error> {
        let mut connect = Connect::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.to_ascii_lowercase().as_str() {
                "verbose" => set(&mut connect.verbose, map.next_value()?),
                "pedantic" => set(&mut connect.pedantic, map.next_value()?),
                "echo" => set(&mut connect.echo, map.next_value()?),
                "headers" => set(&mut connect.headers, map.next_value()?),
                "no_responders" => set(&mut connect.no_responders, map.next_value()?),
                "protocol" => set(&mut connect.protocol, map.next_value()?),
                "user" => set(&mut connect.user, map.next_value()?),
                "pass" => set(&mut connect.password, map.next_value()?),
                "auth_token" => set(&mut connect.token, map.next_value()?),
                "name" => set(&mut connect.name, map.next_value()?),
                "lang" => set(&mut connect.lang, map.next_value()?),
                "version" => set(&mut connect.version, map.next_value()?),
                "jwt" => set(&mut connect.jwt, map.next_value()?),
                "nkey" => set(&mut connect.nkey, map.next_value()?),
                "sig" => set(&mut connect.signature, map.next_value()?),
                "tls_required" => drop(map.next_value::<Option<bool>>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(connect)
    }
}

/// A null says nothing: what another key of the same name said stays.
fn set<T>(place: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_good_and_bad() {
        assert_eq!(Connect::parse(b"{}"), Some(Connect::default()));
        assert_eq!(Connect::parse(b" null "), Some(Connect::default()));
        assert_eq!(Connect::parse(b"{\"VERBOSE\":false,\"x\":[{}]}").unwrap().verbose, Some(false));
        assert_eq!(Connect::parse(b"{\"verbose\":null}").unwrap().verbose, None);
        assert_eq!(Connect::parse(b"{\"verbose\":false,\"VERBOSE\":null}").unwrap().verbose, Some(false));
        assert_eq!(Connect::parse(b"{\"verbose\":false,\"verbose\":true}").unwrap().verbose, Some(true));
        for bad in [&b""[..], b"[]", b"{", b"{} x", b"{\"verbose\":\"yes\"}", b"{\"protocol\":1.0}", b"{\"name\":1}"] {
            assert_eq!(Connect::parse(bad), None, "{}", bad.escape_ascii());
        }
    }
}
