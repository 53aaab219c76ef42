//! A list of numbers that seldom holds more than one.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The list: without memory of its own up to one number.
#[derive(Debug, Default)]
pub(crate) enum List {
    #[default]
    Empty,
    One(u32),
    #[expect(clippy::box_collection, reason = "a thin pointer keeps the list at 16 bytes")]
    Many(Box<Vec<u32>>),
}

impl List {
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u32] {
        match self {
            Self::Empty => &[],
            Self::One(number) => core::slice::from_ref(number),
            Self::Many(numbers) => numbers,
        }
    }

    /// Adds a number and returns its place.
    pub(crate) fn push(&mut self, number: u32) -> usize {
        match self {
            Self::Empty => *self = Self::One(number),
            Self::One(first) => *self = Self::Many(Box::new(alloc::vec![*first, number])),
            Self::Many(numbers) => numbers.push(number),
        }
        self.as_slice().len() - 1
    }

    /// Takes the number at `place` out. Returns the one that stands there now.
    pub(crate) fn swap_remove(&mut self, place: usize) -> Option<u32> {
        match self {
            Self::Empty => {}
            Self::One(_) => *self = Self::Empty,
            Self::Many(numbers) => {
                if place < numbers.len() {
                    numbers.swap_remove(place);
                }
                match numbers.as_slice() {
                    &[one] => *self = Self::One(one),
                    [..] if numbers.len() * 4 < numbers.capacity() => numbers.shrink_to(numbers.len() * 2),
                    [..] => {}
                }
            }
        }
        self.as_slice().get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_a_vector_is() {
        let (mut list, mut vector) = (List::default(), Vec::new());
        for step in 0_u32..2000 {
            if step % 7 < 4 {
                assert_eq!(list.push(step), vector.len());
                vector.push(step);
            } else if !vector.is_empty() {
                let place = step as usize % vector.len();
                vector.swap_remove(place);
                assert_eq!(list.swap_remove(place), vector.get(place).copied());
            }
            assert_eq!(list.as_slice(), vector);
        }
        while !vector.is_empty() {
            vector.swap_remove(0);
            list.swap_remove(0);
            assert_eq!(list.as_slice(), vector);
        }
        assert_eq!(size_of::<List>(), 16);
    }
}
