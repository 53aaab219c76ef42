//! Clients of this machine: who they are follows from what the kernel says, by the rules of the configuration.

use super::account::AccountId;
use super::authenticate::Identity;
use super::client::Client;
use super::connect::Connect;
use super::settings::Credentials;
use super::{Broker, Door, Peer};
use crate::local::{Facts, Origin, Outcome, Policy};
use reactor::Instant;
use std::rc::Rc;

impl Broker {
    /// A new connection of which the kernel says `facts`. Returns as [`Broker::accept`] does.
    pub fn accept_known(&mut self, now: Instant, peer: Peer, facts: Facts) -> Option<u32> {
        self.accept_at(now, peer, Door::Open, None, Some(facts))
    }

    /// Who the client is by the rules, if there are any; `Some(None)` is nobody who may come in without credentials.
    pub(super) fn local_identity(&self, facts: Option<&Facts>) -> Option<Option<Identity>> {
        let policy = self.settings.local.as_ref()?;
        let unknown = Facts::new(Origin::Elsewhere);
        Some(policy.identity(facts.unwrap_or(&unknown)))
    }

    /// Whether the rules alone say who the client is, whatever it sends.
    pub(super) fn goes_by_rules(&self, connect: &Connect) -> bool {
        self.settings.local.is_some() && (self.settings.credentials == Credentials::Open || !connect.names_somebody())
    }

    /// Whether what the client sends may say who it is.
    pub(super) fn takes_credentials(&self, slot: u32) -> bool {
        let is_unix = self.client(slot).is_some_and(|client| matches!(client.peer, Peer::Unix { .. }));
        self.settings.credentials != Credentials::Open && (self.settings.local.is_some() || !is_unix)
    }

    /// Whether the client is told to send credentials; one that the rules know needs none.
    pub(super) fn asks_for_credentials(&self, client: &Client) -> bool {
        let facts = client.local.as_deref();
        match self.local_identity(facts) {
            Some(Some(identity)) => identity.user.is_none() && self.settings.credentials != Credentials::Open,
            Some(None) => true,
            None => self.identity_at_first(client).is_none(),
        }
    }

    /// The client's user on this machine, where there is no doubt.
    pub(super) fn uid_of(&self, client: &Client) -> Option<u32> {
        match (client.peer, &self.settings.local, &client.local) {
            (_, Some(policy), Some(facts)) => policy.sure_uid(facts),
            (Peer::Unix { uid }, ..) => Some(uid),
            (Peer::Tcp(_), ..) => None,
        }
    }

    /// The account of an identity. One that is made for a user from a template is opened when its first client comes.
    pub(super) fn account_of(&mut self, slot: u32, identity: &Identity) -> Option<AccountId> {
        if let Some(known) = self.accounts.find(&identity.account) {
            return Some(known);
        }
        let policy = self.settings.local.as_ref()?;
        let Outcome::Known(grant, uid) = policy.decide(self.client(slot)?.local.as_deref()?) else { return None };
        let is_own = grant.per_user && *identity.account == *grant.account_of(uid);
        let template = self.accounts.find(&grant.account).filter(|_| is_own)?;
        self.open_from(template, &identity.account)
    }

    fn open_from(&mut self, template: AccountId, name: &str) -> Option<AccountId> {
        let id = self.accounts.open(name, &mut self.subscriptions)?;
        let (name, sharing) =
            self.accounts.get(template).map(|known| (known.name.clone(), Rc::clone(&known.sharing)))?;
        let account = self.accounts.get_mut(id)?;
        account.template = Some(name);
        account.sharing = sharing;
        self.wire_account(id);
        Some(id)
    }

    /// Forgets an account that was made from a template, when its last client is gone.
    pub(super) fn close_own(&mut self, id: AccountId) {
        if self.accounts.get(id).is_some_and(|account| account.template.is_some() && account.clients == 0) {
            self.unwire_account(id);
            if self.accounts.close(id, &mut self.subscriptions) {
                self.forget_replies_of(id);
            }
        }
    }
}

impl Policy {
    fn identity(&self, facts: &Facts) -> Option<Identity> {
        match self.decide(facts) {
            Outcome::Known(grant, uid) => {
                let name = self.names.user(uid).map_or_else(|| uid.to_string(), str::to_owned);
                Some(Identity::new(Some(name.into()), grant.account_of(uid).into(), grant.permissions.clone()))
            }
            Outcome::Anonymous(grant) => {
                Some(Identity::new(None, grant.account.as_str().into(), grant.permissions.clone()))
            }
            Outcome::Refused => None,
        }
    }
}

#[cfg(test)]
mod tests;
