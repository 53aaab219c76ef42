//! An open-addressing table from hash to slot number. The things themselves live in the caller's slab, so the table is four bytes
//! per place and knows nothing of keys: the caller says what is equal.

use alloc::vec::Vec;

const EMPTY: u32 = u32::MAX;
const PLACES_MIN: usize = 16;

/// Numbers of slots, found by hash.
#[derive(Clone, Debug, Default)]
pub struct SlotTable {
    places: Vec<u32>,
    len: usize,
}

impl SlotTable {
    /// The first slot of this hash for which `is_it` is true.
    #[must_use]
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut place = self.home(hash)?;
        loop {
            let slot = *self.places.get(place)?;
            if slot == EMPTY {
                return None;
            }
            if is_it(slot) {
                return Some(slot);
            }
            place = self.after(place);
        }
    }

    /// Adds a slot; `hash_of` tells the hash of those that are in already, should the table have to grow.
    pub fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.len + 1) * 4 > self.places.len() * 3 {
            self.resize((self.places.len() * 2).max(PLACES_MIN), hash_of);
        }
        self.put(hash, slot);
        self.len += 1;
    }

    /// Takes a slot out. The followers that would lose their way move up.
    pub fn remove(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        let Some(mut hole) = self.home(hash) else { return };
        loop {
            match self.places.get(hole) {
                Some(&found) if found == slot => break,
                Some(&EMPTY) | None => return,
                Some(_) => hole = self.after(hole),
            }
        }
        self.len -= 1;
        let mut next = self.after(hole);
        while let Some(&follower) = self.places.get(next)
            && follower != EMPTY
        {
            let home = self.home(hash_of(follower)).unwrap_or_default();
            // The follower may fill the hole unless its home lies between hole and itself.
            if self.distance(home, next) >= self.distance(hole, next) {
                self.set(hole, follower);
                hole = next;
            }
            next = self.after(next);
        }
        self.set(hole, EMPTY);
        if self.places.len() > PLACES_MIN && self.len * 8 < self.places.len() {
            self.resize(self.places.len() / 2, hash_of);
        }
    }

    fn resize(&mut self, places: usize, hash_of: impl Fn(u32) -> u64) {
        let mut fresh = Vec::new();
        fresh.resize(places, EMPTY);
        let old = core::mem::replace(&mut self.places, fresh);
        for slot in old.into_iter().filter(|&slot| slot != EMPTY) {
            self.put(hash_of(slot), slot);
        }
    }

    fn put(&mut self, hash: u64, slot: u32) {
        let Some(mut place) = self.home(hash) else { return };
        while self.places.get(place).is_some_and(|&taken| taken != EMPTY) {
            place = self.after(place);
        }
        self.set(place, slot);
    }

    fn set(&mut self, place: usize, slot: u32) {
        if let Some(entry) = self.places.get_mut(place) {
            *entry = slot;
        }
    }

    /// The place where a hash begins its search; `None` in a table without places. The number of places is a power of two.
    fn home(&self, hash: u64) -> Option<usize> {
        let mask = (self.places.len() as u64).checked_sub(1)?;
        usize::try_from(hash & mask).ok()
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_until_they_are_removed_also_when_hashes_collide() {
        for spread in [1_u64, 2, 7, 64] {
            let hash_of = |slot: u32| u64::from(slot) / spread;
            let mut table = SlotTable::default();
            for slot in 0..1000 {
                table.insert(hash_of(slot), slot, hash_of);
            }
            for gone in (0..1000).step_by(3) {
                table.remove(hash_of(gone), gone, hash_of);
            }
            for slot in 0..1000 {
                let found = table.find(hash_of(slot), |candidate| candidate == slot);
                assert_eq!(found.is_some(), slot % 3 != 0, "slot {slot} spread {spread}");
            }
            for gone in 0..1000 {
                table.remove(hash_of(gone), gone, hash_of);
            }
            assert_eq!((table.len, table.places.len()), (0, PLACES_MIN));
        }
    }
}
