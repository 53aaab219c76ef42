//! What a server asks an authorization service, and what that answers.

use super::{Body, Fields, is_absent};
use crate::{Error, Role};
use serde::Serialize;

/// A question: may this client connect, and as whom?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuthorizationRequest {
    /// The server that asks.
    #[serde(rename = "server_id")]
    pub server: Server,
    /// A key made for this question; the answer and the user it holds must be about it.
    pub user_nkey: String,
    /// The client as the server sees it.
    #[serde(rename = "client_info")]
    pub client: Client,
    /// What the client said about itself, secrets included.
    #[serde(rename = "connect_opts")]
    pub options: ConnectOptions,
    /// The encryption, if any.
    #[serde(rename = "client_tls", skip_serializing_if = "is_absent")]
    pub tls: Option<Tls>,
    /// The server's nonce, where the client has one to sign.
    #[serde(skip_serializing_if = "is_absent")]
    pub request_nonce: String,
}

/// A server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Name.
    pub name: String,
    /// Address it listens on.
    pub host: String,
    /// Public key.
    pub id: String,
    /// Version.
    #[serde(skip_serializing_if = "is_absent")]
    pub version: String,
    /// Name of its cluster.
    #[serde(skip_serializing_if = "is_absent")]
    pub cluster: String,
    /// Words to sort it by.
    #[serde(skip_serializing_if = "is_absent")]
    pub tags: Vec<String>,
    /// The curve key to seal answers to.
    #[serde(rename = "xkey", skip_serializing_if = "is_absent")]
    pub curve_key: String,
}

/// A client as the server sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Client {
    /// Address it comes from.
    #[serde(skip_serializing_if = "is_absent")]
    pub host: String,
    /// Number of the connection.
    #[serde(skip_serializing_if = "is_absent")]
    pub id: u64,
    /// User.
    #[serde(skip_serializing_if = "is_absent")]
    pub user: String,
    /// Name.
    #[serde(skip_serializing_if = "is_absent")]
    pub name: String,
    /// Words to sort it by.
    #[serde(skip_serializing_if = "is_absent")]
    pub tags: Vec<String>,
    /// Name in its token.
    #[serde(skip_serializing_if = "is_absent")]
    pub name_tag: String,
    /// `Client` or `Leafnode`.
    #[serde(skip_serializing_if = "is_absent")]
    pub kind: String,
    /// `nats`, `websocket` or `mqtt`.
    #[serde(rename = "type", skip_serializing_if = "is_absent")]
    pub transport: String,
    /// Identifier of an MQTT client.
    #[serde(skip_serializing_if = "is_absent")]
    pub mqtt_id: String,
    /// The nonce it was given to sign.
    #[serde(skip_serializing_if = "is_absent")]
    pub nonce: String,
}

/// What a client said when it connected.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConnectOptions {
    /// Token of a user.
    #[serde(skip_serializing_if = "is_absent")]
    pub jwt: String,
    /// Public key.
    #[serde(skip_serializing_if = "is_absent")]
    pub nkey: String,
    /// Signature of the nonce.
    #[serde(rename = "sig", skip_serializing_if = "is_absent")]
    pub signature: String,
    /// Secret shared by all.
    #[serde(rename = "auth_token", skip_serializing_if = "is_absent")]
    pub token: String,
    /// User.
    #[serde(skip_serializing_if = "is_absent")]
    pub user: String,
    /// Password.
    #[serde(rename = "pass", skip_serializing_if = "is_absent")]
    pub password: String,
    /// Name of the client.
    #[serde(skip_serializing_if = "is_absent")]
    pub name: String,
    /// Language of its library.
    #[serde(skip_serializing_if = "is_absent")]
    pub lang: String,
    /// Version of its library.
    #[serde(skip_serializing_if = "is_absent")]
    pub version: String,
    /// Version of the protocol.
    pub protocol: i64,
}

impl std::fmt::Debug for ConnectOptions {
    /// Without anything secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("ConnectOptions");
        shown.field("nkey", &self.nkey).field("user", &self.user).field("name", &self.name);
        shown.field("lang", &self.lang).field("version", &self.version).field("protocol", &self.protocol);
        shown.finish_non_exhaustive()
    }
}

/// How a connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tls {
    /// Version of TLS, such as `1.3`.
    #[serde(skip_serializing_if = "is_absent")]
    pub version: String,
    /// Name of the cipher suite.
    #[serde(skip_serializing_if = "is_absent")]
    pub cipher: String,
    /// The client's certificates in PEM, where nobody verified them.
    #[serde(skip_serializing_if = "is_absent")]
    pub certs: Vec<String>,
    /// Verified chains in PEM, the client's certificate first in each.
    #[serde(skip_serializing_if = "is_absent")]
    pub verified_chains: Vec<Vec<String>>,
    /// The server name that the client asked for.
    #[serde(skip_serializing_if = "is_absent")]
    pub server_name: String,
}

/// An answer; its subject is the key of the question, its audience the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuthorizationResponse {
    /// The token of the user that the client is now.
    #[serde(skip_serializing_if = "is_absent")]
    pub jwt: String,
    /// Why the client may not connect.
    #[serde(skip_serializing_if = "is_absent")]
    pub error: String,
    /// The account, where a signing key of it issued the answer.
    #[serde(skip_serializing_if = "is_absent")]
    pub issuer_account: String,
}

impl Body for AuthorizationRequest {
    const TYPE: &'static str = "authorization_request";
    const ISSUERS: &'static [Role] = &[Role::Server];

    #[expect(private_interfaces, reason = "kinds of claims are made in this crate alone")]
    fn read(_outer: Fields<'_>, nats: Fields<'_>, _version: i64) -> Result<Self, Error> {
        Ok(Self {
            server: Server::read(nats.object("server_id")?)?,
            user_nkey: nats.text("user_nkey")?,
            client: Client::read(nats.object("client_info")?)?,
            options: ConnectOptions::read(nats.object("connect_opts")?)?,
            tls: nats.get("client_tls").map(|value| Tls::read(Fields::of(value, "client_tls")?)).transpose()?,
            request_nonce: nats.text("request_nonce")?,
        })
    }
}

impl Body for AuthorizationResponse {
    const TYPE: &'static str = "authorization_response";
    const ISSUERS: &'static [Role] = &[Role::Account];

    #[expect(private_interfaces, reason = "kinds of claims are made in this crate alone")]
    fn read(_outer: Fields<'_>, nats: Fields<'_>, _version: i64) -> Result<Self, Error> {
        Ok(Self { jwt: nats.text("jwt")?, error: nats.text("error")?, issuer_account: nats.text("issuer_account")? })
    }
}

impl Server {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: fields.text("name")?,
            host: fields.text("host")?,
            id: fields.text("id")?,
            version: fields.text("version")?,
            cluster: fields.text("cluster")?,
            tags: fields.texts("tags")?,
            curve_key: fields.text("xkey")?,
        })
    }
}

impl Client {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            host: fields.text("host")?,
            id: fields.count("id")?,
            user: fields.text("user")?,
            name: fields.text("name")?,
            tags: fields.texts("tags")?,
            name_tag: fields.text("name_tag")?,
            kind: fields.text("kind")?,
            transport: fields.text("type")?,
            mqtt_id: fields.text("mqtt_id")?,
            nonce: fields.text("nonce")?,
        })
    }
}

impl ConnectOptions {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            jwt: fields.text("jwt")?,
            nkey: fields.text("nkey")?,
            signature: fields.text("sig")?,
            token: fields.text("auth_token")?,
            user: fields.text("user")?,
            password: fields.text("pass")?,
            name: fields.text("name")?,
            lang: fields.text("lang")?,
            version: fields.text("version")?,
            protocol: fields.number("protocol", 0)?,
        })
    }
}

impl Tls {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        let chain = |value: &serde_json::Value| {
            let texts = value.as_array().and_then(|chain| {
                chain.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            });
            texts.ok_or_else(|| super::json::wrong("verified_chains"))
        };
        Ok(Self {
            version: fields.text("version")?,
            cipher: fields.text("cipher")?,
            certs: fields.texts("certs")?,
            verified_chains: fields.list("verified_chains", chain)?,
            server_name: fields.text("server_name")?,
        })
    }
}
