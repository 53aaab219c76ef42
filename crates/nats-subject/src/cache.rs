//! The match cache: results by literal subject, valid for one generation of an index. Several indexes may share it, if each has a seed of
//! its own: the seed is what tells them apart.

use crate::hash::hash;
use crate::index::{Found, Index};
use crate::pattern::is_valid_publish;
use alloc::vec::Vec;

/// A result with more subscribers than this is used once and not kept, so that the cache's memory is bounded.
const SUBSCRIBERS_MAX: usize = 4096;

/// Subjects longer than this are looked up each time.
const SUBJECT_MAX: usize = 256;

#[derive(Debug)]
struct Place<S> {
    /// The index the result comes from, and its generation then.
    seed: u64,
    generation: u64,
    subject: Vec<u8>,
    valid_publish: bool,
    found: Found<S>,
}

impl<S> Default for Place<S> {
    fn default() -> Self {
        Self { seed: 0, generation: 0, subject: Vec::new(), valid_publish: false, found: Found::default() }
    }
}

/// A direct-mapped cache in front of an [`Index`]: a repeated subject costs one hash and one comparison. Subjects that fall on the
/// same place take turns; nothing is ever chained, so no choice of subjects makes it slow or large.
#[derive(Debug)]
pub struct Cache<S> {
    /// Made when something is looked up for the first time.
    places: Vec<Place<S>>,
    places_wanted: usize,
    large: Place<S>,
}

impl<S: Copy> Cache<S> {
    /// A cache of `places` results (rounded up to a power of two).
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places: Vec::new(), places_wanted: places.next_power_of_two(), large: Place::default() }
    }

    /// Those who are to receive a message published to `literal`.
    pub fn find(&mut self, index: &Index<S>, literal: &[u8]) -> &Found<S> {
        self.look_up(index, literal).1
    }

    /// Whether `literal` is a valid subject to publish to ([`is_valid_publish`]), and who is to receive it.
    pub fn look_up(&mut self, index: &Index<S>, literal: &[u8]) -> (bool, &Found<S>) {
        if self.places.is_empty() {
            self.make_places();
        }
        let mask = (self.places_wanted - 1) as u64;
        let home = usize::try_from(hash(index.seed(), literal) & mask).unwrap_or_default();
        let Some(place) = self.places.get_mut(home).filter(|_| literal.len() <= SUBJECT_MAX) else {
            self.large.fill(index, literal);
            return (self.large.valid_publish, &self.large.found);
        };
        if place.generation == index.generation() && place.seed == index.seed() && place.subject == literal {
            return (place.valid_publish, &place.found);
        }
        place.fill(index, literal);
        if place.found.len() > SUBSCRIBERS_MAX {
            core::mem::swap(place, &mut self.large);
            *place = Place::default();
            return (self.large.valid_publish, &self.large.found);
        }
        (place.valid_publish, &place.found)
    }

    #[cold]
    fn make_places(&mut self) {
        self.places.resize_with(self.places_wanted, Place::default);
    }

    /// Gives back all memory.
    pub fn clear(&mut self) {
        self.places = Vec::new();
        self.large = Place::default();
    }

    /// Bytes of heap held, the places themselves included.
    #[must_use]
    pub fn heap_len(&self) -> usize {
        let held = |place: &Place<S>| place.subject.capacity() + place.found.heap_len();
        self.places.iter().map(held).sum::<usize>() + held(&self.large) + self.places.capacity() * size_of::<Place<S>>()
    }
}

impl<S: Copy> Place<S> {
    fn fill(&mut self, index: &Index<S>, literal: &[u8]) {
        self.seed = index.seed();
        self.generation = index.generation();
        self.subject.clear();
        self.subject.extend_from_slice(literal);
        self.valid_publish = is_valid_publish(literal);
        index.find(literal, &mut self.found);
    }
}
