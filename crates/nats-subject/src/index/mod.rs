//! The subscription index: a trie of tokens whose literal edges live in one hash table.
//!
//! Matching a subject of k tokens looks at one literal edge per token and follows wildcards only where there are subscriptions with
//! wildcards; it does not depend on how many other subscriptions there are. Inserting and removing cost the same, whatever the
//! number of subscribers on one subject.

use crate::list::List;
use crate::pattern::{is_valid_subscription, tokens};
use crate::table::SlotTable;
use alloc::vec::Vec;
use core::fmt;

mod found;
mod node;
mod queues;
mod tree;

use node::Node;
use queues::Queue;

pub use found::Found;

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
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}
