//! One node of the trie.

use super::NONE;
use crate::list::List;
use crate::text::Text;
use alloc::boxed::Box;
use alloc::vec::Vec;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) token: Text,
    pub(super) hash: u32,
    pub(super) parent: u32,
    /// Child for `*`.
    pub(super) any: u32,
    /// Child for `>`.
    pub(super) rest: u32,
    pub(super) literal_children: u32,
    pub(super) plain: List,
    #[expect(clippy::box_collection, reason = "most nodes have none: a thin pointer is enough for them")]
    pub(super) queues: Option<Box<Vec<Group>>>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) queue: u32,
    pub(super) members: List,
}

impl Node {
    pub(super) fn new(hash: u32, token: &[u8], parent: u32) -> Self {
        let (token, plain) = (Text::new(token), List::Empty);
        Self { token, hash, parent, any: NONE, rest: NONE, literal_children: 0, plain, queues: None }
    }

    pub(super) fn drop_group(&mut self, queue: u32) {
        let Some(groups) = &mut self.queues else { return };
        groups.retain(|group| group.queue != queue);
        if groups.is_empty() {
            self.queues = None;
        }
    }

    pub(super) fn is_bare(&self) -> bool {
        self.any == NONE
            && self.rest == NONE
            && self.literal_children == 0
            && self.plain.as_slice().is_empty()
            && self.queues.is_none()
    }
}

pub(super) fn hash_in(nodes: &[Node], number: u32) -> u64 {
    nodes.get(number as usize).map_or(0, |node| u64::from(node.hash))
}
