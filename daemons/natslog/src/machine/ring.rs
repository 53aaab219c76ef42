//! Pieces of bytes in a fixed piece of memory: a new one takes the place of the oldest ones.

use std::collections::VecDeque;

/// The last pieces that fit, numbered from 1. Each is in one piece in memory, so it can be read where it is.
#[derive(Debug)]
pub struct Ring {
    bytes: Box<[u8]>,
    /// Where the pieces are, the oldest first: start and length.
    places: VecDeque<(u32, u32)>,
    /// The number of the oldest piece, or of the next one when there is none.
    oldest: u64,
    /// Where the next piece goes unless there is too little room up to the end.
    head: usize,
}

impl Ring {
    /// An empty ring of `size` bytes, at most 4 GiB. The kernel gives the memory as it is used.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let size = size.min(usize::try_from(u32::MAX).unwrap_or(size));
        Self { bytes: vec![0; size].into_boxed_slice(), places: VecDeque::new(), oldest: 1, head: 0 }
    }

    /// Keeps a piece made of these parts, and returns its number; `None` when it is larger than the whole ring, which then stays as it is.
    pub fn push(&mut self, parts: &[&[u8]]) -> Option<u64> {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        if len > self.bytes.len() {
            return None;
        }
        let wraps = self.head + len > self.bytes.len();
        let start = if wraps { 0 } else { self.head };
        // The pieces that were to be overwritten before the end are older than those at the beginning.
        while wraps && self.places.front().is_some_and(|&(place, _)| place as usize >= self.head) {
            self.drop_oldest();
        }
        while self.places.front().is_some_and(|&place| overlaps(place, start, len)) {
            self.drop_oldest();
        }
        let mut rest = self.bytes.get_mut(start..start + len)?;
        for part in parts {
            let (here, after) = rest.split_at_mut_checked(part.len())?;
            here.copy_from_slice(part);
            rest = after;
        }
        self.head = start + len;
        self.places.push_back((u32::try_from(start).ok()?, u32::try_from(len).ok()?));
        Some(self.next() - 1)
    }

    /// The piece of that number, while it is kept.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&[u8]> {
        let index = usize::try_from(number.checked_sub(self.oldest)?).ok()?;
        let &(start, len) = self.places.get(index)?;
        self.bytes.get(start as usize..start as usize + len as usize)
    }

    /// The number of the oldest piece that is kept, or of the next one when none is.
    #[must_use]
    pub const fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The number the next piece will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.oldest + self.places.len() as u64
    }

    /// Gives up the oldest piece.
    pub fn drop_oldest(&mut self) {
        if self.places.pop_front().is_some() {
            self.oldest += 1;
        }
    }
}

fn overlaps((start, piece): (u32, u32), at: usize, len: usize) -> bool {
    // An empty piece must not stay in front of one that is dropped.
    let (start, end) = (start as usize, start as usize + piece.max(1) as usize);
    start < at + len && at < end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_exactly_the_newest_pieces_that_fit_whatever_their_sizes() {
        let mut rng = testkit::rng::Rng::printed("ring");
        for size in [1, 7, 64, 1000] {
            let mut ring = Ring::new(size);
            let mut all: Vec<Vec<u8>> = Vec::new();
            for _ in 0..500 {
                let len = rng.below(size + 2);
                let piece = rng.bytes(len);
                let (left, right) = piece.split_at(piece.len() / 2);
                let number = ring.push(&[left, right]);
                assert_eq!(number.is_none(), piece.len() > size);
                if let Some(number) = number {
                    all.push(piece);
                    assert_eq!(number, all.len() as u64);
                }
                let kept: usize = (ring.oldest()..ring.next()).map(|number| ring.get(number).unwrap().len()).sum();
                assert!(kept <= size);
                for number in ring.oldest()..ring.next() {
                    let expected = &all[usize::try_from(number - 1).unwrap()];
                    assert_eq!(ring.get(number), Some(expected.as_slice()));
                }
                assert_eq!((ring.get(0), ring.get(ring.next())), (None, None));
            }
        }
    }

    #[test]
    fn the_oldest_can_be_given_up() {
        let mut ring = Ring::new(16);
        ring.push(&[b"one"]);
        ring.push(&[b"two"]);
        ring.drop_oldest();
        assert_eq!((ring.oldest(), ring.next(), ring.get(2)), (2, 3, Some(&b"two"[..])));
        ring.drop_oldest();
        ring.drop_oldest();
        assert_eq!((ring.oldest(), ring.next()), (3, 3));
    }
}
