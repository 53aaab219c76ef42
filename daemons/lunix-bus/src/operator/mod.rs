//! Operator mode: accounts and users are known by their tokens.
//!
//! An operator's keys vouch for accounts, an account's keys for its users; each says so in a signed token. The server knows its
//! operators and the tokens of its accounts from the configuration, and is shown that of the user by the client. Nothing here makes a
//! system call: times are seconds since 1970 given by the caller.

mod account;
mod day;
mod network;
mod permissions;
mod sharing;
mod template;
mod user;

pub use account::AccountFacts;
pub use user::{Refusal, Shown, Standing, grant};

use nats_keys::{Account, Claims, Operator, Role, is_public};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Whom the server trusts, and the accounts it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Keys of operators; true for those whose accounts sign with signing keys only.
    issuers: BTreeMap<String, bool>,
    accounts: BTreeMap<Rc<str>, Rc<AccountFacts>>,
    /// Public key of the account for the system's own subjects, where one is named.
    pub system_account: Option<Rc<str>>,
}

impl Trust {
    /// Trusts an operator: its key, unless it wants its signing keys to be used, and those.
    ///
    /// # Errors
    /// A sentence about a key that is none.
    pub fn trust(&mut self, operator: &Claims<Operator>) -> Result<(), String> {
        let strict = operator.body.strict_signing_key_usage;
        let main = Some(&operator.subject).filter(|_| !strict);
        main.into_iter().chain(&operator.body.signing_keys).try_for_each(|key| self.trust_key(key, strict))
    }

    /// Trusts one key of an operator.
    ///
    /// # Errors
    /// A sentence when it is none.
    pub fn trust_key(&mut self, key: &str, strict: bool) -> Result<(), String> {
        if !is_public(Role::Operator, key) {
            return Err(format!("trusted key {key:?} is not the public key of an operator"));
        }
        self.issuers.insert(key.to_owned(), strict);
        Ok(())
    }

    /// Makes an account known by its token and what that says. Whether it is to be trusted is asked when somebody belongs to it.
    pub fn know(&mut self, claims: Claims<Account>, token: &str) {
        let account = AccountFacts::new(claims, token);
        self.accounts.insert(Rc::clone(&account.name), Rc::new(account));
    }

    /// Names of all accounts, their public keys.
    pub fn accounts(&self) -> impl Iterator<Item = &Rc<str>> {
        self.accounts.keys()
    }

    /// What is known of an account.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Rc<AccountFacts>> {
        self.accounts.get(name)
    }

    /// The account called `name`, if an operator vouches for it at second `now`, and whether its own key may sign for it.
    fn trusted(&self, name: &str, now: i64) -> Result<(&Rc<AccountFacts>, bool), &'static str> {
        let account = self.accounts.get(name).ok_or("account is not known")?;
        let strict = self.issuers.get(&account.claims.issuer).ok_or("account is not signed by a trusted operator")?;
        account.check(now)?;
        Ok((account, !strict))
    }
}
