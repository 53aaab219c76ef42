//! Accounts: each has subjects of its own, and its clients see no others.

use super::sharing::{Import, Sharing};
use super::subscriptions::Subscriptions;
use std::rc::Rc;

/// The account of clients that none is given.
pub const GLOBAL: &str = "$G";

/// Names an account until it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountId(u32);

impl AccountId {
    /// That of [`GLOBAL`].
    pub(crate) const GLOBAL: Self = Self(0);

    /// The account's place in lists with one element per account.
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn from_place(place: usize) -> Option<Self> {
        u32::try_from(place).ok().map(Self)
    }
}

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: Box<str>,
    /// Clients that are bound to it now.
    pub(crate) clients: u32,
    /// Links to hubs that are bound to it now.
    #[cfg_attr(
        not(any(feature = "monitoring", feature = "leaf")),
        expect(dead_code, reason = "monitoring and hubs are told")
    )]
    pub(crate) links: u32,
    /// The account it was made from, for one user.
    pub(crate) template: Option<Box<str>>,
    /// What it exports and imports.
    pub(crate) sharing: Rc<Sharing>,
    /// The exporting account of each import, where there is one that lets it.
    pub(crate) suppliers: Vec<Option<AccountId>>,
    /// Numbers of the subscriptions that make the services it imports and the answers work.
    pub(crate) wires: Vec<u32>,
}

impl Account {
    /// An import by its number, and the account it comes from.
    pub(crate) fn import(&self, number: usize) -> Option<(&Import, AccountId)> {
        Some((self.sharing.imports.get(number)?, (*self.suppliers.get(number)?)?))
    }

    /// The imports that work, with their numbers and the accounts they come from.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (u32, &Import, AccountId)> {
        let suppliers = self.sharing.imports.iter().zip(&self.suppliers);
        (0..).zip(suppliers).filter_map(|(number, (import, supplier))| Some((number, import, (*supplier)?)))
    }
}

/// All accounts, found by number and name. The global one is always there.
#[derive(Debug)]
pub(crate) struct Accounts {
    list: Vec<Option<Account>>,
}

impl Accounts {
    /// The global account, and an index for it.
    pub(crate) fn new(subscriptions: &mut Subscriptions) -> Self {
        let mut accounts = Self { list: Vec::new() };
        accounts.open(GLOBAL, subscriptions);
        accounts
    }

    pub(crate) fn get(&self, id: AccountId) -> Option<&Account> {
        self.list.get(id.place())?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.list.get_mut(id.place())?.as_mut()
    }

    /// All of them, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.list.iter().enumerate().filter_map(|(place, account)| AccountId::from_place(place).zip(account.as_ref()))
    }

    /// What the account is called; empty for a closed one.
    pub(crate) fn name(&self, id: AccountId) -> &str {
        self.get(id).map_or("", |account| &account.name)
    }

    pub(crate) fn find(&self, name: &str) -> Option<AccountId> {
        self.iter().find(|(_, account)| *account.name == *name).map(|(id, _)| id)
    }

    /// The account called `name`, made if there is none. `None` when there is no place for it.
    pub(crate) fn open(&mut self, name: &str, subscriptions: &mut Subscriptions) -> Option<AccountId> {
        if let Some(known) = self.find(name) {
            return Some(known);
        }
        let free = self.list.iter().position(Option::is_none).unwrap_or(self.list.len());
        let id = AccountId::from_place(free)?;
        if free == self.list.len() {
            self.list.push(None);
        }
        *self.list.get_mut(free)? = Some(Account {
            name: name.into(),
            clients: 0,
            links: 0,
            template: None,
            sharing: Rc::default(),
            suppliers: Vec::new(),
            wires: Vec::new(),
        });
        subscriptions.open(id);
        Some(id)
    }

    /// Forgets an account that has neither clients nor subscriptions; the global one stays. Returns whether it is gone.
    pub(crate) fn close(&mut self, id: AccountId, subscriptions: &mut Subscriptions) -> bool {
        let unused = self.get(id).is_some_and(|account| account.clients == 0) && subscriptions.count_of(id) == 0;
        let gone = unused && id != AccountId::GLOBAL;
        if gone && let Some(place) = self.list.get_mut(id.place()) {
            *place = None;
            subscriptions.open(id);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_name_and_their_places_used_again() {
        let mut subscriptions = Subscriptions::new(3);
        let mut accounts = Accounts::new(&mut subscriptions);
        let first = accounts.open("a", &mut subscriptions).unwrap();
        let second = accounts.open("b", &mut subscriptions).unwrap();
        assert_eq!(accounts.open("a", &mut subscriptions), Some(first));
        assert_eq!((accounts.find(GLOBAL), accounts.name(second)), (Some(AccountId::GLOBAL), "b"));
        subscriptions.insert((0, first), u32::MAX, b"x", None, b"1").unwrap();
        assert!(!accounts.close(first, &mut subscriptions) && accounts.close(second, &mut subscriptions));
        assert!(!accounts.close(AccountId::GLOBAL, &mut subscriptions));
        assert_eq!((accounts.find("b"), accounts.open("c", &mut subscriptions)), (None, Some(second)));
        assert_eq!(accounts.iter().count(), 3);
    }
}
