//! Whether a user's token lets somebody in, and as whom.

use super::network::Network;
use super::template::{self, Values};
use super::{AccountFacts, Trust, day, permissions};
use crate::broker::{ConnectionKind, ConnectionKinds, Permissions};
use nats_keys::{Claims, Role, Template, User, decode, is_public, is_revoked};
use std::net::IpAddr;
use std::rc::Rc;

/// What a client shows.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The user's token.
    pub token: &'a str,
    /// Where it comes from; `None`: from this machine.
    pub address: Option<IpAddr>,
    /// How it is connected.
    pub kind: ConnectionKind,
}

/// What a client's token made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Public key of the user.
    pub user: Box<str>,
    /// Public key of the account.
    pub account: Rc<str>,
    /// Public key that signed the token, where it is not the account's own.
    pub signing_key: Option<Box<str>>,
    /// What that key says of its users, where it says something.
    pub template: Option<Box<Template>>,
    /// The account's name for people.
    pub account_name: Box<str>,
    /// The user's tags.
    pub tags: Vec<String>,
    /// The token itself.
    pub token: Box<str>,
    /// The second at which it is worth nothing any more.
    pub ends: Option<i64>,
    /// Whether the nonce must be signed.
    pub needs_signature: bool,
    /// Subscriptions at one time; `None`: as many as the server allows.
    pub subscriptions_max: Option<usize>,
    /// Bytes of one message; `None`: as many as the server allows.
    pub payload_max: Option<usize>,
    /// What the user may do; `None`: everything within the account.
    pub permissions: Option<Rc<Permissions>>,
}

/// Why a client is not let in, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something else; for the log.
    Because(&'static str),
    /// The account takes the token back.
    Revoked,
    /// The key that signed is none of the account's.
    UnknownKey,
}

impl From<&'static str> for Refusal {
    fn from(why: &'static str) -> Self {
        Self::Because(why)
    }
}

impl Trust {
    /// Judges a token at second `now`, but for the signature of the nonce, which [`Standing::needs_signature`] may ask for.
    ///
    /// # Errors
    /// Why it does not let in.
    pub fn judge(&self, shown: Shown<'_>, now: i64) -> Result<Standing, Refusal> {
        let mut claims: Claims<User> = decode(shown.token).map_err(|_| "user token is not valid")?;
        check(&claims, now)?;
        let name = if claims.body.issuer_account.is_empty() { &claims.issuer } else { &claims.body.issuer_account };
        let (account, own_key) = self.trusted(name, now)?;
        take_over_template(&mut claims, account, own_key)?;
        check_kind(&claims.body.allowed_connection_types, shown.kind)?;
        let (limits, body) = (&claims.body.limits, &account.claims.body);
        if claims.body.bearer_token && body.limits.disallow_bearer {
            return Err("account does not allow bearer tokens".into());
        }
        if is_revoked(&body.revocations, &claims.subject, claims.issued_at) {
            return Err(Refusal::Revoked);
        }
        check_network(&limits.networks, shown.address)?;
        let over = match limits.times.as_slice() {
            [] => None,
            times => Some(day::end(times, now).ok_or("user may not be connected at this time of day")?),
        };
        let own = permissions::read(&claims.body.permissions).map_err(|()| "user token has invalid permissions")?;
        Ok(Standing {
            user: claims.subject.as_str().into(),
            account: Rc::clone(&account.name),
            signing_key: (!claims.body.issuer_account.is_empty()).then(|| claims.issuer.as_str().into()),
            template: account.signing_key(&claims.issuer).and_then(|known| known.template.clone()),
            account_name: account.claims.name.as_str().into(),
            token: shown.token.into(),
            ends: over.into_iter().chain((claims.expires > 0).then_some(claims.expires)).min(),
            needs_signature: !claims.body.bearer_token,
            subscriptions_max: least(limits.subscriptions, body.limits.subscriptions),
            payload_max: least(limits.payload, body.limits.payload),
            permissions: own.map(Rc::new).or_else(|| account.default_permissions.clone()),
            tags: claims.tags,
        })
    }
}

/// Judges a user that somebody trusted by the configuration vouches for, at second `now`; its account is the caller's to know.
///
/// # Errors
/// Why it does not let in.
pub fn grant(
    claims: &Claims<User>,
    token: &str,
    account: Rc<str>,
    (address, kind): (Option<IpAddr>, ConnectionKind),
    now: i64,
) -> Result<Standing, Refusal> {
    check(claims, now)?;
    check_kind(&claims.body.allowed_connection_types, kind)?;
    let limits = &claims.body.limits;
    check_network(&limits.networks, address)?;
    let over = match limits.times.as_slice() {
        [] => None,
        times => Some(day::end(times, now).ok_or("user may not be connected at this time of day")?),
    };
    let own = permissions::read(&claims.body.permissions).map_err(|()| "user token has invalid permissions")?;
    Ok(Standing {
        user: claims.subject.as_str().into(),
        account,
        signing_key: Some(claims.issuer.as_str().into()),
        template: None,
        account_name: "".into(),
        tags: claims.tags.clone(),
        token: token.into(),
        ends: over.into_iter().chain((claims.expires > 0).then_some(claims.expires)).min(),
        needs_signature: false,
        subscriptions_max: least(limits.subscriptions, -1),
        payload_max: least(limits.payload, -1),
        permissions: own.map(Rc::new),
    })
}

/// What the token says of itself.
fn check(claims: &Claims<User>, now: i64) -> Result<(), &'static str> {
    let body = &claims.body;
    match () {
        () if claims.is_expired(now) => Err("user token has expired"),
        () if claims.is_early(now) => Err("user token is not yet valid"),
        () if !is_public(Role::User, &claims.subject) => Err("user token is not about a user"),
        () if !body.issuer_account.is_empty() && !is_public(Role::Account, &body.issuer_account) => {
            Err("user token names no account")
        }
        () if permissions::read(&body.permissions).is_err() => Err("user token has invalid permissions"),
        () if body.proxy_required => Err("user must come through a proxy, and none is trusted"),
        () => check_limits(&body.limits),
    }
}

fn check_limits(limits: &nats_keys::Limits) -> Result<(), &'static str> {
    match () {
        () if !day::are_valid(&limits.times) => Err("user token has invalid times"),
        () if !limits.times.is_empty() && !is_utc(&limits.time_zone) => {
            Err("user token has times in another zone than UTC, which is not supported")
        }
        () if limits.networks.iter().any(|text| Network::parse(text).is_none()) => {
            Err("user token has an invalid network")
        }
        () => Ok(()),
    }
}

fn is_utc(zone: &str) -> bool {
    ["", "UTC", "Etc/UTC", "GMT", "Etc/GMT"].contains(&zone)
}

fn check_kind(names: &[String], kind: ConnectionKind) -> Result<(), &'static str> {
    // Kinds that nobody knows are for others: where there are no known ones beside, nobody may connect here.
    let known = names.iter().filter_map(|name| ConnectionKind::named(name));
    let kinds = known.fold(ConnectionKinds::default(), ConnectionKinds::with);
    let nobody = kinds.is_empty() && !names.is_empty();
    if !nobody && kinds.allow(kind) { Ok(()) } else { Err("user may not connect in this way") }
}

fn check_network(networks: &[String], address: Option<IpAddr>) -> Result<(), &'static str> {
    let around =
        |address| networks.iter().filter_map(|text| Network::parse(text)).any(|network| network.contains(address));
    let good = networks.is_empty() || address.is_some_and(around);
    if good { Ok(()) } else { Err("user may not connect from this address") }
}

/// Where a scoped key signed, its template says what the user may do, and the token must not.
fn take_over_template(claims: &mut Claims<User>, account: &AccountFacts, own_key: bool) -> Result<(), Refusal> {
    let signing = account.signing_key(&claims.issuer);
    let Some(template) = signing.map(|known| known.template.as_deref()) else {
        let known = own_key && *account.name == *claims.issuer;
        return if known { Ok(()) } else { Err(Refusal::UnknownKey) };
    };
    let Some(template) = template else { return Ok(()) };
    if !claims.body.is_scoped() {
        return Err("user token says itself what its signing key's template says".into());
    }
    check_limits(&template.user.limits)?;
    let values = Values { user: claims, account: &account.claims };
    let permissions = template::fill(&template.user.permissions, values)?;
    let issuer_account = std::mem::take(&mut claims.body.issuer_account);
    claims.body = User { permissions, issuer_account, ..template.user.clone() };
    Ok(())
}

/// The smaller of two limits of which -1 is none.
fn least(one: i64, other: i64) -> Option<usize> {
    let limit = |value: i64| (value != -1).then(|| usize::try_from(value).unwrap_or(0));
    limit(one).into_iter().chain(limit(other)).min()
}
