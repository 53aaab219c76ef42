//! Our CONNECT.

use super::url::Secret;
use serde::Serialize;

/// What the hub is told of us. Without `lang`: by it a hub knows clients that have taken the wrong port. Without a compression mode, so
/// that none is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introduction<'a> {
    /// The version of the reference whose behaviour is offered.
    pub version: &'a str,
    /// A user's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<&'a str>,
    /// A user's public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<&'a str>,
    /// The hub's nonce, signed by that user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sig: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// From the URL.
    pub user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// From the URL.
    pub pass: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// From the URL.
    pub auth_token: Option<&'a str>,
    /// Our number, unique in the world.
    pub server_id: &'a str,
    /// Our name.
    pub name: &'a str,
    /// The name of our cluster; a server that is in none is one of its own.
    pub cluster: &'a str,
    /// Whether we understand headers.
    pub headers: bool,
    /// Subjects the hub need not send.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny_pub: Vec<String>,
    /// Our account.
    pub remote_account: &'a str,
    /// Version of the protocol between servers.
    pub protocol: u8,
}

impl<'a> Introduction<'a> {
    /// With what the URL proves.
    #[must_use]
    pub fn with(mut self, secret: Option<&'a Secret>) -> Self {
        match secret {
            Some(Secret::Password { user, password }) => {
                self.user = Some(user);
                self.pass = Some(password);
            }
            Some(Secret::Token(token)) => self.auth_token = Some(token),
            None => {}
        }
        self
    }
}

/// The CONNECT of a leaf node, with its line end.
#[must_use]
pub fn introduction(told: &Introduction<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    // Strings, numbers and lists of strings can always be written.
    nats_proto::encode::connect(&mut out, serde_json::to_vec(told).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_of_what_is_not_there() {
        let secret = Secret::Password { user: "u".into(), password: String::new() };
        let told =
            Introduction { version: "2", server_id: "N", name: "n", cluster: "n", headers: true, ..Default::default() };
        let told = Introduction { remote_account: "$G", protocol: 1, ..told };
        assert_eq!(
            String::from_utf8(introduction(&told.clone().with(Some(&secret)))).unwrap(),
            "CONNECT {\"version\":\"2\",\"user\":\"u\",\"pass\":\"\",\"server_id\":\"N\",\"name\":\"n\",\"cluster\":\"n\",\
             \"headers\":true,\"remote_account\":\"$G\",\"protocol\":1}\r\n"
        );
        let token = Secret::Token("t".into());
        let told = Introduction { deny_pub: vec!["a.>".into()], sig: Some("s"), ..told }.with(Some(&token));
        let text = String::from_utf8(introduction(&told)).unwrap();
        assert!(
            text.contains("\"sig\":\"s\",\"auth_token\":\"t\"") && text.contains("\"deny_pub\":[\"a.>\"]"),
            "{text}"
        );
    }
}
