//! Who holds how much: one account for everybody together, and one per user.
//!
//! A user is whom the client proved to be; of one that proved nothing it is the uid of a unix peer, or the address of a TCP peer (of IPv6 the
//! first 64 bits, which is what one machine commands).

use super::client::Peer;
use nats_subject::{SlotTable, hash};
use std::net::IpAddr;

/// What a client is charged for being there: its state, its place in tables, the kernel's are not counted.
pub(crate) const CLIENT_SIZE: usize = 1024;

/// What a subscription is charged, beside its texts: for itself, and for each token of its subject.
const SUBSCRIPTION_SIZE: usize = 96;
const TOKEN_SIZE: usize = 80;

/// What is charged for each account in which a subscription is there too, because a stream is imported from it.
pub(crate) const SHADOW_SIZE: usize = 256;

/// What a subscription is charged.
pub(crate) fn subscription_size(subject: &[u8], queue: Option<&[u8]>, sid: &[u8]) -> usize {
    let tokens = subject.iter().filter(|&&byte| byte == b'.').count() + 1;
    SUBSCRIPTION_SIZE + TOKEN_SIZE * tokens + subject.len() + sid.len() + queue.map_or(0, <[u8]>::len)
}

/// Names a user's account while one of its clients is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payer(u32);

impl Payer {
    /// Nobody.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The account's place in lists with one element per account.
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// What makes clients the same user's.
pub(crate) fn key_of(peer: Peer, user: Option<(&str, &str)>) -> Vec<u8> {
    let address = match (user, peer) {
        (Some((account, user)), _) => return [b"n", account.as_bytes(), b"\0", user.as_bytes()].concat(),
        (None, Peer::Unix { uid }) => return [&b"u"[..], &uid.to_le_bytes()].concat(),
        (None, Peer::Tcp(address)) => address.ip().to_canonical(),
    };
    match address {
        IpAddr::V4(address) => [&b"4"[..], &address.octets()].concat(),
        IpAddr::V6(address) => {
            address.octets().first_chunk::<8>().map_or_else(Vec::new, |net| [&b"6"[..], net].concat())
        }
    }
}

#[derive(Debug, Default)]
struct Account {
    key: Box<[u8]>,
    hash: u64,
    held: usize,
    clients: u32,
}

/// All accounts.
#[derive(Debug)]
pub(crate) struct Ledger {
    held: usize,
    max: usize,
    max_per_user: usize,
    accounts: Vec<Account>,
    free: Vec<u32>,
    table: SlotTable,
    seed: u64,
    /// One that was found above its budget.
    over: Option<Payer>,
}

impl Ledger {
    pub(crate) fn new(seed: u64) -> Self {
        let (accounts, free, table) = (Vec::new(), Vec::new(), SlotTable::default());
        Self { held: 0, max: usize::MAX, max_per_user: usize::MAX, accounts, free, table, seed, over: None }
    }

    /// Sets the ceiling for everybody and the budget of each.
    pub(crate) fn limit(&mut self, max: usize, max_per_user: usize) {
        self.max = max;
        self.max_per_user = max_per_user;
    }

    /// Bytes held for everybody.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Places that accounts have.
    pub(crate) fn places(&self) -> usize {
        self.accounts.len()
    }

    /// Users that have a client now.
    pub(crate) fn users(&self) -> usize {
        self.accounts.len() - self.free.len()
    }

    /// One more client of the user.
    pub(crate) fn join(&mut self, key: &[u8]) -> Payer {
        let hash = hash(self.seed, key);
        let known = self.table.find(hash, |number| {
            self.accounts.get(number as usize).is_some_and(|known| known.clients > 0 && *known.key == *key)
        });
        let number = known.unwrap_or_else(|| {
            let fresh = Account { key: key.into(), hash, held: 0, clients: 0 };
            let number = self.free.pop().unwrap_or_else(|| {
                self.accounts.push(Account::default());
                u32::try_from(self.accounts.len() - 1).unwrap_or(u32::MAX)
            });
            if let Some(place) = self.accounts.get_mut(number as usize) {
                *place = fresh;
            }
            let accounts = &self.accounts;
            self.table.insert(hash, number, |number| accounts.get(number as usize).map_or(0, |known| known.hash));
            number
        });
        if let Some(account) = self.accounts.get_mut(number as usize) {
            account.clients += 1;
        }
        Payer(number)
    }

    /// One client less; it has to have given everything back.
    pub(crate) fn leave(&mut self, owner: Payer) {
        let Some(account) = self.accounts.get_mut(owner.0 as usize) else { return };
        account.clients = account.clients.saturating_sub(1);
        if account.clients > 0 {
            return;
        }
        let hash = account.hash;
        account.key = Box::default();
        let accounts = &self.accounts;
        self.table.remove(hash, owner.0, |number| accounts.get(number as usize).map_or(0, |known| known.hash));
        self.free.push(owner.0);
        if self.users() == 0 {
            (self.accounts, self.free, self.table) = (Vec::new(), Vec::new(), SlotTable::default());
        }
    }

    pub(crate) fn charge(&mut self, owner: Payer, bytes: usize) {
        self.held += bytes;
        if let Some(account) = self.accounts.get_mut(owner.0 as usize) {
            account.held += bytes;
            if account.held > self.max_per_user {
                self.over = Some(owner);
            }
        }
    }

    pub(crate) fn refund(&mut self, owner: Payer, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
        if let Some(account) = self.accounts.get_mut(owner.0 as usize) {
            account.held = account.held.saturating_sub(bytes);
        }
    }

    /// Charges for what several users' clients hold together.
    pub(crate) fn charge_all(&mut self, bytes: usize) {
        self.held += bytes;
    }

    pub(crate) fn refund_all(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// True when somebody may have to be cut.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.held > self.max || self.over.is_some()
    }

    /// True when the ceiling for everybody is crossed.
    pub(crate) fn is_over_ceiling(&self) -> bool {
        self.held > self.max
    }

    /// A user that is above its budget; asked again until there is none.
    pub(crate) fn user_over_budget(&mut self) -> Option<Payer> {
        let over = self
            .over
            .filter(|over| self.accounts.get(over.0 as usize).is_some_and(|account| account.held > self.max_per_user));
        self.over = over;
        over
    }

    /// Gives a user up that holds too much and has nobody left to be cut.
    pub(crate) fn forgive(&mut self) {
        self.over = None;
    }

    /// True at three quarters of the ceiling.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.held > self.max / 4 * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_apart_and_forgotten() {
        let tcp = |text: &str| Peer::Tcp(text.parse().unwrap());
        let same = [
            (tcp("10.0.0.1:1"), tcp("[::ffff:10.0.0.1]:2"), true),
            (tcp("10.0.0.1:1"), tcp("10.0.0.2:1"), false),
            (tcp("[2001:db8::1]:1"), tcp("[2001:db8::2]:1"), true),
            (tcp("[2001:db8::1]:1"), tcp("[2001:db8:0:1::1]:1"), false),
            (Peer::Unix { uid: 1 }, Peer::Unix { uid: 1 }, true),
            (Peer::Unix { uid: 1 }, Peer::Unix { uid: 256 }, false),
        ];
        for (one, other, is_same) in same {
            assert_eq!(key_of(one, None) == key_of(other, None), is_same, "{one:?} {other:?}");
        }
        assert_eq!(key_of(same[0].0, Some(("A", "u"))), key_of(same[4].0, Some(("A", "u"))));
        let mut ledger = Ledger::new(7);
        ledger.limit(1000, 500);
        let (one, other) = (ledger.join(b"1"), ledger.join(b"2"));
        assert_eq!((ledger.join(b"1"), ledger.users()), (one, 2));
        ledger.charge(one, 400);
        ledger.charge(other, 400);
        assert!(!ledger.is_over() && ledger.is_nearly_full());
        ledger.charge(one, 101);
        assert!(ledger.is_over() && !ledger.is_over_ceiling());
        assert_eq!(ledger.user_over_budget(), Some(one));
        ledger.refund(one, 501);
        assert_eq!((ledger.user_over_budget(), ledger.held(), ledger.is_over()), (None, 400, false));
        ledger.refund(other, 400);
        ledger.leave(one);
        assert_eq!((ledger.users(), ledger.join(b"1")), (2, one));
        ledger.leave(one);
        ledger.leave(one);
        ledger.leave(other);
        assert_eq!((ledger.users(), ledger.held()), (0, 0));
    }
}
