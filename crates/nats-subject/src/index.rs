//! The subscription index: a trie of tokens whose literal edges live in one hash table.
//!
//! Matching a subject of k tokens looks at one literal edge per token and follows wildcards only where there are subscriptions with
//! wildcards; it does not depend on how many other subscriptions there are. Inserting and removing cost the same, whatever the
//! number of subscribers on one subject.

use crate::hash::hash;
use crate::list::List;
use crate::pattern::{is_valid_subscription, tokens};
use crate::table::SlotTable;
use crate::text::Text;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// Why a subscription cannot be inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The pattern is not valid.
    InvalidPattern,
    /// Four billion entries.
    Full,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidPattern => "subscription pattern is not valid",
            Self::Full => "subscription index is full",
        })
    }
}

impl core::error::Error for Error {}

/// Names one subscription in the index until it is removed; never use it afterwards, the number is given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry(u32);

/// Those who are to receive one message.
#[derive(Clone, Debug)]
pub struct Found<S> {
    plain: Vec<S>,
    members: Vec<(u32, S)>,
    grouped: Vec<S>,
    ends: Vec<u32>,
}

impl<S> Default for Found<S> {
    fn default() -> Self {
        Self { plain: Vec::new(), members: Vec::new(), grouped: Vec::new(), ends: Vec::new() }
    }
}

impl<S: Copy> Found<S> {
    /// Subscribers outside queue groups: each gets the message.
    #[must_use]
    pub fn plain(&self) -> &[S] {
        &self.plain
    }

    /// The queue groups: one member of each gets the message. A group's members may have subscribed with different patterns.
    pub fn groups(&self) -> impl Iterator<Item = &[S]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let group = self.grouped.get(start..end as usize).unwrap_or_default();
            start = end as usize;
            group
        })
    }

    /// True when nobody is to receive anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.grouped.is_empty()
    }

    /// Number of subscribers held, for the owner of a budget.
    #[must_use]
    pub fn len(&self) -> usize {
        self.plain.len() + self.grouped.len()
    }

    /// Bytes of heap held.
    #[must_use]
    pub fn heap_len(&self) -> usize {
        (self.plain.capacity() + self.grouped.capacity()) * size_of::<S>()
            + self.members.capacity() * size_of::<(u32, S)>()
            + self.ends.capacity() * size_of::<u32>()
    }

    fn clear(&mut self) {
        self.plain.clear();
        self.members.clear();
        self.grouped.clear();
        self.ends.clear();
    }

    fn group(&mut self) {
        self.members.sort_unstable_by_key(|&(queue, _)| queue);
        for group in self.members.chunk_by(|left, right| left.0 == right.0) {
            self.grouped.extend(group.iter().map(|&(_, subscriber)| subscriber));
            self.ends.push(u32::try_from(self.grouped.len()).unwrap_or(u32::MAX));
        }
    }
}

#[derive(Debug)]
struct Node {
    token: Text,
    hash: u32,
    parent: u32,
    /// Child for `*`.
    any: u32,
    /// Child for `>`.
    rest: u32,
    literal_children: u32,
    plain: List,
    #[expect(clippy::box_collection, reason = "most nodes have none: a thin pointer is enough for them")]
    queues: Option<Box<Vec<Group>>>,
}

#[derive(Debug)]
struct Group {
    queue: u32,
    members: List,
}

#[derive(Debug)]
struct Queue {
    name: Box<[u8]>,
    hash: u64,
    members: u32,
}

#[derive(Debug)]
struct Slot<S> {
    subscriber: Option<S>,
    node: u32,
    queue: u32,
    /// Place in the node's list.
    place: u32,
}

/// Subscriptions by pattern. `S` names a subscriber to its owner.
#[derive(Debug)]
pub struct Index<S> {
    seed: u64,
    generation: u64,
    nodes: Vec<Node>,
    nodes_free: Vec<u32>,
    edges: SlotTable,
    slots: Vec<Slot<S>>,
    slots_free: Vec<u32>,
    queues: Vec<Queue>,
    queues_free: Vec<u32>,
    queue_names: SlotTable,
}

impl<S: Copy> Index<S> {
    /// An empty index. `seed`: a random number, so that no client can aim for collisions.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            generation: 1,
            nodes: alloc::vec![Node::new(0, &[], NONE)],
            nodes_free: Vec::new(),
            edges: SlotTable::default(),
            slots: Vec::new(),
            slots_free: Vec::new(),
            queues: Vec::new(),
            queues_free: Vec::new(),
            queue_names: SlotTable::default(),
        }
    }

    /// Number of subscriptions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.slots_free.len()
    }

    /// True when there is no subscription.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes whenever a subscription comes or goes.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Adds a subscription and returns what removes it.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn insert(&mut self, pattern: &[u8], queue: Option<&[u8]>, subscriber: S) -> Result<Entry, Error> {
        if !is_valid_subscription(pattern) {
            return Err(Error::InvalidPattern);
        }
        if self.slots.len() >= NONE as usize || self.nodes.len() + pattern.len() >= NONE as usize {
            return Err(Error::Full);
        }
        let node = tokens(pattern).fold(ROOT, |node, token| self.child_or_new(node, token));
        let queue = queue.map_or(NONE, |name| self.queue_or_new(name));
        let slot = match self.slots_free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot { subscriber: None, node, queue, place: 0 });
                number(self.slots.len() - 1)
            }
        };
        let place = self.list(node, queue).map_or(0, |list| number(list.push(slot)));
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            *entry = Slot { subscriber: Some(subscriber), node, queue, place };
        }
        self.generation += 1;
        Ok(Entry(slot))
    }

    /// Takes a subscription out and returns its subscriber; `None` when it was out already.
    pub fn remove(&mut self, entry: Entry) -> Option<S> {
        let slot = self.slots.get_mut(entry.0 as usize)?;
        let subscriber = slot.subscriber.take()?;
        let (node, queue, place) = (slot.node, slot.queue, slot.place);
        self.slots_free.push(entry.0);
        let list = self.list(node, queue)?;
        let moved = list.swap_remove(place as usize);
        let empty = list.as_slice().is_empty();
        if let Some(moved) = moved.and_then(|moved| self.slots.get_mut(moved as usize)) {
            moved.place = place;
        }
        if queue != NONE {
            if empty && let Some(node) = self.nodes.get_mut(node as usize) {
                node.drop_group(queue);
            }
            self.leave_queue(queue);
        }
        self.prune(node);
        self.generation += 1;
        Some(subscriber)
    }

    /// The pattern of a subscription, put together again from the tokens on its way; empty for one that is out.
    #[must_use]
    pub fn pattern(&self, entry: Entry) -> Vec<u8> {
        let slot = self.slots.get(entry.0 as usize).filter(|slot| slot.subscriber.is_some());
        let mut way = Vec::new();
        let mut number = slot.map_or(ROOT, |slot| slot.node);
        while number != ROOT
            && let Some(node) = self.nodes.get(number as usize)
        {
            way.push(node.token.as_bytes());
            number = node.parent;
        }
        way.reverse();
        way.join(&b'.')
    }

    /// The queue group of a subscription; `None` for one outside groups.
    #[must_use]
    pub fn queue(&self, entry: Entry) -> Option<&[u8]> {
        let slot = self.slots.get(entry.0 as usize).filter(|slot| slot.subscriber.is_some())?;
        self.queues.get(slot.queue as usize).map(|queue| &*queue.name)
    }

    /// The subscribers with the same pattern and queue group as this one, itself among them; none for one that is out.
    pub fn alike(&self, entry: Entry) -> impl Iterator<Item = S> {
        let subscriber = |slot: &u32| self.slots.get(*slot as usize)?.subscriber;
        self.alike_slots(entry).iter().filter_map(subscriber)
    }

    /// How many subscriptions have the same pattern and queue group as this one.
    #[must_use]
    pub fn alike_len(&self, entry: Entry) -> usize {
        self.alike_slots(entry).len()
    }

    fn alike_slots(&self, entry: Entry) -> &[u32] {
        let slot = self.slots.get(entry.0 as usize).filter(|slot| slot.subscriber.is_some());
        let list = slot.and_then(|slot| {
            let node = self.nodes.get(slot.node as usize)?;
            let group = || {
                node.queues
                    .iter()
                    .flat_map(|groups| groups.iter())
                    .find(|group| group.queue == slot.queue)
                    .map(|group| &group.members)
            };
            if slot.queue == NONE { Some(&node.plain) } else { group() }
        });
        list.map(List::as_slice).unwrap_or_default()
    }

    /// Fills `found` with those who are to receive a message published to `literal`. Wildcard characters in `literal` are words.
    pub fn find(&self, literal: &[u8], found: &mut Found<S>) {
        found.clear();
        if literal.is_empty() || tokens(literal).any(<[u8]>::is_empty) {
            return;
        }
        self.walk(ROOT, literal, found);
        found.group();
    }

    fn walk(&self, node: u32, subject: &[u8], found: &mut Found<S>) {
        let Some(here) = self.nodes.get(node as usize) else { return };
        let dot = subject.iter().position(|&byte| byte == b'.');
        let token = dot.map_or(subject, |dot| subject.get(..dot).unwrap_or_default());
        self.collect(here.rest, found);
        let literal = if here.literal_children == 0 { NONE } else { self.child(node, token).unwrap_or(NONE) };
        match dot {
            None => {
                self.collect(literal, found);
                self.collect(here.any, found);
            }
            Some(dot) => {
                let subject = subject.get(dot + 1..).unwrap_or_default();
                self.walk(here.any, subject, found);
                self.walk(literal, subject, found);
            }
        }
    }

    fn collect(&self, node: u32, found: &mut Found<S>) {
        let Some(node) = self.nodes.get(node as usize) else { return };
        let subscriber = |slot: &u32| self.slots.get(*slot as usize)?.subscriber;
        found.plain.extend(node.plain.as_slice().iter().filter_map(subscriber));
        for group in node.queues.iter().flat_map(|groups| groups.iter()) {
            found
                .members
                .extend(group.members.as_slice().iter().filter_map(subscriber).map(|member| (group.queue, member)));
        }
    }

    /// 32 bits of a hash: the number of nodes has no more.
    fn edge_hash(&self, parent: u32, token: &[u8]) -> u32 {
        let hash = hash(self.seed ^ u64::from(parent).wrapping_mul(0xff51_afd7_ed55_8ccd), token);
        u32::try_from(hash >> 32).unwrap_or_default()
    }

    /// The literal child.
    fn child(&self, parent: u32, token: &[u8]) -> Option<u32> {
        self.edges.find(u64::from(self.edge_hash(parent, token)), |node| {
            self.nodes.get(node as usize).is_some_and(|node| node.parent == parent && node.token.as_bytes() == token)
        })
    }

    fn child_or_new(&mut self, parent: u32, token: &[u8]) -> u32 {
        let wildcard = self.nodes.get(parent as usize).and_then(|node| match token {
            b"*" => Some(node.any),
            b">" => Some(node.rest),
            _ => None,
        });
        let known = match wildcard {
            Some(NONE) => None,
            Some(node) => Some(node),
            None => self.child(parent, token),
        };
        known.unwrap_or_else(|| self.new_child(parent, token))
    }

    fn new_child(&mut self, parent: u32, token: &[u8]) -> u32 {
        let hash = self.edge_hash(parent, token);
        let node = Node::new(hash, token, parent);
        let number = match self.nodes_free.pop() {
            Some(free) => {
                if let Some(place) = self.nodes.get_mut(free as usize) {
                    *place = node;
                }
                free
            }
            None => {
                self.nodes.push(node);
                number(self.nodes.len() - 1)
            }
        };
        let Some(above) = self.nodes.get_mut(parent as usize) else { return number };
        match token {
            b"*" => above.any = number,
            b">" => above.rest = number,
            _ => {
                above.literal_children += 1;
                let nodes = &self.nodes;
                self.edges.insert(u64::from(hash), number, |node| hash_in(nodes, node));
            }
        }
        number
    }

    /// Removes the node, and those above it, as long as nothing hangs on them.
    fn prune(&mut self, mut number: u32) {
        while number != ROOT
            && let Some(node) = self.nodes.get_mut(number as usize)
            && node.is_bare()
        {
            let (parent, hash) = (node.parent, node.hash);
            let token = core::mem::take(&mut node.token);
            node.parent = NONE;
            self.nodes_free.push(number);
            let nodes = &self.nodes;
            if !matches!(token.as_bytes(), [b'*'] | [b'>']) {
                self.edges.remove(u64::from(hash), number, |node| hash_in(nodes, node));
            }
            let Some(above) = self.nodes.get_mut(parent as usize) else { return };
            match *token.as_bytes() {
                [b'*'] => above.any = NONE,
                [b'>'] => above.rest = NONE,
                [..] => above.literal_children -= 1,
            }
            number = parent;
        }
    }

    fn queue_or_new(&mut self, name: &[u8]) -> u32 {
        let hash = hash(self.seed, name);
        let known = self.queue_names.find(hash, |queue| {
            self.queues.get(queue as usize).is_some_and(|queue| queue.members > 0 && *queue.name == *name)
        });
        let number = known.unwrap_or_else(|| {
            let queue = Queue { name: name.into(), hash, members: 0 };
            let number = match self.queues_free.pop() {
                Some(free) => {
                    if let Some(place) = self.queues.get_mut(free as usize) {
                        *place = queue;
                    }
                    free
                }
                None => {
                    self.queues.push(queue);
                    number(self.queues.len() - 1)
                }
            };
            let queues = &self.queues;
            self.queue_names.insert(hash, number, |queue| queues.get(queue as usize).map_or(0, |queue| queue.hash));
            number
        });
        if let Some(queue) = self.queues.get_mut(number as usize) {
            queue.members += 1;
        }
        number
    }

    fn leave_queue(&mut self, number: u32) {
        let Some(queue) = self.queues.get_mut(number as usize) else { return };
        queue.members -= 1;
        if queue.members == 0 {
            let hash = queue.hash;
            queue.name = Box::default();
            let queues = &self.queues;
            self.queue_names.remove(hash, number, |queue| queues.get(queue as usize).map_or(0, |queue| queue.hash));
            self.queues_free.push(number);
        }
    }

    /// The node's list for the queue, made when it is not there.
    fn list(&mut self, node: u32, queue: u32) -> Option<&mut List> {
        let node = self.nodes.get_mut(node as usize)?;
        if queue == NONE {
            return Some(&mut node.plain);
        }
        let groups = node.queues.get_or_insert_default();
        let place = groups.iter().position(|group| group.queue == queue).unwrap_or_else(|| {
            groups.push(Group { queue, members: List::Empty });
            groups.len() - 1
        });
        groups.get_mut(place).map(|group| &mut group.members)
    }
}

impl Node {
    fn new(hash: u32, token: &[u8], parent: u32) -> Self {
        let (token, plain) = (Text::new(token), List::Empty);
        Self { token, hash, parent, any: NONE, rest: NONE, literal_children: 0, plain, queues: None }
    }

    fn drop_group(&mut self, queue: u32) {
        let Some(groups) = &mut self.queues else { return };
        groups.retain(|group| group.queue != queue);
        if groups.is_empty() {
            self.queues = None;
        }
    }

    fn is_bare(&self) -> bool {
        self.any == NONE
            && self.rest == NONE
            && self.literal_children == 0
            && self.plain.as_slice().is_empty()
            && self.queues.is_none()
    }
}

fn hash_in(nodes: &[Node], number: u32) -> u64 {
    nodes.get(number as usize).map_or(0, |node| u64::from(node.hash))
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}
