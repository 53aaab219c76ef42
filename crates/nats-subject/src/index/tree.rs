//! The trie's edges: children found, made and removed.

use super::node::{Node, hash_in};
use super::{Index, NONE, ROOT, number};
use crate::hash::hash;

impl<S: Copy> Index<S> {
    /// 32 bits of a hash: the number of nodes has no more.
    pub(super) fn edge_hash(&self, parent: u32, token: &[u8]) -> u32 {
        let hash = hash(self.seed ^ u64::from(parent).wrapping_mul(0xff51_afd7_ed55_8ccd), token);
        u32::try_from(hash >> 32).unwrap_or_default()
    }

    /// The literal child.
    pub(super) fn child(&self, parent: u32, token: &[u8]) -> Option<u32> {
        self.edges.find(u64::from(self.edge_hash(parent, token)), |node| {
            self.nodes.get(node as usize).is_some_and(|node| node.parent == parent && node.token.as_bytes() == token)
        })
    }

    pub(super) fn child_or_new(&mut self, parent: u32, token: &[u8]) -> u32 {
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

    pub(super) fn new_child(&mut self, parent: u32, token: &[u8]) -> u32 {
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
    pub(super) fn prune(&mut self, mut number: u32) {
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
}
