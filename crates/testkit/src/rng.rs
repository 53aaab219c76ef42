//! Random numbers that can be had again.

use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, good enough to choose test cases; not for secrets.
///
/// ```
/// let mut first = testkit::rng::Rng::from_seed(7);
/// let mut again = testkit::rng::Rng::from_seed(7);
/// assert_eq!(first.next_u64(), again.next_u64());
/// assert!(first.below(10) < 10);
/// ```
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator with a known seed.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator seeded by `LUNIX_SEED` or, without it, by the clock. The seed goes to standard error with `name`, and the test
    /// runner shows it when the test fails.
    #[must_use]
    pub fn printed(name: &str) -> Self {
        let clock =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| u64::from(now.subsec_nanos()) ^ now.as_secs());
        let seed = std::env::var("LUNIX_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(clock);
        eprintln!("{name}: LUNIX_SEED={seed}");
        Self(seed)
    }

    /// The next number, any of 2⁶⁴.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from zero up to but not `limit`; zero when `limit` is zero.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = limit as u64;
        usize::try_from(self.next_u64().checked_rem(limit).unwrap_or(0)).unwrap_or(0)
    }

    /// One of `choices`; `None` of an empty slice.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// `length` random bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next_u64().to_le_bytes()[0]).collect()
    }
}
