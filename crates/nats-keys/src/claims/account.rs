//! Whom users belong to.

use super::json::wrong;
use super::share::revocations;
use super::{Body, Export, Fields, Import, Permissions, Revocations, User, is_absent};
use crate::{Error, Role};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an account's token says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// What it takes from others.
    #[serde(skip_serializing_if = "is_absent")]
    pub imports: Vec<Import>,
    /// What it offers to others.
    #[serde(skip_serializing_if = "is_absent")]
    pub exports: Vec<Export>,
    /// How much it may use.
    pub limits: AccountLimits,
    /// Further keys that sign in the account's name.
    #[serde(skip_serializing_if = "is_absent")]
    pub signing_keys: Vec<SigningKey>,
    /// Users whose tokens are worth nothing.
    #[serde(skip_serializing_if = "is_absent")]
    pub revocations: Revocations,
    /// For users whose tokens permit and forbid nothing.
    #[serde(skip_serializing_if = "is_absent")]
    pub default_permissions: Permissions,
    /// Where messages to a subject go instead.
    #[serde(skip_serializing_if = "is_absent")]
    pub mappings: BTreeMap<String, Vec<Mapping>>,
    /// A service that decides who may connect.
    #[serde(skip_serializing_if = "is_absent")]
    pub authorization: ExternalAuthorization,
    /// What people should know.
    #[serde(skip_serializing_if = "is_absent")]
    pub description: String,
    /// Where people can read more.
    #[serde(skip_serializing_if = "is_absent")]
    pub info_url: String,
}

/// How much an account may use; -1: without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct AccountLimits {
    /// Subscriptions of each client.
    #[serde(rename = "subs", skip_serializing_if = "is_absent")]
    pub subscriptions: i64,
    /// Bytes; no server has ever looked at it.
    #[serde(skip_serializing_if = "is_absent")]
    pub data: i64,
    /// Bytes of one message.
    #[serde(skip_serializing_if = "is_absent")]
    pub payload: i64,
    /// Imports.
    #[serde(skip_serializing_if = "is_absent")]
    pub imports: i64,
    /// Exports.
    #[serde(skip_serializing_if = "is_absent")]
    pub exports: i64,
    /// Whether exports may hold wildcards.
    #[serde(skip_serializing_if = "is_absent")]
    pub wildcards: bool,
    /// Whether tokens that need no signature are refused.
    #[serde(skip_serializing_if = "is_absent")]
    pub disallow_bearer: bool,
    /// Connections at one time.
    #[serde(rename = "conn", skip_serializing_if = "is_absent")]
    pub connections: i64,
    /// Leaf nodes at one time.
    #[serde(rename = "leaf", skip_serializing_if = "is_absent")]
    pub leaf_nodes: i64,
}

/// A further key of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The public key, of an account.
    pub key: String,
    /// What users signed by it are; `None`: what their tokens say.
    pub template: Option<Box<Template>>,
}

/// What users are that a scoped signing key signs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// A name for people.
    pub role: String,
    /// What people should know.
    pub description: String,
    /// Permissions and limits; subjects may hold `{{name()}}` and its like.
    pub user: User,
}

/// One of the subjects that messages may go to instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Mapping {
    /// Subject, with `$1` and so on for wildcards.
    pub subject: String,
    /// Percentage of messages; 0: all.
    #[serde(skip_serializing_if = "is_absent")]
    pub weight: u8,
    /// The cluster it is for; any when empty.
    #[serde(skip_serializing_if = "is_absent")]
    pub cluster: String,
}

/// A service that decides who may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ExternalAuthorization {
    /// Users that are not asked about: the service itself.
    #[serde(skip_serializing_if = "is_absent")]
    pub auth_users: Vec<String>,
    /// Accounts that the service may place users in; `*`: any.
    #[serde(skip_serializing_if = "is_absent")]
    pub allowed_accounts: Vec<String>,
    /// The service's curve key, where requests are to be sealed.
    #[serde(rename = "xkey", skip_serializing_if = "is_absent")]
    pub curve_key: String,
}

impl ExternalAuthorization {
    /// True when there is such a service.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        !self.auth_users.is_empty()
    }
}

impl AccountLimits {
    /// Without any limit.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            subscriptions: -1,
            data: -1,
            payload: -1,
            imports: -1,
            exports: -1,
            wildcards: true,
            disallow_bearer: false,
            connections: -1,
            leaf_nodes: -1,
        }
    }

    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            subscriptions: fields.number("subs", 0)?,
            data: fields.number("data", 0)?,
            payload: fields.number("payload", 0)?,
            imports: fields.number("imports", 0)?,
            exports: fields.number("exports", 0)?,
            wildcards: fields.truth("wildcards")?,
            disallow_bearer: fields.truth("disallow_bearer")?,
            connections: fields.number("conn", 0)?,
            leaf_nodes: fields.number("leaf", 0)?,
        })
    }
}

impl Default for Account {
    /// An account without limits.
    fn default() -> Self {
        Self {
            imports: Vec::new(),
            exports: Vec::new(),
            limits: AccountLimits::none(),
            signing_keys: Vec::new(),
            revocations: Revocations::new(),
            default_permissions: Permissions::default(),
            mappings: BTreeMap::new(),
            authorization: ExternalAuthorization::default(),
            description: String::new(),
            info_url: String::new(),
        }
    }
}

impl Body for Account {
    const TYPE: &'static str = "account";
    const ISSUERS: &'static [Role] = &[Role::Account, Role::Operator];

    #[expect(private_interfaces, reason = "kinds of claims are made in this crate alone")]
    fn read(_outer: Fields<'_>, nats: Fields<'_>, _version: i64) -> Result<Self, Error> {
        let authorization = nats.object("authorization")?;
        Ok(Self {
            imports: nats.objects("imports", Import::read)?,
            exports: nats.objects("exports", Export::read)?,
            limits: AccountLimits::read(nats.object("limits")?)?,
            signing_keys: nats.list("signing_keys", SigningKey::read)?,
            revocations: revocations(nats)?,
            default_permissions: Permissions::read(nats.object("default_permissions")?)?,
            mappings: mappings(nats)?,
            authorization: ExternalAuthorization {
                auth_users: authorization.texts("auth_users")?,
                allowed_accounts: authorization.texts("allowed_accounts")?,
                curve_key: authorization.text("xkey")?,
            },
            description: nats.text("description")?,
            info_url: nats.text("info_url")?,
        })
    }
}

fn mappings(nats: Fields<'_>) -> Result<BTreeMap<String, Vec<Mapping>>, Error> {
    let mapping = |fields: Fields<'_>| {
        let weight = u8::try_from(fields.number("weight", 0)?).map_err(|_| wrong("weight"))?;
        Ok(Mapping { subject: fields.text("subject")?, weight, cluster: fields.text("cluster")? })
    };
    let all = nats.object("mappings")?;
    nats.entries("mappings")?.map(|(from, _)| Ok((from.clone(), all.objects(from, mapping)?))).collect()
}

impl SigningKey {
    fn read(value: &Value) -> Result<Self, Error> {
        if let Some(key) = value.as_str() {
            return Ok(Self { key: key.to_owned(), template: None });
        }
        let fields = Fields::of(value, "signing_keys")?;
        if fields.text("kind")? != "user_scope" {
            return Err(wrong("kind"));
        }
        let template = Template {
            role: fields.text("role")?,
            description: fields.text("description")?,
            user: User::template(fields.object("template")?)?,
        };
        Ok(Self { key: fields.text("key")?, template: Some(Box::new(template)) })
    }
}

impl Serialize for SigningKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(template) = &self.template else { return serializer.serialize_str(&self.key) };
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("kind", "user_scope")?;
        map.serialize_entry("key", &self.key)?;
        map.serialize_entry("role", &template.role)?;
        map.serialize_entry("description", &template.description)?;
        map.serialize_entry("template", &template.user)?;
        map.end()
    }
}
