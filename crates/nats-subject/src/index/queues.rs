//! The names of queue groups, each once.

use super::node::Group;
use super::{Index, NONE, number};
use crate::hash::hash;
use crate::list::List;
use alloc::boxed::Box;

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: Box<[u8]>,
    pub(super) hash: u64,
    pub(super) members: u32,
}

impl<S: Copy> Index<S> {
    pub(super) fn queue_or_new(&mut self, name: &[u8]) -> u32 {
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

    pub(super) fn leave_queue(&mut self, number: u32) {
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
    pub(super) fn list(&mut self, node: u32, queue: u32) -> Option<&mut List> {
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
