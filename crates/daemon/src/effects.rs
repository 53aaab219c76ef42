//! The seam between a pure machine and its adapter.

use reactor::Instant;
use std::collections::VecDeque;

/// A pure machine: no clock, no files, no sockets, no randomness. The adapter gathers the facts before a step; a step never asks
/// for a read.
pub trait Machine {
    /// What can happen to it.
    type Input<'a>;
    /// What must happen because of it.
    type Effect;

    /// Advances by one input; everything that must happen is pushed to `out`. Never blocks, never fails.
    fn step(&mut self, now: Instant, input: Self::Input<'_>, out: &mut Effects<Self::Effect>);
}

/// The effects of a step, in order. Bounded: past the limit an effect is counted as lost instead of kept. An adapter that runs the
/// effects after every step chooses the limit so that no single step can reach it, and says so in its log when one did.
#[derive(Debug)]
pub struct Effects<E> {
    queue: VecDeque<E>,
    limit: usize,
    lost: u64,
}

impl<E> Effects<E> {
    /// An empty queue for at most `limit` effects.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { queue: VecDeque::new(), limit, lost: 0 }
    }

    /// Appends an effect.
    pub fn push(&mut self, effect: E) {
        if self.queue.len() < self.limit {
            self.queue.push_back(effect);
        } else {
            self.lost += 1;
        }
    }

    /// Takes the oldest effect. When the last one is taken, memory that a large step needed is given back.
    pub fn pop(&mut self) -> Option<E> {
        let effect = self.queue.pop_front();
        if effect.is_none() {
            self.queue.shrink_to(32);
        }
        effect
    }

    /// How many effects were lost since the last call.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_limit_effects_are_counted_as_lost() {
        let mut effects = Effects::with_limit(2);
        for n in 0..5 {
            effects.push(n);
        }
        assert_eq!((effects.take_lost(), effects.take_lost()), (3, 0));
        assert_eq!((effects.pop(), effects.pop(), effects.pop()), (Some(0), Some(1), None));
    }
}
