//! The answer to a search.

use alloc::vec::Vec;

/// Those who are to receive one message.
#[derive(Clone, Debug)]
pub struct Found<S> {
    pub(super) plain: Vec<S>,
    pub(super) members: Vec<(u32, S)>,
    pub(super) grouped: Vec<S>,
    pub(super) ends: Vec<u32>,
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

    pub(super) fn clear(&mut self) {
        self.plain.clear();
        self.members.clear();
        self.grouped.clear();
        self.ends.clear();
    }

    pub(super) fn group(&mut self) {
        self.members.sort_unstable_by_key(|&(queue, _)| queue);
        for group in self.members.chunk_by(|left, right| left.0 == right.0) {
            self.grouped.extend(group.iter().map(|&(_, subscriber)| subscriber));
            self.ends.push(u32::try_from(self.grouped.len()).unwrap_or(u32::MAX));
        }
    }
}
