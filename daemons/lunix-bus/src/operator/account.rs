//! What is known of an account.

use super::permissions;
use crate::broker::Permissions;
use nats_keys::{Account, Claims, Role, SigningKey, is_public};
use std::rc::Rc;

/// An account as its token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its public key.
    pub name: Rc<str>,
    /// Its token.
    pub token: Box<str>,
    /// What its token says.
    pub claims: Claims<Account>,
    /// For users whose tokens permit and forbid nothing.
    pub(super) default_permissions: Option<Rc<Permissions>>,
    /// Why nobody can belong to it; times apart.
    fault: Option<&'static str>,
}

impl AccountFacts {
    pub(super) fn new(claims: Claims<Account>, token: &str) -> Self {
        let default = permissions::read(&claims.body.default_permissions);
        let fault = fault(&claims).or(default.is_err().then_some("account has invalid default permissions"));
        let default_permissions = default.unwrap_or_default().map(Rc::new);
        let (name, token) = (claims.subject.as_str().into(), token.into());
        Self { name, token, claims, default_permissions, fault }
    }

    /// Whether somebody can belong to it at second `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, now: i64) -> Result<(), &'static str> {
        match self.fault {
            Some(fault) => Err(fault),
            // Its clients are cut at that very second.
            None if self.claims.expires > 0 && now >= self.claims.expires => Err("account has expired"),
            None if self.claims.is_early(now) => Err("account is not yet valid"),
            None => Ok(()),
        }
    }

    /// The signing key with which `issuer` signs for the account.
    pub(super) fn signing_key(&self, issuer: &str) -> Option<&SigningKey> {
        self.claims.body.signing_keys.iter().find(|known| known.key == issuer)
    }
}

/// What the reference refuses an account for.
fn fault(claims: &Claims<Account>) -> Option<&'static str> {
    let (body, limits) = (&claims.body, &claims.body.limits);
    let too_many = |limit: i64, count: usize| limit != -1 && i64::try_from(count).is_ok_and(|count| count > limit);
    let wild = |subject: &str| !nats_subject::is_literal(subject.as_bytes());
    let heavy = |mapping: &Vec<nats_keys::Mapping>| {
        let weight = |mapping: &nats_keys::Mapping| if mapping.weight == 0 { 100 } else { u32::from(mapping.weight) };
        mapping.iter().filter(|mapping| mapping.cluster.is_empty()).map(weight).sum::<u32>() > 100
    };
    let keys = |role, keys: &[String]| keys.iter().all(|key| is_public(role, key));
    let service = &body.authorization;
    let allowed = service.allowed_accounts.iter().all(|key| key == "*" || is_public(Role::Account, key));
    Some(match () {
        () if !is_public(Role::Account, &claims.subject) => "account's subject is not the public key of an account",
        () if too_many(limits.imports, body.imports.len()) => "account has more imports than allowed by the operator",
        () if too_many(limits.exports, body.exports.len()) => "account has more exports than allowed by the operator",
        () if limits.exports != -1 && !limits.wildcards && body.exports.iter().any(|export| wild(&export.subject)) => {
            "account has exports with wildcards that are not allowed by the operator"
        }
        () if !body.signing_keys.iter().all(|known| is_public(Role::Account, &known.key)) => {
            "account has a signing key that is not the public key of an account"
        }
        () if body.mappings.values().any(heavy) => "account has a mapping of more than 100%",
        () if !keys(Role::User, &service.auth_users) || !allowed => "account names invalid keys for its authorization",
        () => return None,
    })
}
