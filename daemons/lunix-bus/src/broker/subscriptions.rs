//! All subscriptions of all clients: a slab, found by client and sid, linked per client; and an index per account.

use super::account::AccountId;
use super::wants::Change;
use nats_subject::{Cache, Entry, Index, SlotTable, Text, hash};

/// No subscription.
pub(crate) const NONE: u32 = u32::MAX;

/// What stands in the place of the client's slot where there is none.
const SERVICE: u32 = NONE - 1;
const REPLIES: u32 = NONE - 2;
const SERVER: u32 = NONE - 3;
/// Marks a shadow; the other bits are the client's slot. No client has a slot that large, so whoever looks for the client finds none and
/// sees that this is something else: messages for ordinary subscriptions pay nothing for it.
const SHADOW: u32 = 1 << 31;

/// Who gets the messages for a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The place is free.
    Nobody,
    /// The client in this slot.
    Client(u32),
    /// The client in this slot, which subscribed in an account that imports the subject as a stream.
    Shadow(u32),
    /// The account that the service is imported from; this is the number of the import.
    Service(u32),
    /// Those who wait for answers from the account.
    Replies,
    /// The server itself.
    Server,
}

/// Literal subjects whose receivers are remembered.
const CACHE_PLACES: usize = 256;

/// A client's name for a subscription, with the blank that follows it in MSG.
#[derive(Debug, Default)]
struct Sid(Text);

impl Sid {
    fn new(sid: &[u8]) -> Self {
        let mut short = [b' '; 32];
        match short.get_mut(..sid.len()) {
            Some(place) if sid.len() < 32 => {
                place.copy_from_slice(sid);
                Self(Text::new(short.get(..=sid.len()).unwrap_or_default()))
            }
            Some(_) | None => Self(Text::new(&[sid, b" "].concat())),
        }
    }

    fn with_blank(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// One subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Whose subjects it is for.
    pub(crate) account: AccountId,
    /// The client's slot, or what stands in its place; see [`Subscription::owner`].
    pub(crate) client: u32,
    /// Ends after so many messages; 0: never.
    pub(crate) max: u64,
    pub(crate) delivered: u64,
    /// Members that a hub's queue group has over there; of a client's subscription 0.
    #[cfg_attr(not(feature = "leaf"), expect(dead_code, reason = "only links to hubs need it"))]
    pub(crate) weight: u32,
    /// What its client is charged for it.
    pub(crate) size: u32,
    /// Some messages for it may be denied to its client.
    pub(crate) filtered: bool,
    sid: Sid,
    /// Half of it is enough to find its place, and keeps the subscription small.
    hash: u32,
    pub(super) entry: Entry,
    /// That of a shadow is the subscription it belongs to.
    previous: u32,
    next: u32,
    /// First of its shadows; of a shadow or a service the number of the import.
    shadow: u32,
}

impl Subscription {
    /// Who gets its messages.
    pub(crate) fn owner(&self) -> Owner {
        match self.client {
            NONE => Owner::Nobody,
            SERVICE => Owner::Service(self.shadow),
            REPLIES => Owner::Replies,
            SERVER => Owner::Server,
            marked if marked & SHADOW != 0 => Owner::Shadow(marked & !SHADOW),
            slot => Owner::Client(slot),
        }
    }

    /// The subscription that a shadow belongs to, and the number of the import between them.
    pub(crate) fn casts(&self) -> (u32, usize) {
        (self.previous, self.shadow as usize)
    }

    /// Its queue group, given its account's index.
    #[cfg_attr(not(feature = "leaf"), expect(dead_code, reason = "only links to hubs need it"))]
    pub(crate) fn queue_in<'a>(&self, index: &'a Index<u32>) -> Option<&'a [u8]> {
        index.queue(self.entry)
    }

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
    pub(super) slots: Vec<Subscription>,
    free: Vec<u32>,
    sids: SlotTable,
    /// One per account; that of a closed account is empty.
    indexes: Vec<Index<u32>>,
    /// Shared by all indexes.
    cache: Cache<u32>,
    /// Indexes ever made, so that no two have the same seed.
    made: u64,
    inserted: u64,
    /// How many are no client's.
    hidden: usize,
    /// Accounts that are linked to a hub, and the link's slot.
    pub(super) links: Vec<(AccountId, u32)>,
    /// What hubs are to be told.
    pub(super) changes: Vec<Change>,
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
            hidden: 0,
            links: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Number of subscriptions ever made.
    #[cfg(feature = "monitoring")]
    pub(crate) fn inserted(&self) -> u64 {
        self.inserted
    }

    /// Number of the clients' subscriptions.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len() - self.hidden
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

    /// All that clients subscribed to; shadows, too.
    #[cfg(feature = "monitoring")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.slots.iter().filter(|known| matches!(known.owner(), Owner::Client(_) | Owner::Shadow(_)))
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

    /// The index of an account.
    pub(crate) fn index_of(&self, account: AccountId) -> Option<&Index<u32>> {
        self.indexes.get(account.place())
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Subscription> {
        self.slots.get(number as usize)
    }

    /// The slab beside an account's index and the cache, for a delivery.
    pub(crate) fn parts(&mut self, account: AccountId) -> Option<(&mut [Subscription], &Index<u32>, &mut Cache<u32>)> {
        Some((&mut self.slots, self.indexes.get(account.place())?, &mut self.cache))
    }

    fn hash_of(&self, client: u32, sid: &[u8]) -> u32 {
        let hash = hash(self.seed ^ u64::from(client).wrapping_mul(0xc4ce_b9fe_1a85_ec53), sid);
        u32::try_from(hash >> 32).unwrap_or_default()
    }

    /// The subscription a client calls `sid`.
    pub(crate) fn find(&self, client: u32, sid: &[u8]) -> Option<u32> {
        self.sids.find(u64::from(self.hash_of(client, sid)), |number| {
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
        let hash = self.hash_of(client, sid);
        let number = self.place(account, subject, queue, |entry| Subscription {
            account,
            client,
            max: 0,
            delivered: 0,
            weight: 0,
            size: 0,
            filtered: false,
            sid: Sid::new(sid),
            hash,
            entry,
            previous: NONE,
            next: first,
            shadow: NONE,
        })?;
        if let Some(follower) = self.slots.get_mut(first as usize) {
            follower.previous = number;
        }
        let slots = &self.slots;
        self.sids.insert(u64::from(hash), number, |number| hash_in(slots, number));
        Some(number)
    }

    /// Enters a subscription into the index of an account and the slab.
    fn place(
        &mut self,
        account: AccountId,
        subject: &[u8],
        queue: Option<&[u8]>,
        make: impl FnOnce(Entry) -> Subscription,
    ) -> Option<u32> {
        let number = match self.free.last() {
            Some(&number) => number,
            None => u32::try_from(self.slots.len()).ok().filter(|&number| number < SERVER)?,
        };
        let entry = self.indexes.get_mut(account.place())?.insert(subject, queue, number).ok()?;
        self.inserted += 1;
        let subscription = make(entry);
        match self.slots.get_mut(number as usize) {
            Some(place) => {
                *place = subscription;
                self.free.pop();
            }
            None => self.slots.push(subscription),
        }
        if !self.links.is_empty() {
            self.note_change(number, true);
        }
        Some(number)
    }

    /// Adds what is no client's subscription to an account; see [`Owner`]. Returns its number.
    fn place_hidden(
        &mut self,
        (client, account): (u32, AccountId),
        (previous, next, shadow): (u32, u32, u32),
        subject: &[u8],
        queue: Option<&[u8]>,
    ) -> Option<u32> {
        let number = self.place(account, subject, queue, |entry| Subscription {
            account,
            client,
            max: 0,
            delivered: 0,
            weight: 0,
            size: 0,
            filtered: false,
            sid: Sid::new(b""),
            hash: 0,
            entry,
            previous,
            next,
            shadow,
        })?;
        self.hidden += 1;
        Some(number)
    }

    /// Lets what is published in `account` to `local` go where the account's import of this number says.
    pub(crate) fn insert_service(&mut self, account: AccountId, import: u32, local: &[u8]) -> Option<u32> {
        self.place_hidden((SERVICE, account), (NONE, NONE, import), local, None)
    }

    /// Lets what is published in `account` to `subject` be looked at as answers.
    pub(crate) fn insert_replies(&mut self, account: AccountId, subject: &[u8]) -> Option<u32> {
        self.place_hidden((REPLIES, account), (NONE, NONE, NONE), subject, None)
    }

    /// Lets the server itself hear what is published in `account` to `subject`.
    pub(crate) fn insert_server(&mut self, account: AccountId, subject: &[u8]) -> Option<u32> {
        self.place_hidden((SERVER, account), (NONE, NONE, NONE), subject, None)
    }

    /// Lets the client's subscription `parent` also get what is published in `account` to `remote`. `import`: the number of the import
    /// in the subscription's account. Returns false when there is no room or no such subscription.
    pub(crate) fn insert_shadow(&mut self, parent: u32, import: u32, account: AccountId, remote: &[u8]) -> bool {
        let Some(above) = self.get(parent) else { return false };
        let Owner::Client(slot) = above.owner() else { return false };
        let (first, queue) = (above.shadow, self.queue(above).map(<[u8]>::to_vec));
        let links = (parent, first, import);
        let Some(number) = self.place_hidden((SHADOW | slot, account), links, remote, queue.as_deref()) else {
            return false;
        };
        if let Some(above) = self.slots.get_mut(parent as usize) {
            above.shadow = number;
        }
        true
    }

    /// Takes the shadows of a client's subscription away. Returns how many there were.
    pub(crate) fn remove_shadows(&mut self, parent: u32) -> usize {
        let Some(above) = self.slots.get_mut(parent as usize).filter(|above| above.client & SHADOW == 0) else {
            return 0;
        };
        let (mut number, mut count) = (std::mem::replace(&mut above.shadow, NONE), 0);
        while let Some(next) = self.remove_hidden(number) {
            number = next;
            count += 1;
        }
        count
    }

    /// Takes out what is no client's subscription. Returns the next shadow.
    pub(crate) fn remove_hidden(&mut self, number: u32) -> Option<u32> {
        if !self.links.is_empty() {
            self.note_change(number, false);
        }
        let gone =
            self.slots.get_mut(number as usize).filter(|gone| gone.client & SHADOW != 0 && gone.client != NONE)?;
        gone.client = NONE;
        let (entry, account, next) = (gone.entry, gone.account, gone.next);
        if let Some(index) = self.indexes.get_mut(account.place()) {
            index.remove(entry);
        }
        self.hidden -= 1;
        self.free.push(number);
        Some(next)
    }

    /// Takes a client's subscription out, without its shadows. Returns the client's first one from now on, given the first until now.
    pub(crate) fn remove(&mut self, number: u32, first: u32) -> u32 {
        if !self.links.is_empty() {
            self.note_change(number, false);
        }
        let Some(gone) = self.slots.get_mut(number as usize).filter(|gone| gone.client & SHADOW == 0) else {
            return first;
        };
        gone.client = NONE;
        gone.sid = Sid::default();
        let (entry, hash, previous, next, account) = (gone.entry, gone.hash, gone.previous, gone.next, gone.account);
        if let Some(index) = self.indexes.get_mut(account.place()) {
            index.remove(entry);
        }
        let slots = &self.slots;
        self.sids.remove(u64::from(hash), number, |number| hash_in(slots, number));
        if let Some(before) = self.slots.get_mut(previous as usize) {
            before.next = next;
        }
        if let Some(after) = self.slots.get_mut(next as usize) {
            after.previous = previous;
        }
        self.free.push(number);
        if first == number { next } else { first }
    }

    /// Takes all of a client's subscriptions out with their shadows, given its first one.
    pub(crate) fn remove_all(&mut self, mut first: u32) {
        while first != NONE {
            self.remove_shadows(first);
            first = self.remove(first, first);
        }
    }

    /// Places there are, and how many of them are taken.
    pub(crate) fn places(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn used(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The same accounts, without subscriptions.
    pub(crate) fn emptied(&self) -> Self {
        let mut fresh = Self { inserted: self.inserted, made: self.made, ..Self::new(self.seed) };
        (0..self.indexes.len()).filter_map(AccountId::from_place).for_each(|account| fresh.open(account));
        fresh
    }

    /// Adds a client's subscription as it is in `before`, in front of the client's others (`first`). Returns its number.
    pub(crate) fn take_over(&mut self, slot: u32, first: u32, known: &Subscription, before: &Self) -> Option<u32> {
        let (pattern, queue) = (before.pattern(known), before.queue(known));
        let sid = known.sid_with_blank().strip_suffix(b" ").unwrap_or_default();
        let number = self.insert((slot, known.account), first, &pattern, queue, sid)?;
        self.inserted -= 1;
        if let Some(fresh) = self.get_mut(number) {
            (fresh.max, fresh.delivered) = (known.max, known.delivered);
            (fresh.size, fresh.filtered) = (known.size, known.filtered);
        }
        Some(number)
    }

    /// Gives memory back that only a crowd needed.
    pub(crate) fn trim(&mut self) {
        if self.len() + self.hidden == 0 {
            *self = self.emptied();
        }
    }
}

fn hash_in(slots: &[Subscription], number: u32) -> u64 {
    slots.get(number as usize).map_or(0, |known| u64::from(known.hash))
}
