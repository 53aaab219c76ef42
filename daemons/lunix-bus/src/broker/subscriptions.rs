//! All subscriptions of all clients: a slab, found by client and sid, linked per client; and an index per account.

use super::account::AccountId;
use nats_subject::{Cache, Entry, Index, SlotTable, hash};

/// No subscription.
pub(crate) const NONE: u32 = u32::MAX;

/// Literal subjects whose receivers are remembered.
const CACHE_PLACES: usize = 256;

/// Bytes of a sid kept in place.
const SID_INLINE: usize = 15;

/// A client's name for a subscription, with the blank that follows it in MSG.
#[derive(Debug)]
struct Sid {
    inline: [u8; SID_INLINE],
    len: u8,
    long: Option<Box<[u8]>>,
}

impl Sid {
    fn new(sid: &[u8]) -> Self {
        let mut text = Vec::new();
        let mut inline = [b' '; SID_INLINE];
        if let Some(place) = inline.get_mut(..sid.len()).filter(|_| sid.len() < SID_INLINE) {
            place.copy_from_slice(sid);
            return Self { inline, len: u8::try_from(sid.len() + 1).unwrap_or_default(), long: None };
        }
        text.extend_from_slice(sid);
        text.push(b' ');
        Self { inline, len: 0, long: Some(text.into()) }
    }

    fn with_blank(&self) -> &[u8] {
        match &self.long {
            Some(text) => text,
            None => self.inline.get(..usize::from(self.len)).unwrap_or_default(),
        }
    }
}

/// One subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Whose subjects it is for.
    pub(crate) account: AccountId,
    /// The client's slot; `NONE` in a free place.
    pub(crate) client: u32,
    /// Ends after so many messages; 0: never.
    pub(crate) max: u64,
    pub(crate) delivered: u64,
    /// Some messages for it may be denied to its client.
    pub(crate) filtered: bool,
    sid: Sid,
    hash: u64,
    entry: Entry,
    previous: u32,
    next: u32,
}

impl Subscription {
    /// The number of the client's next subscription.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// The sid and a blank, as MSG has it.
    pub(crate) fn sid_with_blank(&self) -> &[u8] {
        self.sid.with_blank()
    }
}

/// The slab with its ways in.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    seed: u64,
    slots: Vec<Subscription>,
    free: Vec<u32>,
    sids: SlotTable,
    /// One per account; that of a closed account is empty.
    indexes: Vec<Index<u32>>,
    /// Shared by all indexes.
    cache: Cache<u32>,
    /// Indexes ever made, so that no two have the same seed.
    made: u64,
    inserted: u64,
}

impl Subscriptions {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            slots: Vec::new(),
            free: Vec::new(),
            sids: SlotTable::default(),
            indexes: Vec::new(),
            cache: Cache::new(CACHE_PLACES),
            made: 0,
            inserted: 0,
        }
    }

    /// Number of subscriptions ever made.
    pub(crate) fn inserted(&self) -> u64 {
        self.inserted
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Makes an empty index for an account, in the place of a closed one.
    pub(crate) fn open(&mut self, account: AccountId) {
        self.made += 1;
        let fresh = Index::new(self.seed ^ self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        match self.indexes.get_mut(account.place()) {
            Some(place) => *place = fresh,
            None => self.indexes.push(fresh),
        }
    }

    /// Number of subscriptions in an account.
    pub(crate) fn count_of(&self, account: AccountId) -> usize {
        self.indexes.get(account.place()).map_or(0, Index::len)
    }

    /// All subscriptions with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.slots.iter().filter(|known| known.client != NONE)
    }

    /// The subscriptions of a client whose first one is `first`, latest first.
    pub(crate) fn of(&self, first: u32) -> impl Iterator<Item = &Subscription> {
        std::iter::successors(self.get(first), |known| self.get(known.next))
    }

    /// The pattern of a subscription.
    pub(crate) fn pattern(&self, subscription: &Subscription) -> Vec<u8> {
        self.indexes
            .get(subscription.account.place())
            .map(|index| index.pattern(subscription.entry))
            .unwrap_or_default()
    }

    /// The queue group of a subscription.
    pub(crate) fn queue(&self, subscription: &Subscription) -> Option<&[u8]> {
        self.indexes.get(subscription.account.place())?.queue(subscription.entry)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Subscription> {
        self.slots.get(number as usize)
    }

    /// The slab beside an account's index and the cache, for a delivery.
    pub(crate) fn parts(&mut self, account: AccountId) -> Option<(&mut [Subscription], &Index<u32>, &mut Cache<u32>)> {
        Some((&mut self.slots, self.indexes.get(account.place())?, &mut self.cache))
    }

    fn hash_of(&self, client: u32, sid: &[u8]) -> u64 {
        hash(self.seed ^ u64::from(client).wrapping_mul(0xc4ce_b9fe_1a85_ec53), sid)
    }

    /// The subscription a client calls `sid`.
    pub(crate) fn find(&self, client: u32, sid: &[u8]) -> Option<u32> {
        self.sids.find(self.hash_of(client, sid), |number| {
            self.slots
                .get(number as usize)
                .is_some_and(|known| known.client == client && known.sid_with_blank().strip_suffix(b" ") == Some(sid))
        })
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Subscription> {
        self.slots.get_mut(number as usize)
    }

    /// Adds a subscription in front of the client's others (`first`). Returns its number; `None` for an invalid subject.
    pub(crate) fn insert(
        &mut self,
        (client, account): (u32, AccountId),
        first: u32,
        subject: &[u8],
        queue: Option<&[u8]>,
        sid: &[u8],
    ) -> Option<u32> {
        let number = match self.free.last() {
            Some(&number) => number,
            None => u32::try_from(self.slots.len()).ok().filter(|&number| number != NONE)?,
        };
        let entry = self.indexes.get_mut(account.place())?.insert(subject, queue, number).ok()?;
        self.inserted += 1;
        let hash = self.hash_of(client, sid);
        let subscription = Subscription {
            account,
            client,
            max: 0,
            delivered: 0,
            filtered: false,
            sid: Sid::new(sid),
            hash,
            entry,
            previous: NONE,
            next: first,
        };
        match self.slots.get_mut(number as usize) {
            Some(place) => {
                *place = subscription;
                self.free.pop();
            }
            None => self.slots.push(subscription),
        }
        if let Some(follower) = self.slots.get_mut(first as usize) {
            follower.previous = number;
        }
        let slots = &self.slots;
        self.sids.insert(hash, number, |number| slots.get(number as usize).map_or(0, |known| known.hash));
        Some(number)
    }

    /// Takes a subscription out. Returns the client's first one from now on, given the first until now.
    pub(crate) fn remove(&mut self, number: u32, first: u32) -> u32 {
        let Some(gone) = self.slots.get_mut(number as usize).filter(|gone| gone.client != NONE) else { return first };
        gone.client = NONE;
        gone.sid.long = None;
        let (entry, hash, previous, next, account) = (gone.entry, gone.hash, gone.previous, gone.next, gone.account);
        if let Some(index) = self.indexes.get_mut(account.place()) {
            index.remove(entry);
        }
        let slots = &self.slots;
        self.sids.remove(hash, number, |number| slots.get(number as usize).map_or(0, |known| known.hash));
        if let Some(before) = self.slots.get_mut(previous as usize) {
            before.next = next;
        }
        if let Some(after) = self.slots.get_mut(next as usize) {
            after.previous = previous;
        }
        self.free.push(number);
        if first == number { next } else { first }
    }

    /// Gives memory back that only a crowd needed.
    pub(crate) fn trim(&mut self) {
        if self.len() == 0 {
            let accounts = self.indexes.len();
            *self = Self { inserted: self.inserted, made: self.made, ..Self::new(self.seed) };
            (0..accounts).filter_map(AccountId::from_place).for_each(|account| self.open(account));
        }
    }
}
