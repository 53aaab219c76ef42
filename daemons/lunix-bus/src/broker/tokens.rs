//! Clients known by their tokens: who they are, until when, and whether they still are after a reload.

use super::authenticate::{Identity, Verdict};
use super::client::{Client, Peer, Reason};
use super::connect::Connect;
use super::json::Json;
use super::settings::{Credentials, Settings};
use super::{Broker, nonce};
use crate::operator::{Refusal, Shown, Standing, Trust};
use reactor::Instant;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

/// What a client's token made it, for how long.
#[derive(Debug)]
pub(crate) struct Residence {
    pub(crate) standing: Rc<Standing>,
    /// When it is over, and what is said then.
    ends: Option<(Instant, &'static str)>,
}

impl Settings {
    /// Whom the server trusts, in operator mode.
    fn trust(&self) -> Option<&Rc<Trust>> {
        match &self.credentials {
            Credentials::Operator(trust) => Some(trust),
            Credentials::Open | Credentials::Password { .. } | Credentials::Token(_) | Credentials::Users(_) => None,
        }
    }
}

impl Broker {
    /// True when the calendar must be right at each turn; see [`Broker::set_calendar`].
    #[must_use]
    pub fn needs_calendar(&self) -> bool {
        self.settings.trust().is_some() || self.settings.callout.is_some()
    }

    /// The second since 1970.
    pub(super) fn second(&self) -> i64 {
        let since = self.calendar.1.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// When a second of the calendar comes.
    fn instant_of(&self, second: i64) -> Instant {
        self.calendar.0 + Duration::from_secs(u64::try_from(second - self.second()).unwrap_or_default())
    }

    /// Who a client is that shows a token.
    pub(super) fn judge_token(&self, slot: u32, trust: &Trust, connect: &Connect) -> Verdict {
        self.prove_token(slot, trust, connect).map_or_else(Verdict::Explained, Verdict::Accepted)
    }

    fn prove_token(&self, slot: u32, trust: &Trust, connect: &Connect) -> Result<Identity, &'static str> {
        let token = connect.jwt.as_deref().filter(|token| !token.is_empty()).ok_or("a user token is needed")?;
        let standing = match self.stand(slot, trust, token) {
            Ok(standing) => standing,
            Err(Refusal::Because(why)) => return Err(why),
            Err(Refusal::Revoked) => return Err("user token is revoked"),
            Err(Refusal::UnknownKey) => return Err("user token is not signed by a key of its account"),
        };
        if standing.needs_signature {
            let nonce = self.client(slot).and_then(|client| client.nonce.as_deref());
            let signature = connect.signature.as_deref().unwrap_or_default();
            if !nonce.is_some_and(|nonce| nonce::is_signed(&standing.user, nonce, signature)) {
                return Err("signature of the nonce does not fit");
            }
        }
        Ok(identity(standing))
    }

    fn stand(&self, slot: u32, trust: &Trust, token: &str) -> Result<Standing, Refusal> {
        let client = self.client(slot).ok_or("client is gone")?;
        let address = match client.peer {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix { .. } => None,
        };
        trust.judge(Shown { token, address, kind: self.kind_of(slot) }, self.second())
    }

    /// True when the account of `identity` has as many clients as it may, and this one is not among them.
    pub(super) fn is_full(&self, slot: u32, identity: &Identity) -> bool {
        let facts = self.settings.trust().and_then(|trust| trust.account(&identity.account));
        let limit = facts.map_or(-1, |facts| facts.claims.body.limits.connections);
        let Some(account) = self.accounts.find(&identity.account) else { return false };
        let inside = self.client(slot).is_some_and(|client| client.account == Some(account));
        let clients = self.accounts.get(account).map_or(0, |account| i64::from(account.clients));
        limit != -1 && !inside && clients >= limit
    }

    /// Remembers what the token says of a client, or that there is none.
    pub(super) fn settle_in(&mut self, slot: u32, standing: Option<&Rc<Standing>>) {
        let residence = standing.map(|standing| {
            let account = self.settings.trust().and_then(|trust| trust.account(&standing.account));
            let account = account.map(|facts| facts.claims.expires).filter(|&expires| expires > 0);
            let over = |second: i64, text| (self.instant_of(second), text);
            let user = standing.ends.map(|second| over(second, "User Authentication Expired"));
            let account = account.map(|second| over(second, "Account Authentication Expired"));
            let ends = user.into_iter().chain(account).min_by_key(|(instant, _)| *instant);
            Box::new(Residence { standing: Rc::clone(standing), ends })
        });
        if let Some((due, _)) = residence.as_deref().and_then(|residence| residence.ends) {
            self.note_due(due);
        }
        if let Some(client) = self.client_mut(slot) {
            client.residence = residence;
        }
    }

    /// Ends a client whose time is over.
    pub(super) fn expire(&mut self, now: Instant, slot: u32) {
        let ends = self.client(slot).and_then(|client| client.residence.as_deref()?.ends);
        if let Some((_, text)) = ends.filter(|(due, _)| *due <= now) {
            self.refuse(slot, text, Reason::Expired);
        }
    }

    /// Judges the token of a client anew. True when the client needs no other look.
    pub(super) fn review_token(&mut self, slot: u32) -> bool {
        let Some(trust) = self.settings.trust().map(Rc::clone) else { return false };
        let Some(token) = self.client(slot).and_then(|client| client.residence.as_deref()) else { return false };
        let before = Rc::clone(&token.standing);
        match self.stand(slot, &trust, &before.token) {
            // As in the reference, a key that is gone or whose role changed takes its users with it without a word.
            Ok(standing) if standing.template != before.template => self.end(slot, Reason::Authentication),
            Err(Refusal::UnknownKey) => self.end(slot, Reason::Authentication),
            Ok(standing) => {
                if !self.bind(slot, &identity(standing)) {
                    self.refuse(slot, "Authorization Violation", Reason::Authentication);
                }
                self.check_subscriptions(slot);
            }
            Err(Refusal::Revoked) => self.refuse(slot, "User Authentication Revoked", Reason::Revoked),
            Err(Refusal::Because(why)) => {
                self.explain(slot, why);
                self.refuse(slot, "Authorization Violation", Reason::Authentication);
            }
        }
        true
    }

    /// Cuts the newest clients of accounts that have more than they may.
    pub(super) fn thin_out(&mut self) {
        let Some(trust) = self.settings.trust().map(Rc::clone) else { return };
        for (name, limit) in trust.accounts().filter_map(|name| {
            Some((name, trust.account(name)?.claims.body.limits.connections)).filter(|&(_, limit)| limit != -1)
        }) {
            let Some(account) = self.accounts.find(name) else { continue };
            let limit = usize::try_from(limit).unwrap_or(0);
            let mut members: Vec<(u64, u32)> = self.members(account).collect();
            members.sort_unstable();
            for (_, slot) in members.into_iter().skip(limit) {
                self.refuse(slot, "maximum account active connections exceeded", Reason::MaxAccountConnections);
            }
        }
    }

    fn members(&self, account: super::account::AccountId) -> impl Iterator<Item = (u64, u32)> {
        let clients = (0..).zip(&self.clients).filter_map(|(slot, client)| Some((slot, client.as_deref()?)));
        let inside = clients.filter(move |(_, client)| client.account == Some(account) && !client.is_closing());
        inside.map(|(slot, client)| (client.id, slot))
    }

    pub(super) fn share_when_due(&mut self, now: Instant) {
        match self.next_share {
            Some(due) if due <= now => self.share_by_tokens(),
            Some(due) => self.note_due(due),
            None => {}
        }
    }

    /// Lets accounts share what their tokens say now. Call it when the calendar is set, at start and after a reload; later it is done
    /// when a token expires.
    pub fn share_by_tokens(&mut self) {
        let Some(trust) = self.settings.trust().map(Rc::clone) else { return };
        let (accounts, next) = trust.share(self.second());
        self.next_share = next.map(|second| self.instant_of(second + 1));
        if let Some(due) = self.next_share {
            self.note_due(due);
        }
        if accounts != self.settings.accounts {
            let settings = Settings { accounts, ..self.settings.clone() };
            self.reload(settings);
        }
    }

    /// True when the account's token is worth nothing any more.
    pub(super) fn has_expired(&self, account: &str) -> bool {
        let facts = self.settings.trust().and_then(|trust| trust.account(account));
        facts.is_some_and(|facts| facts.claims.expires > 0 && self.second() >= facts.claims.expires)
    }

    /// Tells monitoring what the account's token says.
    pub(super) fn write_token_of(&self, json: &mut Json, account: &str) {
        let Some(facts) = self.settings.trust().and_then(|trust| trust.account(account)) else { return };
        json.text("jwt", &facts.token);
        json.text("issuer_key", &facts.claims.issuer);
        json.text_if_any("name_tag", &facts.claims.name);
        if !facts.claims.tags.is_empty() {
            json.begin("tags", b'[');
            facts.claims.tags.iter().for_each(|tag| json.item(tag));
            json.end(b']');
        }
        json.raw("decoded_jwt", nats_keys::claims_text(&facts.token).as_bytes());
    }
}

fn identity(standing: Standing) -> Identity {
    Identity {
        user: Some(standing.user.clone()),
        account: Rc::clone(&standing.account),
        permissions: standing.permissions.clone(),
        standing: Some(Rc::new(standing)),
    }
}

impl Client {
    /// Bytes of one message.
    pub(super) fn payload_max(&self, settings: &Settings) -> usize {
        let own = self.residence.as_deref().and_then(|residence| residence.standing.payload_max);
        own.unwrap_or(usize::MAX).min(settings.max_payload)
    }

    /// Subscriptions at one time; `None`: any number.
    pub(super) fn subscriptions_max(&self, settings: &Settings) -> Option<usize> {
        let own = self.residence.as_deref().and_then(|residence| residence.standing.subscriptions_max);
        own.into_iter().chain((settings.max_subscriptions > 0).then_some(settings.max_subscriptions)).min()
    }

    /// When the client's time is over.
    pub(super) fn ends(&self) -> Option<Instant> {
        Some(self.residence.as_deref()?.ends?.0)
    }
}
